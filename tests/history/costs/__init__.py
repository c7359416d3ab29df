"""Tests of what energy cost."""
