"""One reply's body, read piece by piece."""

from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from json import JSONDecoder
import re
from typing import Any, Final

from .content import PIECE, Content
from .exceptions import ClimkitResponseError
from .shape_report import shape

type Unwrap = Callable[[Mapping[str, Any]], Sequence[Any] | None]
"""Returns the list that an object stands for, if it stands for one."""

LONGEST_OBJECT: Final = 1 << 20
"""Characters of an object that stands where a list is due and is still looked into."""

MOST_ELEMENTS: Final = 1_000_000
"""More is no reply of a metering cloud: five years of quarter hours are 175,000."""

_SPACES: Final = " \t\n\r"
_SPACE: Final = re.compile(f"[{_SPACES}]*")
_DECODER: Final = JSONDecoder(parse_constant=lambda _: None)


class Body:
    """The body of one reply, read piece by piece.

    The parser of the standard library never lets go of the interpreter, not even
    in a thread: eleven megabytes at once would stop the event loop. So a list is
    parsed element by element, and none is kept, nor are the bytes that it was made of.
    """

    def __init__(
        self,
        endpoint: str,
        content: bytes | Content,
        note: Callable[[str, str], None] = lambda topic, variant: None,
        status: int | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.dropped = 0
        """How many elements could not be used."""
        self._content = content if isinstance(content, Content) else Content(content)
        self._note = note
        self._status = status
        self.size = len(content)
        """How many bytes came, whether or not they have been read."""

    def error(self, reason: str) -> ClimkitResponseError:
        """Return the error to raise; `reason` must not quote contents."""
        return ClimkitResponseError(self.endpoint, reason, self._status)

    def note(self, topic: str, variant: str) -> None:
        """Remember which of several possible forms this reply has."""
        self._note(f"{self.endpoint} {topic}", variant)

    @property
    def text(self) -> str:
        """Return all of it as text, without space around it."""
        text = self._content.whole().decode("utf-8-sig", errors="replace")
        return text.strip(_SPACES)

    @property
    def is_json(self) -> bool:
        """Return whether it can be read at all."""
        return _decode_all(self.text) is not None

    def value(self) -> Any:
        """Return what the body says, of whatever type, or raise ClimkitResponseError."""
        return self._value_of(self.text)

    def _value_of(self, text: str) -> Any:
        if (result := _decode_all(text)) is None:
            reasons = {"": "empty", "<": "HTML instead of JSON"}
            raise self.error(reasons.get(text[:1], "not valid JSON"))
        return result[0]

    def object(self) -> Mapping[str, Any]:
        """Return the object that the body is; raise ClimkitResponseError if it is none."""
        value = self.value()
        if not isinstance(value, dict):
            raise self.error(f"an object was expected, not {shape(value)}")
        self.note("keys", shape(value))
        return value

    def items(self, unwrap: Unwrap = lambda _: None) -> Iterator[Any]:
        """Yield the elements of the list that the body is, or raise ClimkitResponseError.

        An object may be instead what `unwrap` makes a list of. Afterwards nothing is
        left of the body.
        """
        window = _Window(self._content)
        in_list = window.next_character() == "["
        items = self._stream(window) if in_list else self._unwrapped(window, unwrap)
        for first in islice(items, 1):
            self.note("item", shape(first))
            yield first
        yield from items

    def usable[T](
        self, read: Callable[[Any], T | None], items: Iterable[Any]
    ) -> Iterator[T]:
        """Yield what `read` makes of each element; whatever it returns None for is dropped.

        Raises ClimkitResponseError if that leaves nothing, or if there is no end.
        """
        used = 0
        for item in items:
            if (result := read(item)) is None:
                self.dropped += 1
            else:
                used += 1
                yield result
            if used + self.dropped > MOST_ELEMENTS:
                raise self.error("more elements than can be meant")
        if self.dropped and not used:
            raise self.error(f"none of {self.dropped} elements can be used")

    def _unwrapped(self, window: _Window, unwrap: Unwrap) -> Iterator[Any]:
        short = self.size <= LONGEST_OBJECT
        value = self._value_of(window.rest()) if short else {}
        items = unwrap(value) if isinstance(value, dict) else None
        if items is None:
            raise self.error(f"a list was expected, not {shape(value)}")
        self.note("wrapper", shape(value))
        return iter(items)

    def _stream(self, window: _Window) -> Iterator[Any]:
        window.skip(1)
        mark = window.next_character()
        while mark != "]":
            result = window.value()
            mark = window.next_character()
            if result is None or mark not in {",", "]"}:
                raise self.error("not valid JSON")
            yield result[0]
            if mark == ",":
                window.skip(1)
                window.next_character()
        window.skip(1)
        if window.next_character():
            raise self.error("text after the end of the JSON")


class _Window:
    """The piece of a long body that is being read; also decoding it all takes long."""

    def __init__(self, content: Content) -> None:
        self._content = content
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

    def rest(self) -> str:
        """Return all that is not read yet, without space at the end."""
        while self._more():
            pass
        return self._text[self._at :].rstrip(_SPACES)

    def _more(self) -> bool:
        """Forget what is read and take the next piece, a larger one if that is much."""
        if not self._content:
            return False
        self._text = self._text[self._at :]
        self._at = 0
        piece = self._content.take(max(PIECE, len(self._text)))
        self._text += self._decoder.decode(piece, final=not self._content)
        return True


def _skip_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _decode(text: str, at: int) -> tuple[Any, int] | None:
    # The error of the parser carries the whole body: it must not be chained.
    try:
        return _DECODER.raw_decode(text, at)
    except ValueError, RecursionError:
        return None


def _decode_all(text: str) -> tuple[Any, int] | None:
    result = _decode(text, 0)
    return result if result and result[1] == len(text) else None
