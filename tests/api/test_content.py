"""The bytes of a reply: what came in, in whatever crumbs, comes out once."""

from random import Random

import pytest

from custom_components.climkit.api.content import LONG, PIECE, Content


def text(size: int) -> bytes:
    """Return so many bytes that repeat themselves about as much as JSON does."""
    random = Random(size)
    values = (f'"total_{number % 50}":{random.random()},' for number in range(size))
    result = bytearray()
    while len(result) < size:
        result += next(values).encode()
    return bytes(result[:size])


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, LONG + 3 * PIECE])
@pytest.mark.parametrize("crumb", [1000, 65536, PIECE, 3 * PIECE])
def test_nothing_is_lost(size: int, crumb: int) -> None:
    """Neither where pieces meet, nor where they are kept compressed."""
    sent = text(size)
    content = Content()
    for begin in range(0, size, crumb):
        content.add(sent[begin : begin + crumb])

    assert len(content) == size
    assert content.whole() == sent

    taken = bytearray()
    while content:
        some = content.take(PIECE)
        assert len(some) >= PIECE or not content
        taken += some
        assert len(content) == size - len(taken)
    assert taken == sent
    assert content.take(PIECE) == content.whole() == b""


def test_what_is_taken_may_be_followed_by_more() -> None:
    """As where a reader is quicker than the cloud."""
    content = Content(b"one")
    assert content.take(1) == b"one"
    content.add(b"two")
    assert content.whole() == content.take(100) == b"two"
