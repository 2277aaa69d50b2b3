"""Workflow commands for GitHub: what the runner makes of each line, and what is shown of many findings."""

from dataclasses import replace

import pytest

from publisher.annotations import SHOWN, annotations
from publisher.diagnostic import Diagnostic

from .findings import FINDING, HOSTILE, WARNING, hostile, many
from .viewers import Command, lively, obeyed


def _commands(mistakes: list[Diagnostic], warnings: list[Diagnostic]) -> list[Command]:
    return [command for line in annotations(mistakes, warnings) if (command := obeyed(line))]


def test_a_mistake_and_a_warning() -> None:
    message = "the kid `own` is already that of custom_keys[0] (`own`) in keyset.yaml; give each key a kid of its own"
    warning = "the lead of 5h is short; 48h is the default"
    assert list(annotations([FINDING], [WARNING])) == [
        f"::error file=keysets/acme/keyset.yaml,line=7,col=12,title=kid-twice::{message}",
        f"::warning file=keysets/policy.yaml,line=3,col=1,title=lead-under-a-day::{warning}",
        "::group::All findings: mistakes 1, warnings 1",
        f"- keysets/acme/keyset.yaml:7:12: kid-twice: {message}",
        f"- warning: keysets/policy.yaml:3:1: lead-under-a-day: {warning}",
        "::endgroup::",
    ]


def test_nothing_found_prints_nothing() -> None:
    assert list(annotations([], [])) == []


def test_commas_colons_and_percents_come_back_as_they_were() -> None:
    one = replace(FINDING, path="keysets/50%, a:b/keyset.yaml", message="100% of 1,2: all", hint="as 50%25")
    command = _commands([one], [])[0]
    assert command.properties["file"] == "keysets/50%, a:b/keyset.yaml"
    assert command.data == "100% of 1,2: all; as 50%25"


@pytest.mark.parametrize("text", HOSTILE)
def test_a_stranger_forges_no_command(text: str) -> None:
    for one in hostile(text):
        lines = list(annotations([one], [replace(one, rule=WARNING.rule)]))
        assert all(line.isprintable() for line in lines)
        told = [obeyed(line) for line in lines]
        names = [command and command.name for command in told]
        assert names == ["error", "warning", "group", None, None, "endgroup"]
        for command in filter(None, told[:2]):
            assert set(command.properties) <= {"file", "line", "col", "title"}
            assert (command.properties["line"], command.properties["col"]) == ("7", "12")
            assert not any(map(lively, [command.data, *command.properties.values()]))
            assert obeyed(command.data) is None
        assert not any(map(lively, lines[3:5]))


@pytest.mark.parametrize("count", [0, 1, SHOWN, SHOWN + 1, 25])
def test_no_more_than_is_shown_and_the_last_one_says_how_many_more(count: int) -> None:
    commands = _commands(many(count), many(count, WARNING))
    for level, noun in (("error", "mistakes"), ("warning", "warnings")):
        told = [command for command in commands if command.name == level]
        assert len(told) == min(count, SHOWN)
        if count > SHOWN:
            assert told[-1].data == f"and {count - 9} more {noun}: all {count} are in the log of this step"
            assert "file" not in told[-1].properties
    assert [command.name for command in commands if command.name in ("error", "warning")] == (
        ["error"] * min(count, SHOWN) + ["warning"] * min(count, SHOWN)
    )


def test_the_log_holds_every_finding() -> None:
    plain = [line for line in annotations(many(300), many(40, WARNING)) if obeyed(line) is None]
    assert len(plain) == len(set(plain)) == 340


def test_an_exposed_secret_is_among_those_that_are_shown() -> None:
    secret = replace(FINDING, path="keysets/zoo/keyset.yaml", rule="private-key")
    first = _commands([*many(30), secret], [])[0]
    assert first.properties["title"] == "private-key"
