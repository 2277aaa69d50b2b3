"""What of a value may stand in a message."""

import pytest

from publisher.diagnostic import clean, quote

SHOWN = [
    "login.acme.example",
    "own-rsa",
    "publish_interval",
    "2030-02-30T00:00:00Z",
    "RSA-OAEP-256",
    "Acme Inc.",
    "x" * 40,
]
HIDDEN = [
    "a" * 41,
    "BEGIN PRIVATE KEY",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "q1BWqP3TzJ8f0Yx2nKcVdA",
    "0123456789abcdef0123456789abcdef",
    "correct horse battery staple",
]


@pytest.mark.parametrize("value", SHOWN)
def test_names_are_shown(value: str) -> None:
    assert quote(value) == f"`{value}`"


@pytest.mark.parametrize("value", HIDDEN)
def test_what_may_be_a_secret_is_not(value: str) -> None:
    assert quote(value) == f"a value of {len(value)} characters"


@pytest.mark.parametrize("char", ["\x1b", "\u00ad", "\u061c", "\u115f", "\u180e", "\u202e", "\u3164", "\ufeff"])
def test_what_steers_a_terminal_or_is_not_seen_is_escaped(char: str) -> None:
    assert char not in clean(f"a{char}b")
