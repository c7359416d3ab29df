"""Stands in for pymicro-vad, which has no wheel for Python 3.14.

Home Assistant's voice pipeline imports it at every start. Where it is missing the
pipeline does not load, the list of actions fails with it and the page stays blank.
"""


class MicroVad:
    """Never used: nobody talks to a demo."""
