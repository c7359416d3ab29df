"""Tests of the issues that can be solved from Home Assistant's repairs."""
