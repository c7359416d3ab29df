"""Tests of the blueprints, each at work in a real Home Assistant."""
