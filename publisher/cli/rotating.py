"""`generated rotate`."""

import heapq
from datetime import datetime, timedelta
from functools import partial

import click

from publisher import rotate as rotation
from publisher.algorithm import FITS, permission
from publisher.cli import editing, succeeding
from publisher.cli.console import Console
from publisher.cli.options import Asked, InstantType, option, pass_console, source_options
from publisher.cli.succeeding import Line, VaultAt, vault_options
from publisher.diagnostic import clean
from publisher.generatedfile import written
from publisher.incoming import RefusedError
from publisher.keyset import Key
from publisher.report import counted
from publisher.rules.windows import instant
from publisher.signing import later
from publisher.source import Folder
from publisher.vault import Vault, VaultError

_HOPELESS = 3
"""Tenants in a row for which the vault fails, after which it fails for all of them."""


@click.command("rotate", short_help="Announce a new key, and end the present one when it takes over.")
@click.argument("tenant", required=False)
@option("--all-due", is_flag=True, help="Every tenant whose rotation period has come, the longest due first.")
@option("--most", type=click.IntRange(1), help="With --all-due: at most so many tenants.")
@option(
    "--alg",
    type=click.Choice(list(FITS)),
    metavar="ALG",
    help="The new key's algorithm.  [default: the tenant's, its plan's or the policy's `rotation.alg`]",
)
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
    from --at on must have been announced for the lead by then. With --all-due, a tenant that cannot be rotated is left
    as it is, the others go on, and the exit code is 1; 3 where the vault failed.
    """
    _refuse_misfits(asked, tenant, all_due, most, alg, at)
    lines, unread = _due(console, asked, most) if tenant is None else ([succeeding.find(console, asked, tenant)], False)
    paths, opened, code, faults = [], _Opened(vault), int(unread), 0
    for line in lines:
        try:
            changed = _rotate(console, asked, line, opened, alg, at, dry_run=dry_run)
        except (RefusedError, VaultError) as error:
            console.error(f"{clean(line.keyset.tenant)}: {error}; nothing was done")
            faults = faults + 1 if isinstance(error, VaultError) else 0
            code = max(code, 3 if faults else 1)
            if faults == _HOPELESS:
                break
            continue
        faults = 0
        if changed:
            paths.append(line.path)
    if all_due and not lines:
        console.say("no rotation is due")
    if paths and not dry_run:
        what = f"Rotate keys of {tenant}" if tenant is not None else f"Rotate keys of {counted(len(paths), 'tenant')}"
        editing.go_on(console, asked, paths if len(paths) <= 20 else [asked.keysets], what)
    if code:
        raise click.exceptions.Exit(code)


def _refuse_misfits(
    asked: Asked, tenant: str | None, all_due: bool, most: int | None, alg: str | None, at: datetime | None
) -> None:
    """A usage error where options do not go together."""
    if (tenant is None) is not all_due:
        raise click.UsageError("name a tenant, or give --all-due")
    if all_due and (at is not None or alg is not None):
        raise click.UsageError("--at and --alg are for one tenant")
    if most is not None and not all_due:
        raise click.UsageError("--most is for --all-due")
    if at is not None and at < asked.now:
        raise click.UsageError("--at is in the past")


def _refuse_unfit(line: Line, alg: str, at: datetime | None, now: datetime) -> None:
    """RefusedError, before a key is made, for what the policy does not allow.

    An instant that is too late would leave the tenant without rotation for longer than any may be.
    """
    if not any(permission(alg, fits) in line.policy.algorithms for fits in FITS[alg]):
        raise RefusedError(f"the policy does not allow {alg} (`algorithms`)")
    latest = later(now, max(line.holds.lead, line.policy.rotate_at_most))
    if at is not None and at > latest:
        raise RefusedError(f"--at is later than {instant(latest)}, until when the policy has keys rotate (at_most)")


def _rotate(
    console: Console, asked: Asked, line: Line, vault: "_Opened", alg: str | None, at: datetime | None, *, dry_run: bool
) -> bool:
    """Whether something was changed. RefusedError, VaultError."""
    name, now = clean(line.keyset.tenant), asked.now
    if line.content.upstream is not None:
        console.note(f"{name} follows an upstream, which rotates; see `generated sync`")
        return False
    alg = alg or line.holds.alg
    _refuse_unfit(line, alg, at, now)
    gone = rotation.over(line.keyset, line.holds, now)
    roles = rotation.succession(line.keyset, now, line.holds.lead)
    if dry_run:
        if not roles.is_under_way:
            console.say(f"{name}: would announce a new {alg} key")
        _tell(console, name, roles, gone, line.holds.lead)
        return False

    made = partial(_made, line, vault, alg)
    rotated = rotation.rotate(line.content, line.keyset, line.holds, now, made, at)
    if rotated is None:
        _tell(console, name, roles, (), line.holds.lead)
        if not gone:
            return False
    content = rotation.without(line.content if rotated is None else rotated.content, gone)
    data = written(content, line.data or b"")
    if found := succeeding.mistakes(line, data, asked):
        for one in found:
            console.finding(str(one))
        raise RefusedError(f"{counted(len(found), 'mistake')} in what {clean(line.path)} would become")
    succeeding.retire(line, vault, (key.vault for key in gone))
    editing.write(editing.top(asked) / line.path, line.data, data)
    if rotated is not None:
        ends = "" if rotated.ended is None else f", when {clean(rotated.ended)} ends"
        console.say(f"{name}: {clean(rotated.successor)} signs from {instant(rotated.at)} on{ends}")
        if rotated.made != rotated.successor:
            console.say(f"{name}: {clean(rotated.made)} is announced, to stand by")
    for key in gone:
        console.say(f"{name}: {clean(key.kid)} is over, and its entry went")
    return True


def _made(line: Line, vault: "_Opened", alg: str) -> rotation.New:
    """A new key; the vault is opened for it. VaultError."""
    return succeeding.maker(line, vault(), alg, line.thumbprints)()


def _tell(console: Console, name: str, roles: rotation.Succession, gone: tuple[Key, ...], lead: timedelta) -> None:
    if roles.next is not None:
        start = instant(roles.next.window.signs_from)
        console.say(f"{name}: a rotation is under way, {clean(roles.next.kid)} signs from {start} on")
    elif roles.first and roles.current is not None:
        start = instant(later(roles.current.window.publish_from, lead))
        console.say(
            f"{name}: nothing to do before {start}, {clean(roles.current.kid)} is its only key and was just made"
        )
    for key in gone:
        console.say(f"{name}: {clean(key.kid)} is over, and its entry would go")


def _due(console: Console, asked: Asked, most: int | None) -> tuple[list[Line], bool]:
    """The tenants whose rotation is due, the longest due first; and whether there are some that cannot be read."""
    if asked.rev is not None:
        raise click.UsageError("edits are made in the working tree: leave --rev out")
    policy, failed = succeeding.policy_of(console, asked), False
    found: list[tuple[datetime, str]] = []
    for folder in asked.working_tree().folders():
        if not isinstance(folder, Folder):
            continue
        line = succeeding.readable(console, folder, policy)
        if line is None:
            failed = True
        elif line.content.upstream is None and line.content.entries:
            due = rotation.due_at(rotation.succession(line.keyset, asked.now, line.holds.lead), line.holds)
            if due is not None and due <= asked.now:
                found.append((due, line.folder.path))
    chosen = [path for _, path in (sorted(found) if most is None else heapq.nsmallest(most, found))]
    if len(chosen) < len(found):
        console.note(f"{counted(len(found) - len(chosen), 'rotation')} more that are due are left for later")
    # Read again, so that thousands of tenants are not held meanwhile.
    again = (one for one in asked.working_tree().folders(set(chosen).__contains__) if isinstance(one, Folder))
    lines = {one.path: succeeding.readable(console, one, policy) for one in again}
    return [line for path in chosen if (line := lines.get(path)) is not None], failed


class _Opened:
    """The vault, opened when it is first needed."""

    def __init__(self, place: VaultAt) -> None:
        self._place = place
        self._vault: Vault | None = None

    def __call__(self) -> Vault:
        if self._vault is None:
            self._vault = self._place.open()
        return self._vault
