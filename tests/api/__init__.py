"""Tests of the client, against servers on this machine."""
