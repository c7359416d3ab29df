"""The forms of set-up, options and what else is configured in the user interface.

`config_flow.py` is what Home Assistant calls. Imports `runtime` and what is below it.
"""
