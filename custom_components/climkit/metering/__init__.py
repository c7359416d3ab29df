"""What is measured, and how it adds up: pure functions and descriptions.

No I/O, no clock (whoever needs the time passes it), nothing of Home Assistant. Imports
`api` (its models) and nothing else of this integration. Times are aware, in UTC;
amounts are kWh, or m³ of water.
"""
