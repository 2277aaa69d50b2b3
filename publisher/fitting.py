"""As much of a text as fits within so many bytes of UTF-8, in whole pieces, with a count of what is left out. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

_WORST_SHARE = 0.6
_HOPELESS = 50
"""After so many pieces in a row that cannot be shown in a longer form, no more are tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One way to show a piece, and how much of it that leaves out."""

    text: str
    left: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Something to show in one of its forms, the longest first, or not at all: then `weight` is left out."""

    forms: tuple[Callable[[], Form], ...]
    weight: int = 1
    worst: bool = False


Body: TypeAlias = Callable[[int], str]
"""The text that shows so many of a list's items, the first ones."""


def size(text: str) -> int:
    """Bytes of UTF-8."""
    return len(text.encode())


def prefix(body: Body, count: int, room: int) -> int:
    """How many of `count` items fit, none at the least; a text with more items is longer."""
    low, high = 0, count
    if size(body(count)) <= room:
        return count
    while low < high:
        middle = (low + high + 1) // 2
        if size(body(middle)) <= room:
            low = middle
        else:
            high = middle - 1
    return low


def fit(pieces: Sequence[Piece], room: int) -> tuple[Form | None, ...]:
    """Which form of each piece to show, in their order; None for those that are left out.

    The worst ones get their longest form first, then all others their shortest one, and longer ones with what is left.
    """
    chosen: list[Form | None] = [None] * len(pieces)
    left = room
    urgent = int(room * _WORST_SHARE)
    for at, piece in enumerate(pieces):
        found = _longest(piece, urgent) if piece.worst else None
        if piece.worst and found is None:
            break
        if found is not None:
            chosen[at], urgent, left = found, urgent - size(found.text), left - size(found.text)
    for at, piece in enumerate(pieces):
        if chosen[at] is None:
            shortest = piece.forms[-1]()
            if size(shortest.text) > left:
                break
            chosen[at], left = shortest, left - size(shortest.text)
    misses = 0
    for at, piece in enumerate(pieces):
        now = chosen[at]
        if now is None or misses == _HOPELESS:
            break
        found = _longest(piece, left + size(now.text))
        if found is None or size(found.text) <= size(now.text):
            misses += found is not None and len(piece.forms) > 1
            continue
        misses, chosen[at], left = 0, found, left + size(now.text) - size(found.text)
    return tuple(chosen)


def _longest(piece: Piece, room: int) -> Form | None:
    made = (form() for form in piece.forms)
    return next((one for one in made if size(one.text) <= room), None)
