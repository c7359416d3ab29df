"""Tests of what is written into the Energy dashboard."""
