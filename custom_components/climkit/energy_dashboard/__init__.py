"""The Energy dashboard: what of ours belongs there, and the only writer of it.

Decisions are plain functions over plain data (`additions`, `duplicates`); `manager`
alone touches Home Assistant's energy preferences. Imports `runtime` and what is below.
"""
