"""`upstream` of generated.yaml as it is read, and when the last sync is too old."""

from datetime import timedelta

import pytest

from publisher.diagnostic import Diagnostic
from publisher.generatedfile import written
from publisher.keyset import ALWAYS, NEVER, Upstream, read_keyset
from publisher.rules.upstream import STALE, check, stale_since
from publisher.source import File, Folder
from publisher.yamlfile import locate

from .sets import KEYSET, START, URL, by_hand, hour, keyset, started

DAY = timedelta(hours=24)


def mistakes(upstream: str) -> tuple[Diagnostic, ...]:
    generated = f"version: 1\nupstream: {upstream}\ngenerated_keys: []\n".encode()
    files = {"keyset.yaml": KEYSET, "generated.yaml": generated}
    stored = {name: File(kind="file", data=data) for name, data in files.items()}
    read = read_keyset(Folder(path="keysets/acme", tree=None, files=stored))
    assert read.keyset is not None
    return read.diagnostics


def test_the_upstream_is_read() -> None:
    assert keyset(started(0)).upstream == Upstream(url=URL, synced=START)
    assert keyset(by_hand([])).upstream is None
    assert mistakes(f'{{url: "{URL}"}}') == ()


@pytest.mark.parametrize(
    ("upstream", "message"),
    [
        ("{}", "`url` is missing"),
        ("x", "`x` is not a mapping"),
        ('{url: "http://idp.example/jwks"}', "is not an https URL"),
        ('{url: "https://u:p@idp.example/"}', "is not an https URL"),
        ('{url: "https://idp.example/#a"}', "is not an https URL"),
        ('{url: "https://idp.example/a b"}', "is not an https URL"),
        ('{url: "https:///jwks"}', "is not an https URL"),
        (f'{{url: "{URL}", synced: 2026-01-01}}', "is not an instant"),
        (f'{{url: "{URL}", pinned: x}}', "`pinned` is not a field here"),
    ],
)
def test_mistakes_in_it_are_told(upstream: str, message: str) -> None:
    (one,) = mistakes(upstream)
    assert message in one.message
    assert (one.path, one.line) == ("keysets/acme/generated.yaml", 2)


def test_a_sync_is_stale_at_the_limit_and_not_before() -> None:
    content = started(0)
    assert list(check(keyset(content), DAY, hour(24) - timedelta(seconds=1))) == []
    (one,) = check(keyset(content), DAY, hour(24))
    assert one.rule is STALE
    assert one.message == "the upstream was last read at 2026-01-01T00:00:00Z, 24 h ago"
    assert one.hint.startswith("sync it at least every 24 h")
    data = written(content)
    (place,) = locate(data, [one])
    assert place.path == "keysets/acme/generated.yaml"
    assert data.decode().splitlines()[place.line - 1] == "  synced: 2026-01-01T00:00:00Z"


def test_one_that_was_never_is_stale_at_once() -> None:
    assert stale_since(Upstream(url=URL, synced=None), DAY) == ALWAYS
    content = started(0)
    never = type(content)(entries=content.entries, upstream={"url": URL})
    (one,) = check(keyset(never), DAY, START)
    assert one.message == "the upstream was never read"


def test_keys_that_follow_nothing_are_never_stale() -> None:
    assert list(check(keyset(by_hand([])), timedelta(0), hour(9))) == []


def test_a_limit_past_all_time_is_none() -> None:
    assert stale_since(Upstream(url=URL, synced=START), timedelta.max) == NEVER
