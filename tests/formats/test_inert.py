"""Whatever a stranger writes, the text shows it and does nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.inert import inert, logged

from .findings import HOSTILE
from .viewers import LIVE, lively, obeyed

PIECES = [
    "::",
    "##[",
    "]",
    "](",
    "<",
    "a",
    " ",
    "@",
    "://",
    "&",
    "#",
    "!",
    "1",
    "www.",
    "error",
    ">",
    "\n",
    "%0A",
    "\\",
]


@given(st.text() | st.lists(st.sampled_from(PIECES)).map("".join))
def test_nothing_stays_alive(text: str) -> None:
    shown = inert(text)
    assert shown.isprintable()
    assert not lively(shown)
    assert obeyed(shown) is None


@given(st.text() | st.lists(st.sampled_from(PIECES)).map("".join))
def test_no_line_of_a_log_is_obeyed(text: str) -> None:
    shown = logged(text)
    assert shown.isprintable()
    assert obeyed(shown) is None
    assert "##" not in shown
    assert logged(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "the kid `own` is already that of custom_keys[0] (`own`) in keyset.yaml",
        "keysets/größe-1/a_b.pem",
        "C# & A/B: 5%",
    ],
)
def test_plain_words_stay_as_they_are(text: str) -> None:
    assert inert(text) == text


def test_the_hostile_strings_hold_everything_that_is_looked_for() -> None:
    assert {name for text in HOSTILE for name in lively(text)} == set(LIVE)
    assert sum(obeyed(line) is not None for text in HOSTILE for line in text.splitlines()) > 5
