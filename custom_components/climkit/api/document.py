"""One reply's body, read piece by piece."""

from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator, Mapping
from json import JSONDecoder
import re
from typing import Any, Final

from .exceptions import ClimkitResponseError
from .wire import shape

LONGEST_OBJECT: Final = 1 << 20
"""Characters of an object that stands where a list is due and is still looked into."""

PIECE: Final = 1 << 18
"""Bytes that are decoded at once."""

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_DECODER: Final = JSONDecoder(parse_constant=lambda _: None)


class Document:
    """The body of one reply, read piece by piece.

    The parser of the standard library never lets go of the interpreter, not even
    in a thread: eleven megabytes at once would stop the event loop. So a list is
    parsed element by element, and none is kept.
    """

    def __init__(
        self,
        endpoint: str,
        body: bytes | bytearray,
        note: Callable[[str, str], None] = lambda topic, variant: None,
    ) -> None:
        self.endpoint = endpoint
        self.dropped = 0
        """How many elements could not be used."""
        self._body = body
        self._note = note

    @property
    def size(self) -> int:
        """Return the length in bytes."""
        return len(self._body)

    def error(self, reason: str) -> ClimkitResponseError:
        """Return the error to raise; `reason` must not quote contents."""
        return ClimkitResponseError(self.endpoint, reason)

    def note(self, topic: str, variant: str) -> None:
        """Remember which of several possible forms this reply has."""
        self._note(f"{self.endpoint} {topic}", variant)

    def object(self) -> Mapping[str, Any]:
        """Return the object that the body is; raise ClimkitResponseError if it is none."""
        value = self._whole()
        if not isinstance(value, dict):
            raise self.error(f"an object was expected, not {shape(value)}")
        self.note("keys", shape(value))
        return value

    def items(self, *, unwrap: str = "") -> Iterator[Any]:
        """Yield the elements of the list that the body is, or raise ClimkitResponseError.

        `unwrap` names what an object may be instead: "list", the wrapper of one list;
        "row", a single element with a timestamp.
        """
        window = _Window(self._body)
        if window.next_character() == "[":
            yield from self._noting_first(self._stream(window))
            return
        value: Any = {}
        if self.size <= LONGEST_OBJECT:
            value = self._whole()
        if isinstance(value, dict):
            lists = [inner for inner in value.values() if isinstance(inner, list)]
            if unwrap == "list" and len(lists) == 1:
                self.note("wrapper", shape(value))
                yield from self._noting_first(iter(lists[0]))
                return
            if unwrap == "row" and "timestamp" in value:
                yield from self._noting_first(iter([value]))
                return
        raise self.error(f"a list was expected, not {shape(value)}")

    def _noting_first(self, items: Iterator[Any]) -> Iterator[Any]:
        for index, item in enumerate(items):
            if not index:
                self.note("item", shape(item))
            yield item

    def _whole(self) -> Any:
        document = self._body.decode("utf-8-sig", errors="replace")
        result = _decode(document, _skip_space(document, 0))
        if result is None or _skip_space(document, result[1]) != len(document):
            start = document.lstrip()[:1]
            reasons = {"": "empty", "<": "HTML instead of JSON"}
            raise self.error(reasons.get(start, "not valid JSON"))
        return result[0]

    def _stream(self, window: _Window) -> Iterator[Any]:
        window.skip(1)
        closed = window.next_character() == "]"
        while not closed:
            result = window.value()
            if result is None:
                raise self.error("not valid JSON")
            yield result[0]
            separator = window.next_character()
            closed = separator == "]"
            if not closed and separator != ",":
                raise self.error("not valid JSON")
            if not closed:
                window.skip(1)
                window.next_character()
        window.skip(1)
        if window.next_character():
            raise self.error("text after the end of the JSON")


class _Window:
    """The piece of a long body that is being read; also decoding it all takes long."""

    def __init__(self, body: bytes | bytearray) -> None:
        self._body = memoryview(body)
        self._decoder = getincrementaldecoder("utf-8-sig")(errors="replace")
        self._text = ""
        self._at = 0

    def next_character(self) -> str:
        """Go to what is not space, and return it; "" at the end."""
        while True:
            self._at = _skip_space(self._text, self._at)
            if self._at < len(self._text) or not self._more():
                return self._text[self._at : self._at + 1]

    def skip(self, characters: int) -> None:
        """Go on."""
        self._at += characters

    def value(self) -> tuple[Any] | None:
        """Return the value that begins here, and go on behind it."""
        while True:
            result = _decode(self._text, self._at)
            # What ends with the window may be the beginning of a longer number.
            if result is not None and result[1] < len(self._text):
                self._at = result[1]
                return (result[0],)
            if not self._more():
                return None  # lists do not end with a value

    def _more(self) -> bool:
        """Forget what is read and take the next piece, a larger one if that is much."""
        if not self._body:
            return False
        self._text = self._text[self._at :]
        self._at = 0
        size = max(PIECE, len(self._text))
        piece, self._body = self._body[:size], self._body[size:]
        self._text += self._decoder.decode(piece, final=not self._body)
        return True


def _skip_space(document: str, at: int) -> int:
    match = _SPACE.match(document, at)
    return match.end() if match else at


def _decode(document: str, at: int) -> tuple[Any, int] | None:
    # The error of the parser carries the whole document: it must not be chained.
    try:
        return _DECODER.raw_decode(document, at)
    except ValueError, RecursionError:
        return None
