"""What the page shows: sensors of flows, of the site's state, of what else is measured.

Imports `reading` and what is below it; `sensor.py` puts the entities on the page.
"""
