"""One reply's body, read piece by piece."""

from collections.abc import Callable, Iterator, Mapping
from json import JSONDecoder
import re
from typing import Any, Final

from .exceptions import ClimkitResponseError
from .wire import shape

LONGEST_OBJECT: Final = 1 << 20
"""Characters of an object that stands where a list is due and is still looked into."""

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
        value = self._whole(self._text())
        if not isinstance(value, dict):
            raise self.error(f"an object was expected, not {shape(value)}")
        self.note("keys", shape(value))
        return value

    def items(self, *, unwrap: str = "") -> Iterator[Any]:
        """Yield the elements of the list that the body is, or raise ClimkitResponseError.

        `unwrap` names what an object may be instead: "list", the wrapper of one list;
        "row", a single element with a timestamp.
        """
        document = self._text()
        start = _skip_space(document, 0)
        if document.startswith("[", start):
            yield from self._noting_first(self._stream(document, start + 1))
            return
        value: Any = {}
        if len(document) <= LONGEST_OBJECT:
            value = self._whole(document)
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

    def _text(self) -> str:
        return self._body.decode("utf-8-sig", errors="replace")

    def _whole(self, document: str) -> Any:
        result = _decode(document, _skip_space(document, 0))
        if result is None or _skip_space(document, result[1]) != len(document):
            raise self.error(_why_no_json(document))
        return result[0]

    def _stream(self, document: str, at: int) -> Iterator[Any]:
        at = _skip_space(document, at)
        closed = document.startswith("]", at)
        while not closed:
            result = _decode(document, at)
            if result is None:
                raise self.error("not valid JSON")
            value, at = result
            yield value
            at = _skip_space(document, at)
            closed = document.startswith("]", at)
            if not closed and not document.startswith(",", at):
                raise self.error("not valid JSON")
            at = at if closed else _skip_space(document, at + 1)
        if _skip_space(document, at + 1) != len(document):
            raise self.error("text after the end of the JSON")


def _skip_space(document: str, at: int) -> int:
    match = _SPACE.match(document, at)
    return match.end() if match else at


def _decode(document: str, at: int) -> tuple[Any, int] | None:
    # The error of the parser carries the whole document: it must not be chained.
    try:
        return _DECODER.raw_decode(document, at)
    except ValueError, RecursionError:
        return None


def _why_no_json(document: str) -> str:
    start = document.lstrip()[:1]
    return {"": "empty", "<": "HTML instead of JSON"}.get(start, "not valid JSON")
