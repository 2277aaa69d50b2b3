"""`show`."""

import click

from publisher.checking import Checked, check_folder
from publisher.cli.console import Console
from publisher.cli.options import Asked, Place, pass_console, run, source_options, store_options
from publisher.cli.published import published
from publisher.cli.sealing import Sealing, trusting
from publisher.exposure import Safe, safe_to_sign
from publisher.fleet import source_policy
from publisher.policy import Policy
from publisher.releaselog import Log
from publisher.report import tenant_json, tenant_text
from publisher.source import Folder


@click.command(short_help="Show a tenant and its keys.")
@click.argument("tenant")
@source_options
@store_options
@trusting
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@pass_console
def show(console: Console, asked: Asked, place: Place, sealing: Sealing, tenant: str, as_json: bool) -> None:
    """Show a tenant: its domains, and each key's phase, windows, algorithm and thumbprint.

    Reads the working tree, or a revision with --rev. With --store it says of each key since when it is published, and
    from when it is safe to sign with: when all who honour the caches have it, and each verifier that `consumers` names.
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
        safe = {} if place.url is None else _safe(Log(place.open(), sealing), checked, policy)
        if as_json:
            console.data(tenant_json(checked, asked.now, safe))
        else:
            for line in tenant_text(checked, asked.now, safe):
                console.say(line)


def _safe(log: Log, checked: Checked, policy: Policy) -> dict[str, Safe | None]:
    """By thumbprint, from when a key is safe to sign with; None for one that is not published."""
    keyset, holds = checked.keyset, checked.conditions
    if keyset is None or holds is None:
        return {}
    known = run(published(log, keyset.tenant)).known
    found: dict[str, Safe | None] = {}
    for key in keyset.keys:
        name = key.jwk.thumbprint
        since = known.seen.get(name)
        if key.revoked is None:
            founding = name in known.founding
            copies = known.copies.get(name)
            found[name] = (
                None if since is None else safe_to_sign(since, holds, policy.cache, founding=founding, copies=copies)
            )
    return found
