"""Tests of the Climkit integration, on real parts."""
