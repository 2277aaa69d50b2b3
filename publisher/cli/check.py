"""`check`."""

from pathlib import Path
from typing import Any

import click

from publisher.against import Against
from publisher.annotations import annotations
from publisher.checking import Times
from publisher.cli.changed import Checked, cache_option, check_changed
from publisher.cli.console import Console
from publisher.cli.load import Loaded, load
from publisher.cli.options import Asked, option, pass_console, source_options
from publisher.codequality import code_quality
from publisher.report import counted, diagnostics_json
from publisher.sarif import sarif


@click.command(short_help="Check every key set.")
@option(
    "--base",
    metavar="REV",
    help="The revision that the change starts from.  [default: HEAD for the working tree, none with --rev]",
)
@option("--changed", is_flag=True, help="Check the tenants that differ from the base, and no others.")
@cache_option
@source_options
@option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github", "gitlab", "sarif"]),
    default="text",
    show_default=True,
    help="Format of the result; github: workflow annotations, gitlab: Code Quality, sarif: SARIF 2.1.0.",
)
@pass_console
def check(console: Console, asked: Asked, base: str | None, changed: bool, cache: Path | None, form: str) -> None:
    """Check every key set: the working tree, or a revision with --rev.

    Prints every mistake as path:line:col: rule: what is wrong; what to write instead. See `explain RULE`. All of every
    timeline is checked, and what the change does to the keys of its base. Warnings do not fail. With --changed the time
    is that of the change: what others own comes from an index of the base, which is made once.
    """
    found = _changed(console, asked, base, cache) if changed else None
    against: Against | None
    if found is not None:
        loaded, against, label, noun = found.loaded, found.against, found.change.after.label, "changed tenant"
    else:
        source = asked.tree_or_revision(console)
        against = asked.against(source, base)
        label, noun = source.label, "tenant"
        loaded = load(console, source, Times(served=asked.now, checked=asked.now), asked.jobs, lambda _: None, against)
    if form in ("json", "gitlab", "sarif"):
        console.data(_value(form, loaded, label))
    else:
        _tell(console, form, loaded, label, noun)
    if against is not None:
        _tell_limits(console, against)
    if loaded.diagnostics:
        raise click.exceptions.Exit(1)


def _changed(console: Console, asked: Asked, base: str | None, cache: Path | None) -> Checked | None:
    """The changed tenants alone; None, and said so, where all have to be checked."""
    if asked.rev is not None and base is None:
        raise click.UsageError("--changed with --rev needs --base: say what it is compared with")
    start = asked.start(base)
    if start is None:
        console.note("there is no commit to compare with, so that every tenant is checked")
        return None
    found = check_changed(console, asked, start, cache)
    if found is None:
        console.note("policy.yaml differs, so that every tenant is checked")
    return found


def _value(form: str, loaded: Loaded, label: str) -> Any:
    """The result as a JSON value."""
    if form == "gitlab":
        return code_quality(loaded.diagnostics, loaded.warnings)
    if form == "sarif":
        return sarif(loaded.diagnostics, loaded.warnings)
    counts = {"tenants": loaded.tenants, "domains": loaded.domains, "keys": loaded.keys}
    told = {"diagnostics": diagnostics_json(loaded.diagnostics), "warnings": diagnostics_json(loaded.warnings)}
    return {"source": label, **counts, **told}


def _tell(console: Console, form: str, loaded: Loaded, label: str, noun: str) -> None:
    """The result as lines."""
    if form == "github":
        for line in annotations(loaded.diagnostics, loaded.warnings):
            console.finding(line)
    else:
        for one in loaded.diagnostics:
            console.finding(str(one))
        for one in loaded.warnings:
            console.note(f"warning: {one}")
    if loaded.diagnostics:
        console.note(f"{counted(len(loaded.diagnostics), 'mistake')} in {label}")
    else:
        console.say(f"{loaded.counted(noun)}: no mistakes in {label}")


def _tell_limits(console: Console, against: Against) -> None:
    """What makes a comparison say too much or too little."""
    if against.parted:
        console.note(
            f"{against.label} is no ancestor of what is checked, so that what it has since looks taken back: rebase, "
            'or compare with --base "$(git merge-base REV HEAD)"'
        )
    if against.shallow:
        console.note(
            "this clone is shallow: whether new keys were revoked before its first commit is not known; fetch the "
            "whole history (`git fetch --unshallow`, fetch-depth: 0)"
        )
