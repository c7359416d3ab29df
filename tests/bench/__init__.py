"""Benchmarks: the integration against the bars of its design, on the simulated cloud."""
