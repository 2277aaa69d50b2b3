"""GitLab's Code Quality report: its fields, its fingerprints, what a stranger can write into it."""

import re

import orjson
import pytest

from publisher.codequality import code_quality

from .findings import FINDING, HOSTILE, WARNING, hostile, many
from .viewers import lively, obeyed


def test_a_mistake_and_a_warning() -> None:
    assert code_quality([FINDING], [WARNING]) == [
        {
            "description": "the kid `own` is already that of custom_keys[0] (`own`) in keyset.yaml; "
            "give each key a kid of its own",
            "check_name": "kid-twice",
            "fingerprint": "6eaf70a61458e9293101c864b99337f5",
            "severity": "critical",
            "location": {"path": "keysets/acme/keyset.yaml", "lines": {"begin": 7}},
        },
        {
            "description": "the lead of 5h is short; 48h is the default",
            "check_name": "lead-under-a-day",
            "fingerprint": "bf74edd291c5799d1b1eb356cfa68bb0",
            "severity": "minor",
            "location": {"path": "keysets/policy.yaml", "lines": {"begin": 3}},
        },
    ]


def test_nothing_found_is_an_empty_report() -> None:
    assert code_quality([], []) == []


def test_every_finding_is_there_with_a_fingerprint_of_its_own() -> None:
    report = code_quality([*many(7000), *[FINDING] * 3], many(10, WARNING))
    assert len(report) == len({one["fingerprint"] for one in report}) == 7013


@pytest.mark.parametrize("text", HOSTILE)
def test_a_stranger_forges_nothing(text: str) -> None:
    written = orjson.dumps(code_quality(hostile(text), []), option=orjson.OPT_INDENT_2)
    assert [line for line in written.decode().splitlines() if obeyed(line)] == []
    for entry in orjson.loads(written):
        assert set(entry) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert entry["location"]["lines"] == {"begin": 7}
        assert re.fullmatch("[0-9a-f]{32}", entry["fingerprint"])
        assert not any(map(lively, (entry["description"], entry["check_name"], entry["location"]["path"])))
