"""Tests of what is shown on the page."""
