"""From the cloud to the past: the import of all history and the nightly check.

Imports `reading` and what is below it; the entities' room is its peer, and neither
sees the other.
"""
