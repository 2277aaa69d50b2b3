"""`show`."""

import click

from publisher.cli.console import Console
from publisher.cli.options import Asked, pass_console, source_options
from publisher.fleet import check_folder, source_policy
from publisher.report import tenant_json, tenant_text
from publisher.source import Folder


@click.command(short_help="Show a tenant and its keys.")
@click.argument("tenant")
@source_options
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@pass_console
def show(console: Console, asked: Asked, tenant: str, as_json: bool) -> None:
    """Show a tenant: its domains, and each key's phase, windows, algorithm and thumbprint.

    Reads the working tree, or a revision with --rev.
    """
    source = asked.tree_or_revision(console)
    policy, problems = source_policy(source)
    found = [one for one in source.folders(lambda path: path.rsplit("/", 1)[-1] == tenant) if isinstance(one, Folder)]
    if not found:
        raise click.UsageError(f"there is no tenant {tenant!r} in {source.label}")
    for folder in found:
        checked = check_folder(folder, policy, asked.times.checked)
        for mistake in sorted({*problems, *checked.diagnostics}):
            console.finding(str(mistake))
        if checked.compiled is None or problems:
            raise click.exceptions.Exit(1)
        if as_json:
            console.data(tenant_json(checked, asked.now))
        else:
            for line in tenant_text(checked, asked.now):
                console.say(line)
