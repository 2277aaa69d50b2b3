"""Findings as a GitLab Code Quality report, which a merge request shows beside its changes.

The fields are those that GitLab reads (https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format).
It compares the reports of two branches by fingerprint, and of equal ones shows one.
"""

from collections.abc import Sequence
from typing import Any

from publisher.diagnostic import Diagnostic
from publisher.fingerprint import fingerprints
from publisher.inert import inert

_MISTAKE = "critical"
_WARNING = "minor"


def code_quality(mistakes: Sequence[Diagnostic], warnings: Sequence[Diagnostic]) -> list[dict[str, Any]]:
    """The report as a JSON value: mistakes, then warnings. Empty where nothing was found, as GitLab wants it."""
    severities = [_MISTAKE] * len(mistakes) + [_WARNING] * len(warnings)
    found = [*mistakes, *warnings]
    return [
        {
            "description": inert(f"{one.message}; {one.hint}"),
            "check_name": inert(one.rule),
            "fingerprint": fingerprint,
            "severity": severity,
            "location": {"path": inert(one.path), "lines": {"begin": one.line}},
        }
        for one, severity, fingerprint in zip(found, severities, fingerprints(found), strict=True)
    ]
