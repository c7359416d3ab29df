"""Tests of the room `metering`."""
