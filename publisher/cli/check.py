"""`check`."""

from datetime import datetime
from pathlib import Path

import click

from publisher.cli.console import Console
from publisher.cli.load import load
from publisher.cli.options import clock, format_option, pass_console, revision, source_options, working_tree
from publisher.report import counted, diagnostics_json


@click.command()
@source_options
@format_option
@pass_console
def check(
    console: Console, repo: Path, keysets: str, rev: str | None, now: datetime | None, jobs: int, form: str
) -> None:
    """Check every key set: the working tree, or a revision with --rev.

    Prints every mistake as path:line:col: rule: what is wrong; what to write instead. See `explain RULE`.
    """
    source = working_tree(repo, keysets) if rev is None else revision(console, repo, keysets, rev)
    loaded = load(console, source, clock(now), jobs, lambda _: None)
    if form == "json":
        counts = {"tenants": loaded.tenants, "domains": loaded.domains, "keys": loaded.keys}
        console.data({"source": source.label, **counts, "diagnostics": diagnostics_json(loaded.diagnostics)})
    else:
        for one in loaded.diagnostics:
            console.finding(str(one))
        if loaded.diagnostics:
            console.note(f"{counted(len(loaded.diagnostics), 'mistake')} in {source.label}")
        else:
            console.say(f"{loaded.counts}: no mistakes in {source.label}")
    if loaded.diagnostics:
        raise click.exceptions.Exit(1)
