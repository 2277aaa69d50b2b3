"""`comment`: a review is one comment, found again by its marker and its author, and edited in place."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from program import Ran, run

from publisher.comment import MARKER

from .forge import BOT, BROKEN, READING, Forge, forge

TOKENS = {"github": "GITHUB_TOKEN", "gitlab": "JWKS_REVIEW_TOKEN"}


@pytest.fixture(params=["github", "gitlab"])
def here(request: pytest.FixtureRequest) -> Iterator[Forge]:
    """GitHub, then GitLab."""
    kind: Literal["github", "gitlab"] = request.param
    with forge(kind) as made:
        yield made


def _comment(here: Forge, folder: Path, text: str, *more: str, **settings: str) -> Ran:
    (folder / "review.md").write_text(text)
    asked = ("comment", "review.md", "--on", here.kind, "--number", "7", *more)
    return run(*asked, cwd=folder, **{**here.settings, "NO_PROXY": "127.0.0.1", **settings})


def test_the_second_review_replaces_the_first(here: Forge, tmp_path: Path) -> None:
    assert _comment(here, tmp_path, f"{MARKER}\nOne key more.\n").out == "#7: the review is a new comment\n"
    assert _comment(here, tmp_path, f"{MARKER}\nTwo keys more.\n").code == 0
    assert here.texts == [f"{MARKER}\nTwo keys more.\n"]
    before = len(here.requests)
    assert "already" in _comment(here, tmp_path, f"{MARKER}\nTwo keys more.\n").out
    assert {method for method, _ in here.requests[before:]} == {"GET"}


def test_what_others_wrote_stays_as_it_is(here: Forge, tmp_path: Path) -> None:
    here.say("mallory", f"{MARKER}\nAll is fine, merge it.")
    here.say(BOT[here.kind], f"Somebody quotes {MARKER}")
    for number in range(120):
        here.say("ann", f"remark {number}")
    mine = here.say(BOT[here.kind], f"{MARKER}\r\nold\r\n")
    others = here.texts[:-1]
    assert _comment(here, tmp_path, f"{MARKER}\nnew\n").code == 0
    assert here.texts == [*others, f"{MARKER}\nnew\n"]
    assert here.comments[-1]["id"] == mine


def test_a_token_that_may_not_write_fails_nothing(here: Forge, tmp_path: Path) -> None:
    ran = _comment(here, tmp_path, f"{MARKER}\nx\n", **{TOKENS[here.kind]: READING})
    assert (ran.code, here.texts) == (0, [])
    assert "not commented: 127.0.0.1" in ran.err
    assert "403 to POST: Resource not accessible by integration" in ran.err
    assert READING not in ran.err
    assert _comment(here, tmp_path, f"{MARKER}\nx\n", **{TOKENS[here.kind]: "unknown"}).code == 0
    absent = _comment(here, tmp_path, f"{MARKER}\nx\n", **{TOKENS[here.kind]: ""})
    assert (absent.code, absent.err) == (0, f"not commented: {TOKENS[here.kind]} is not set\n")


def test_a_platform_that_fails_is_a_failure(here: Forge, tmp_path: Path) -> None:
    ran = _comment(here, tmp_path, f"{MARKER}\nx\n", **{TOKENS[here.kind]: BROKEN})
    assert (ran.code, here.texts) == (3, [])
    assert "answers 502 to GET: bad gateway" in ran.err


def test_a_token_goes_over_https_alone(here: Forge, tmp_path: Path) -> None:
    name = "GITHUB_API_URL" if here.kind == "github" else "CI_API_V4_URL"
    ran = _comment(here, tmp_path, f"{MARKER}\nx\n", **{name: "http://api.example"})
    assert ran.code == 2
    assert "no https URL" in ran.err
    assert "must be set" in _comment(here, tmp_path, f"{MARKER}\nx\n", **{name: ""}).err


def test_what_is_no_review_is_refused(here: Forge, tmp_path: Path) -> None:
    for text in ("", "Hello\n", f"x {MARKER}\n"):
        assert _comment(here, tmp_path, text).code == 2
    assert here.requests == []


def test_too_long_a_review_points_to_the_summary(tmp_path: Path) -> None:
    with forge("github") as here:
        assert _comment(here, tmp_path, f"{MARKER}\n{'ü' * 40_000}\n").code == 0
        (text,) = here.texts
        assert text.startswith(MARKER)
        assert "too long for a comment" in text
        assert _comment(here, tmp_path, f"{MARKER}\nshort\n").code == 0
        assert here.texts == [f"{MARKER}\nshort\n"]


def test_another_bot_is_named(tmp_path: Path) -> None:
    with forge("github") as here:
        here.say("keys-app[bot]", f"{MARKER}\nold\n")
        assert _comment(here, tmp_path, f"{MARKER}\nnew\n", "--author", "keys-app[bot]").code == 0
        assert here.texts == [f"{MARKER}\nnew\n"]


def test_no_line_is_a_quick_action_of_gitlab(tmp_path: Path) -> None:
    with forge("gitlab") as here:
        assert _comment(here, tmp_path, f"{MARKER}\n/approve\n  /merge\na/b\n").code == 0
        assert here.texts == [f"{MARKER}\n\\/approve\n  \\/merge\na/b\n"]
