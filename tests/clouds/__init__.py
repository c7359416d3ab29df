"""Whole lives on clouds of every kind, judged only by what everybody can see."""
