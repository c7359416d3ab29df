"""What Home Assistant's own checks and its quality scale ask, as far as a program can.

Its checker (hassfest) is not part of the installed package; these are our own words for
the rules that it is documented to enforce, on what is installed here.
"""
