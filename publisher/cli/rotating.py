"""`generated rotate`."""

import heapq
from collections.abc import Iterator
from datetime import datetime

import click

from publisher import rotate as rotation
from publisher.cli import editing, succeeding
from publisher.cli.console import Console
from publisher.cli.options import Asked, InstantType, option, pass_console, source_options
from publisher.cli.succeeding import Line, VaultAt, vault_options
from publisher.diagnostic import clean
from publisher.generatedfile import written
from publisher.report import counted
from publisher.rules.windows import instant
from publisher.source import Folder
from publisher.vault import Vault


@click.command("rotate", short_help="Announce a new key, and end the present one when it takes over.")
@click.argument("tenant", required=False)
@option("--all-due", is_flag=True, help="Every tenant whose rotation period has come, the longest due first.")
@option("--most", type=click.IntRange(1), help="With --all-due: at most so many tenants.")
@option("--alg", help="The new key's algorithm.  [default: the tenant's, its plan's or the policy's `rotation.alg`]")
@option("--at", type=InstantType(), help="When the new key takes over.  [default: now and the lead]")
@option("--dry-run", is_flag=True, help="Say what would be rotated; make no key, write nothing.")
@source_options
@vault_options
@pass_console
def rotate(
    console: Console,
    asked: Asked,
    vault: VaultAt,
    tenant: str | None,
    all_due: bool,
    most: int | None,
    alg: str | None,
    at: datetime | None,
    dry_run: bool,
) -> None:
    """Announce a new key that signs from now + lead on; the present one ends then, and goes when its tokens have.

    Entries that are over go, too; revoked ones stay, as the ledger. Run twice, it is one rotation. A key that signs
    from --at on must have been announced for the lead by then.
    """
    if (tenant is None) is not all_due:
        raise click.UsageError("name a tenant, or give --all-due")
    if all_due and (at is not None or alg is not None):
        raise click.UsageError("--at and --alg are for one tenant")
    if at is not None and at < asked.now:
        raise click.UsageError("--at is in the past")
    lines = [succeeding.find(console, asked, tenant)] if tenant is not None else list(_due(console, asked, most))
    paths = []
    for line in lines:
        with editing.refusals(console):
            changed = _rotate(console, asked, line, vault, alg, at, dry_run=dry_run)
        if changed:
            paths.append(line.path)
    if all_due and not lines:
        console.say("no rotation is due")
    if paths and not dry_run:
        what = f"Rotate keys of {tenant}" if tenant is not None else f"Rotate keys of {counted(len(paths), 'tenant')}"
        editing.go_on(console, asked, paths if len(paths) <= 20 else [asked.keysets], what)


def _rotate(
    console: Console,
    asked: Asked,
    line: Line,
    vault: VaultAt,
    alg: str | None,
    at: datetime | None,
    *,
    dry_run: bool,
) -> bool:
    """Whether something was to be changed."""
    name, now, opened = clean(line.keyset.tenant), asked.now, _Opened(vault)
    if line.content.upstream is not None:
        console.note(f"{name} follows an upstream, which rotates; see `generated sync`")
        return False
    gone = rotation.over(line.keyset, line.holds, now)
    roles = rotation.succession(line.keyset, now)
    if dry_run:
        if roles.next is None:
            console.say(f"{name}: would announce a new {alg or line.holds.alg} key")
        return _told(console, name, roles, dropped=len(gone), dry_run=True)

    def make() -> rotation.New:
        return succeeding.maker(line, opened(), alg or line.holds.alg, line.thumbprints)()

    rotated = rotation.rotate(line.content, line.keyset, line.holds, now, make, at)
    if rotated is None and not gone:
        return _told(console, name, roles, dropped=0, dry_run=False)
    content = rotation.without(line.content if rotated is None else rotated.content, gone)
    data = written(content, line.data or b"")
    if found := succeeding.mistakes(line, data, asked):
        editing.end_with(console, found, f"{counted(len(found), 'mistake')} in what {line.path} would become")
    succeeding.retire(line, opened, (key.vault for key in gone))
    editing.write(editing.top(asked) / line.path, line.data, data)
    if rotated is not None:
        ends = "" if rotated.ended is None else f", when {clean(rotated.ended)} ends"
        console.say(f"{name}: {clean(rotated.successor)} signs from {instant(rotated.at)} on{ends}")
    for key in gone:
        console.say(f"{name}: {clean(key.kid)} is over, and its entry went")
    return True


def _told(console: Console, name: str, roles: rotation.Succession, *, dropped: int, dry_run: bool) -> bool:
    if roles.next is not None:
        start = instant(roles.next.window.signs_from)
        console.say(f"{name}: a rotation is under way, {clean(roles.next.kid)} signs from {start} on")
    if dropped:
        console.say(f"{name}: {counted(dropped, 'entry', 'entries')} that are over would go")
    return dry_run and (roles.next is None or dropped > 0)


def _due(console: Console, asked: Asked, most: int | None) -> Iterator[Line]:
    """The tenants whose rotation is due, the longest due first."""
    if asked.rev is not None:
        raise click.UsageError("edits are made in the working tree: leave --rev out")
    policy = succeeding.policy_of(console, asked)
    found: list[tuple[datetime, str]] = []
    for folder in asked.working_tree().folders():
        line = succeeding.readable(folder, policy) if isinstance(folder, Folder) else None
        if line is None or line.content.upstream is not None or not line.content.entries:
            continue
        due = rotation.due_at(rotation.succession(line.keyset, asked.now), line.holds)
        if due is not None and due <= asked.now:
            found.append((due, line.folder.path))
    chosen = [path for _, path in (sorted(found) if most is None else heapq.nsmallest(most, found))]
    if len(chosen) < len(found):
        console.note(f"{counted(len(found) - len(chosen), 'rotation')} more that are due are left for later")
    by_path = {
        folder.path: folder
        for folder in asked.working_tree().folders(set(chosen).__contains__)
        if isinstance(folder, Folder)
    }
    for path in chosen:
        line = succeeding.readable(by_path[path], policy) if path in by_path else None
        if line is not None:
            yield line


class _Opened:
    """The vault, opened when it is first needed."""

    def __init__(self, place: VaultAt) -> None:
        self._place = place
        self._vault: Vault | None = None

    def __call__(self) -> Vault:
        if self._vault is None:
            self._vault = self._place.open()
        return self._vault
