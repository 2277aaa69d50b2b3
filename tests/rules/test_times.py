"""Instants, durations and the order of windows."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from keymaker import ec_key, entry, flow, public_jwk

from publisher.fields import Duration, Instant, Reading
from publisher.yamlfile import Plain

from .trees import lines, of_entry, rules

JWK = flow(public_jwk(ec_key()))
HINT = "write an instant as 2026-01-01T00:00:00Z"

GOOD_INSTANTS = [
    ("2026-01-01T00:00:00Z", datetime(2026, 1, 1, tzinfo=UTC)),
    ("2026-01-01t00:00:00z", datetime(2026, 1, 1, tzinfo=UTC)),
    ("2026-01-01T00:00:00+00:00", datetime(2026, 1, 1, tzinfo=UTC)),
    ("2026-01-01T00:00:00-00:00", datetime(2026, 1, 1, tzinfo=UTC)),
    ("2026-01-01T01:30:00+01:30", datetime(2026, 1, 1, tzinfo=UTC)),
    ("2025-12-31T14:00:00-10:00", datetime(2026, 1, 1, tzinfo=UTC)),
    ("2024-02-29T23:59:59Z", datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)),
    ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
    ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
]
NO_ZONE = [
    "2026-01-01",
    "2026-01-01T00:00:00",
    "2026-01-01T00:00Z",
    "2026-01-01 00:00:00Z",
    "2026-01-01T00:00:00.5Z",
    "2026-01-01T00:00:00+01",
    "2026-01-01T00:00:00+0100",
    "2026-01-01T00:00:00+24:00",
    "2026-01-01T00:00:00+01:60",
    "2026-01-01T24:00:00Z",
    "2026-01-01T00:60:00Z",
    "2026-12-31T23:59:60Z",
    "2026-01-01T00:00:00 Z",
    "2026-01-01T00:00:00Z ",
    "2026-1-1T00:00:00Z",
    "20260101T000000Z",
    "26-01-01T00:00:00Z",
    "\u0662\u0660\u0662\u0666-01-01T00:00:00Z",
    "2026-W01-1T00:00:00Z",
    "1767225600",
    "never",
    "no",
]
NO_DAY = [
    "2026-02-29T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-00-01T00:00:00Z",
    "2026-01-00T00:00:00Z",
    "0000-01-01T00:00:00Z",
    "1969-12-31T23:59:59Z",
    "1970-01-01T00:00:00+00:01",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
]


@pytest.mark.parametrize(("text", "instant"), GOOD_INSTANTS)
@pytest.mark.parametrize("kind", [str, Plain])
def test_good_instants(text: str, instant: datetime, kind: type[str]) -> None:
    reading = Reading(file="f")
    found = reading.read(Instant(), kind(text), ())
    assert found == instant
    assert found.utcoffset() == timedelta(0)
    assert reading.findings == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [(text, "is not an instant with a time zone") for text in NO_ZONE]
    + [(text, "is no day of the calendar, or before 1970") for text in NO_DAY],
)
def test_bad_instants(text: str, fault: str) -> None:
    found = of_entry(f'  - alg: ES256\n    jwk: {JWK}\n    publish: {{from: "{text}"}}\n')
    assert lines(found) == [f"8:21: instant: `{text}` {fault}; {HINT}"]


@pytest.mark.parametrize(
    ("value", "rule"), [("", "missing-field"), ("[]", "wrong-type"), ("{a: b}", "wrong-type"), ('""', "missing-field")]
)
def test_what_is_no_text_is_no_instant(value: str, rule: str) -> None:
    found = of_entry(f"  - alg: ES256\n    jwk: {JWK}\n    publish:\n      from: {value}\n")
    assert rules(found) == [rule]
    assert found[0].hint == "write an instant, as 2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("1", 1), ("300", 300), ("5m", 300), ("24h", 86_400), ("14d", 1_209_600), ("1209600s", 1_209_600)],
)
def test_good_durations(text: str, seconds: int) -> None:
    reading = Reading(file="f")
    assert reading.read(Duration(most=timedelta(days=14)), Plain(text), ()) == timedelta(seconds=seconds)
    assert reading.read(Duration(most=timedelta(days=14)), text, ()) == timedelta(seconds=seconds)
    assert reading.findings == []


@pytest.mark.parametrize(
    "text",
    [
        "-1",
        "+1",
        "1.5",
        "1e3",
        "0x10",
        "012",
        "1_000",
        "5 m",
        "5M",
        "1w",
        "PT5M",
        "1h30m",
        "m",
        "~",
        "9" * 10,
        "\u0665",
    ],
)
def test_bad_durations(text: str) -> None:
    reading = Reading(file="f")
    assert reading.read(Duration(most=timedelta(days=14)), Plain(text), ()) is None
    (finding,) = reading.findings
    assert (finding.rule.id, finding.hint) == ("wrong-type", "write a duration such as 300, 5m, 24h or 14d")


@pytest.mark.parametrize("text", ["15d", "1209601", "999999999d"])
def test_too_long_durations(text: str) -> None:
    reading = Reading(file="f")
    assert reading.read(Duration(most=timedelta(days=14)), text, ()) is None
    (finding,) = reading.findings
    assert (finding.rule.id, finding.message) == ("bad-value", f"`{text}` is too long")
    assert finding.hint == "at most 1209600 seconds"


NAMES = ("publish.from", "signs.from", "signs.until", "publish.until")


def _window(days: tuple[int | None, ...]) -> str:
    fields: dict[str, dict[str, str]] = {}
    for name, day in zip(NAMES, days, strict=True):
        if day is not None:
            shape, end = name.split(".")
            fields.setdefault(shape, {})[end] = f"2026-01-{day:02}T00:00:00Z"
    return entry("ES256", kid="k", jwk=public_jwk(ec_key()), **fields)


def _allowed(days: tuple[int | None, ...]) -> bool:
    """By the words of the rule: open ends are no limit, and the window of publishing is not empty."""
    start, end = days[0], days[3]
    given = [day for day in days if day is not None]
    return given == sorted(given) and (start is None or end is None or start < end)


def test_every_combination_of_windows() -> None:
    """Each instant open or one of four days, in any order."""
    told = 0
    for days in itertools.product((None, 1, 2, 3, 4), repeat=4):
        found = of_entry(_window(days))
        assert rules(found) == ([] if _allowed(days) else ["window-order"]), days
        told += bool(found)
        if found:
            later, _, earlier = found[0].message.partition(" is before ")
            if earlier:
                at = dict(zip(NAMES, days, strict=True))
                first, second = at[earlier], at[later]
                assert first is not None and second is not None and second < first, days
                assert found[0].hint == f"write 2026-01-{first:02}T00:00:00Z or later"
    assert told > 300


@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_a_window_of_no_length(seconds: int) -> None:
    until = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    text = f"publish: {{from: 2026-01-01T00:00:00Z, until: {until:%Y-%m-%dT%H:%M:%SZ}}}"
    found = of_entry(f"  - alg: ES256\n    jwk: {JWK}\n    {text}\n")
    assert rules(found) == (["window-order"] if seconds < 1 else [])
    revoked = "revoked: {at: 2026-01-01T00:00:00Z, reason: lost}"
    found = of_entry(f"  - alg: ES256\n    jwk: {JWK}\n    {text}\n    {revoked}\n")
    assert rules(found) == (["window-order"] if seconds < 0 else [])


def test_windows_in_other_zones_are_compared_as_instants() -> None:
    text = "publish: {from: 2026-01-01T00:00:00Z}\n    signs: {from: 2026-01-01T00:30:00+01:00}"
    found = of_entry(f"  - alg: ES256\n    jwk: {JWK}\n    {text}\n")
    assert lines(found) == [
        "9:19: window-order: signs.from is before publish.from; write 2026-01-01T00:00:00Z or later"
    ]


def test_half_of_a_window_is_not_judged() -> None:
    """A misspelt end gives one mistake, and no second one about the order."""
    text = "publish: {from: 2027-01-01T00:00:00Z, until: soon}\n    signs: {from: 2026-01-01T00:00:00Z}"
    assert rules(of_entry(f"  - alg: ES256\n    jwk: {JWK}\n    {text}\n")) == ["instant"]


@pytest.mark.parametrize(("at", "refused"), [("2026-06-01T00:05:00Z", False), ("2026-06-01T00:05:01Z", True)])
def test_revocations_are_not_in_the_future_by_more_than_the_skew(at: str, refused: bool) -> None:
    found = of_entry(f"  - alg: ES256\n    jwk: {JWK}\n    revoked: {{at: {at}, reason: lost}}\n")
    assert rules(found) == ["revoked-in-future"] * refused
