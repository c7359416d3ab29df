"""Tests of sites that change."""
