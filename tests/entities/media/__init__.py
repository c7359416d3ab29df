"""Tests of the sensors and statistics of everything that is metered."""
