"""What is measured, how it adds up and what it costs: pure functions, descriptions.

No I/O, no clock (whoever needs the time passes it), nothing of Home Assistant. Imports
`api` (its models) and nothing else of this integration. Times are aware, in UTC;
amounts are kWh, or m³ of water.
"""
