"""Tests of the actions that read."""
