"""A recorder that is busy with something else, a backup say, until it is let go."""

import threading
from typing import override

from homeassistant.components.recorder.core import Recorder
from homeassistant.components.recorder.tasks import RecorderTask


class Hold(RecorderTask):
    """Keeps the recorder from working until it is released."""

    def __init__(self) -> None:
        """Begin to hold when the recorder comes to it."""
        self.release = threading.Event()

    @override
    def run(self, instance: Recorder) -> None:
        self.release.wait(30)
