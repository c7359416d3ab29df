"""What measured energy costs: dated tariffs, costs per hour, statements.

Pure: no I/O, no clock, nothing of Home Assistant. Money is in CHF, VAT included.
"""
