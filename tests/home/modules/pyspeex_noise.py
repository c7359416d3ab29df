"""Stands in for pyspeex-noise, for the same reason as `pymicro_vad` beside it."""


class AudioProcessor:
    """Never used: nobody talks to a demo."""
