"""From bytes to JSON, without holding up the event loop.

A parser written in C keeps Python's lock for the whole document, also in a thread. So a
large list is decoded element by element, in a thread: no single step takes long.
"""

from collections.abc import Iterator
import json
from typing import Any, Final

_DECODER: Final = json.JSONDecoder()
_SPACE: Final = " \t\n\r"


def decode(body: bytes) -> Any:
    """Decode a document. Raises ValueError for anything that is not JSON."""
    try:
        return json.loads(body)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except UnicodeDecodeError:
        raise ValueError("not text") from None


def decode_rows(body: bytes) -> Iterator[Any]:
    """Decode a list, one element after the other. Raises ValueError on the way."""
    try:
        text = body.decode()
        position = _skip(text, 0)
        if text[position : position + 1] != "[":
            raise ValueError("not a list")
        position = _skip(text, position + 1)
        if text[position : position + 1] == "]":
            return
        while True:
            row, position = _DECODER.raw_decode(text, position)
            yield row
            position = _skip(text, position)
            if text[position : position + 1] == "]":
                return
            if text[position : position + 1] != ",":
                raise ValueError("truncated")
            position = _skip(text, position + 1)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except UnicodeDecodeError:
        raise ValueError("not text") from None


def _skip(text: str, position: int) -> int:
    while text[position : position + 1] and text[position] in _SPACE:
        position += 1
    return position
