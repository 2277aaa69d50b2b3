"""Findings as a SARIF 2.1.0 log (OASIS, with errata 01), which GitHub code scanning and editors read.

GitHub keeps 5,000 results of a run, so that no more are written, mistakes first; a notification says how many are not
there. It matches results of two runs by `primaryLocationLineHash` alone (https://docs.github.com/code-security, "SARIF
support for code scanning"), which holds the fingerprint too: else GitHub's upload action fills in a hash of the text
around, and an alert that was dismissed comes back when its neighbour is edited. The action warns that the two differ.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Any
from urllib.parse import quote

from publisher import __version__
from publisher.diagnostic import Diagnostic, Rule, worst_first
from publisher.fingerprint import fingerprints
from publisher.inert import inert
from publisher.rules import CATALOGUE, WARNINGS

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LIMIT = 5000
"""As many results of a run GitHub keeps."""
_BRACES = str.maketrans({"{": "{{", "}": "}}"})


def sarif(mistakes: Sequence[Diagnostic], warnings: Sequence[Diagnostic]) -> dict[str, Any]:
    """The log as a JSON value: one run with the rules that were broken, and a result for each finding."""
    found = [*((one, "error") for one in worst_first(mistakes)), *((one, "warning") for one in warnings)]
    kept = found[:LIMIT]
    levels = {one.rule: level for one, level in kept}
    names = sorted(levels)
    names_at = {name: at for at, name in enumerate(names)}
    names_given = islice(fingerprints(one for one, _ in found), LIMIT)
    driver = {"name": "jwks-publisher", "version": __version__, "rules": [_rule(name, levels[name]) for name in names]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(len(found) - len(kept))],
        "results": [
            {
                "ruleId": inert(one.rule),
                "ruleIndex": names_at[one.rule],
                "level": level,
                "message": _message(inert(f"{one.message}; {one.hint}")),
                "locations": [_location(one)],
                "partialFingerprints": {
                    "tenantSubjectRule/v1": name,
                    "primaryLocationLineHash": f"{name}:1",
                },
            }
            for (one, level), name in zip(kept, names_given, strict=True)
        ],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(name: str, level: str) -> dict[str, Any]:
    rule = CATALOGUE.get(name) or WARNINGS.get(name) or Rule(id=name, doc=inert(name))
    first, stop, _ = rule.doc.removeprefix("A warning: ").partition(". ")
    return {
        "id": inert(name),
        "shortDescription": _message(first + stop.rstrip()),
        "fullDescription": _message(rule.doc),
        "help": _message(f"{rule.doc} The command `jwks-publisher explain {inert(name)}` says the same."),
        "defaultConfiguration": {"level": level},
    }


def _message(text: str) -> dict[str, str]:
    """Plain text. Braces would be placeholders (section 3.11.5)."""
    return {"text": text.translate(_BRACES)}


def _location(one: Diagnostic) -> dict[str, Any]:
    """The place in a file, by a relative URI (RFC 3986): all that is not unreserved in a path is percent-encoded."""
    uri = quote(one.path.encode("utf-8", "surrogateescape"), safe="/")
    if uri.startswith("/"):  # `//name/` would be another host
        uri = f"%2F{uri[1:]}"
    region = {"startLine": one.line, "startColumn": one.column}
    return {"physicalLocation": {"artifactLocation": {"uri": uri, "uriBaseId": "%SRCROOT%"}, "region": region}}


def _invocation(left_out: int) -> dict[str, Any]:
    if left_out == 0:
        return {"executionSuccessful": True}
    text = f"{left_out} more results were left out: a log holds {LIMIT}"
    notification = {"level": "warning", "message": _message(text), "descriptor": {"id": "results-left-out"}}
    return {"executionSuccessful": True, "toolExecutionNotifications": [notification]}
