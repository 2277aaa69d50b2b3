"""`comment`: a review is one comment, found again by its marker and its author, and edited in place."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from program import Ran, run

from publisher.comment import MARKER, CommentError, GitHub, GitLab, Placed, RefusedTokenError, place

from .forge import BOT, BROKEN, READING, TOKEN, Forge, forge


@pytest.fixture(params=["github", "gitlab"])
def here(request: pytest.FixtureRequest) -> Iterator[Forge]:
    """GitHub, then GitLab."""
    kind: Literal["github", "gitlab"] = request.param
    with forge(kind) as made:
        yield made


def _place(here: Forge, text: str, token: str = TOKEN, api: str = "", author: str = BOT["github"]) -> Placed:
    url = api or here.url
    if here.kind == "github":
        return asyncio.run(place(GitHub(api=url, repository="acme/keys", number=7, token=token, author=author), text))
    return asyncio.run(place(GitLab(api=url, project="42", number=7, token=token), text))


def test_the_second_review_replaces_the_first(here: Forge) -> None:
    assert _place(here, f"{MARKER}\nOne key more.\n") == "made"
    assert _place(here, f"{MARKER}\nTwo keys more.\n") == "edited"
    assert here.texts == [f"{MARKER}\nTwo keys more.\n"]
    before = len(here.requests)
    assert _place(here, f"{MARKER}\nTwo keys more.\n") == "unchanged"
    assert {method for method, _ in here.requests[before:]} == {"GET"}


def test_what_others_wrote_stays_as_it_is(here: Forge) -> None:
    here.say("mallory", f"{MARKER}\nAll is fine, merge it.")
    here.say(BOT[here.kind], f"Somebody quotes {MARKER}")
    for number in range(120):
        here.say("ann", f"remark {number}")
    mine = here.say(BOT[here.kind], f"{MARKER}\r\nold\r\n")
    others = here.texts[:-1]
    assert _place(here, f"{MARKER}\nnew\n") == "edited"
    assert here.texts == [*others, f"{MARKER}\nnew\n"]
    assert here.comments[-1]["id"] == mine


def test_a_token_that_may_not_is_another_matter_than_a_fault(here: Forge) -> None:
    with pytest.raises(RefusedTokenError, match="403 to POST: Resource not accessible by integration"):
        _place(here, f"{MARKER}\nx\n", READING)
    with pytest.raises(RefusedTokenError, match="401 to GET: Bad credentials"):
        _place(here, f"{MARKER}\nx\n", "unknown")
    with pytest.raises(CommentError, match="502 to GET: bad gateway") as caught:
        _place(here, f"{MARKER}\nx\n", BROKEN)
    assert not isinstance(caught.value, RefusedTokenError)
    with pytest.raises(CommentError, match=r"no connection to 127\.0\.0\.1"):
        _place(here, f"{MARKER}\nx\n", api="http://127.0.0.1:9")
    assert here.texts == []


def test_a_token_goes_over_https_alone(here: Forge) -> None:
    with pytest.raises(ValueError, match="no https URL"):
        _place(here, f"{MARKER}\nx\n", api="http://api.example")


@pytest.mark.parametrize("api", ["https://ann:hunter2@127.0.0.1:1", "https://ann@127.0.0.1:1", "https://"])
def test_an_address_is_a_host_alone_and_no_password_is_shown(here: Forge, api: str) -> None:
    with pytest.raises(ValueError, match="names a host, and no user") as caught:
        _place(here, f"{MARKER}\nx\n", api=api)
    assert "hunter2" not in str(caught.value)


def test_what_is_no_review_is_refused(here: Forge) -> None:
    for text in ("", "Hello\n", f"x {MARKER}\n", MARKER):
        with pytest.raises(ValueError, match="first line"):
            _place(here, text)
    assert here.requests == []


def test_too_long_a_review_points_to_the_summary() -> None:
    with forge("github") as here:
        assert _place(here, f"{MARKER}\n{'ü' * 40_000}\n") == "made"
        (text,) = here.texts
        assert text.startswith(MARKER)
        assert "too long for a comment" in text
        assert _place(here, f"{MARKER}\nshort\n") == "edited"
        assert here.texts == [f"{MARKER}\nshort\n"]


def test_another_bot_is_named() -> None:
    with forge("github") as here:
        here.say("keys-app[bot]", f"{MARKER}\nold\n")
        assert _place(here, f"{MARKER}\nnew\n", author="keys-app[bot]") == "edited"
        assert here.texts == [f"{MARKER}\nnew\n"]


def test_no_line_is_a_quick_action_of_gitlab() -> None:
    with forge("gitlab") as here:
        assert _place(here, f"{MARKER}\n/approve\n  /merge\na/b\n") == "made"
        assert here.texts == [f"{MARKER}\n\\/approve\n  \\/merge\na/b\n"]


def _comment(here: Forge, folder: Path, text: str, **settings: str) -> Ran:
    (folder / "review.md").write_text(text)
    asked = ("comment", "review.md", "--on", here.kind, "--number", "7")
    return run(*asked, cwd=folder, **{**here.settings, "NO_PROXY": "127.0.0.1", **settings})


def test_the_command_and_its_exit_codes(here: Forge, tmp_path: Path) -> None:
    token = "GITHUB_TOKEN" if here.kind == "github" else "JWKS_REVIEW_TOKEN"
    assert _comment(here, tmp_path, f"{MARKER}\nx\n").out == "#7: the review is a new comment\n"
    refused = _comment(here, tmp_path, f"{MARKER}\ny\n", **{token: READING})
    assert (refused.code, refused.out) == (0, "")
    assert refused.err.startswith("not commented: 127.0.0.1:")
    assert READING not in refused.err
    absent = _comment(here, tmp_path, f"{MARKER}\ny\n", **{token: ""})
    assert (absent.code, absent.err) == (0, f"not commented: {token} is not set\n")
    if here.kind == "github":  # the rest is the same for both
        broken = _comment(here, tmp_path, f"{MARKER}\ny\n", **{token: BROKEN})
        assert (broken.code, broken.err[:25]) == (3, "error: not commented: 127")
        assert _comment(here, tmp_path, "no review\n").code == 2
        assert "must be set" in _comment(here, tmp_path, "", GITHUB_API_URL="").err
    assert here.texts == [f"{MARKER}\nx\n"]
