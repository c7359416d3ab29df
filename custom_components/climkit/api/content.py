"""The bytes of a reply, in pieces that are forgotten one by one as they are read.

Seven hundred thousand values are 26 MB of text, most of it names of columns: whole until
the last value is read, it would be the most that an import takes.
"""

from collections import deque
from typing import Final
import zlib

PIECE: Final = 1 << 18
"""Bytes that are kept, and decoded, together."""

LONG: Final = 1 << 20
"""What comes beyond so many bytes is kept compressed, a piece in some milliseconds."""

_FASTEST: Final = 1


class Content:
    """Bytes that come at one end and are taken away at the other."""

    def __init__(self, start: bytes | bytearray = b"") -> None:
        self._pieces: deque[tuple[bytes | bytearray, bool]] = deque()
        """Those that are full, and whether they are compressed."""
        self._newest = bytearray()
        self._size = 0
        self.add(start)

    def __len__(self) -> int:
        """Return how many bytes there are."""
        return self._size

    def add(self, some: bytes | bytearray) -> None:
        """Add bytes; what comes in crumbs is kept in pieces all the same."""
        self._newest += some
        self._size += len(some)
        if len(self._newest) >= PIECE:
            is_long = self._size > LONG
            full = zlib.compress(self._newest, _FASTEST) if is_long else self._newest
            self._pieces.append((full, is_long))
            self._newest = bytearray()

    def whole(self) -> bytes:
        """Return all there is."""
        return b"".join((*map(_plain, self._pieces), self._newest))

    def take(self, size: int) -> bytes:
        """Return some bytes and forget them: `size` at least, if there are so many."""
        taken: list[bytes | bytearray] = []
        missing = size
        while missing > 0 and self._size:
            piece = self._next()
            missing -= len(piece)
            self._size -= len(piece)
            taken.append(piece)
        return b"".join(taken)

    def _next(self) -> bytes | bytearray:
        if self._pieces:
            return _plain(self._pieces.popleft())
        piece, self._newest = self._newest, bytearray()
        return piece


def _plain(piece: tuple[bytes | bytearray, bool]) -> bytes | bytearray:
    some, is_compressed = piece
    return zlib.decompress(some) if is_compressed else some
