"""`revoke`: a key that is compromised, in the files and, with --now, in the store."""

import contextlib
from collections.abc import Callable
from dataclasses import replace as changed
from datetime import datetime, timedelta

import click

from publisher import customkeys
from publisher import rotate as rotation
from publisher.cdn import CdnError
from publisher.checking import check_folder
from publisher.cli import editing, succeeding
from publisher.cli.cdn import Behind, late_cdn_options
from publisher.cli.console import Console
from publisher.cli.engine import Engine, engine
from publisher.cli.options import (
    Asked,
    InstantType,
    Place,
    option,
    pass_console,
    repository_options,
    run,
    store_options,
)
from publisher.cli.revoking import KIDS, consequences, reason_option, successors
from publisher.cli.sealing import Sealing, signing
from publisher.diagnostic import clean
from publisher.emergency import Strike, UnknownKeyError, known_keys, strike_plan
from publisher.fleet import source_policy
from publisher.generatedfile import written
from publisher.incoming import RefusedError
from publisher.keyset import Key, read_keyset
from publisher.release import Terms
from publisher.releaselog import Log
from publisher.seal import SealError
from publisher.shard import Damaged
from publisher.source import GENERATED, KEYSET, File, Folder, SourceError
from publisher.store import StoreError
from publisher.terms import standing


@click.command(
    context_settings=KIDS, short_help="Revoke a compromised key: in the files and, with --now, in the store at once."
)
@click.argument("tenant")
@click.argument("kid")
@reason_option
@option("--at", type=InstantType(), help="When it was compromised.  [default: now]")
@click.option("--now", "at_once", is_flag=True, help="Take it out of what --store serves, now, whatever else is wrong.")
@option("--dry-run", is_flag=True, help="A drill: show all of it, change nothing.")
@repository_options
@store_options
@late_cdn_options
@signing
@pass_console
def revoke(
    console: Console,
    asked: Asked,
    place: Place,
    behind: Callable[[], Behind],
    sealing: Sealing,
    tenant: str,
    kid: str,
    reason: str,
    at: datetime | None,
    at_once: bool,
    dry_run: bool,
) -> None:
    """Revoke a compromised key of a tenant, custom or generated.

    With --now it is first taken out of every document that --store serves: past holds, quarantines, mistakes, hazards
    and a wrong clock, of this tenant alone; then purged (--cdn) and looked at (--via, --wait). The files get the
    revocation in any case, for you to commit: until then no publish brings the key back, as the store knows. Practise
    it with --dry-run.
    """
    if asked.rev is not None:
        raise click.UsageError("edits are made in the working tree: leave --rev out")
    if at_once is (place.url is None):
        raise click.UsageError("--now takes --store URL, and --store is for --now")
    if at is not None and at > asked.now:
        raise click.UsageError("--at is in the future: it is when the key was compromised")
    strike = Strike(tenant=tenant, kid=kid, reason=reason, now=asked.now)
    codes, log = [0], None
    if at_once:
        run_of = engine(console, asked, place, sealing)
        log = run_of.log
        codes.append(_attempt(console, lambda: _struck(run_of, behind, strike, dry_run=dry_run)))
    codes.append(_attempt(console, lambda: _edited(console, asked, strike, at or asked.now, dry_run=dry_run)))
    codes.append(_attempt(console, lambda: _exposed(console, asked, tenant, log)))
    if max(codes):
        raise click.exceptions.Exit(max(codes))


def _attempt(console: Console, job: Callable[[], None]) -> int:
    """Its exit code: one half of a revocation is done also where the other fails."""
    try:
        job()
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except (RefusedError, UnknownKeyError, SourceError, click.UsageError) as error:
        console.error(str(error))
        return 1
    except (StoreError, Damaged, CdnError, SealError) as error:
        console.error(str(error))
        return 3
    except OSError as error:
        console.error(": ".join(filter(None, (error.strerror or type(error).__name__, error.filename))))
        return 3
    return 0


def _exposed(console: Console, asked: Asked, tenant: str, log: Log | None) -> None:
    """Say for how long the key may yet be accepted, by the verifiers of the tenant as far as its file can be read."""
    source = asked.working_tree()
    policy, problems = source_policy(source)
    if problems:
        return
    consumers = policy.consumers
    for folder in source.folders(lambda path: path.rsplit("/", 1)[-1] == tenant):
        keyset = read_keyset(folder).keyset if isinstance(folder, Folder) else None
        if keyset is not None:
            consumers = policy.consumers_of(keyset.plan, keyset.consumers)
    terms: tuple[Terms, ...] = ()
    with contextlib.suppress(StoreError, Damaged, SealError):  # told already
        terms = () if log is None else standing(run(log.tip()), asked.now)
    usable = max((one.lifetime for one in terms), default=timedelta(0))
    for told in consequences(policy, consumers, [], usable):
        console.say(told)


def _struck(run_of: Engine, behind: Callable[[], Behind], strike: Strike, *, dry_run: bool) -> None:
    try:
        cdns = behind()
    except (CdnError, StoreError, click.UsageError) as error:  # first of all the key goes
        run_of.console.error(f"{error}; nothing is purged")
        cdns = Behind(cdns=(), when="revoked", via=None, seconds=0)
        if not dry_run:
            run_of.strike(strike, cdns)
            raise click.exceptions.Exit(3) from None
    if not dry_run:
        run_of.strike(strike, cdns)
        return

    async def planned() -> None:
        tip = await run_of.log.tip()
        await known_keys(run_of.log, tip, strike)
        run_of.show(await strike_plan(run_of.log, tip, strike))
        run_of.log.sealed(b"")  # a signing key that is missing is found out in the drill

    run(planned())


def _edited(console: Console, asked: Asked, strike: Strike, at: datetime, *, dry_run: bool) -> None:
    """Mark the key in its file, also where the rest of the files is wrong."""
    target = editing.find(console, asked.working_tree(), strike.tenant)
    keys = [key for key in target.keyset.keys if key.kid == strike.kid]
    if not keys:
        for one in target.diagnostics:
            console.finding(str(one))
        raise RefusedError(f"the files have no key {strike.kid!r} of {strike.tenant}: add its entry, with `revoked`")
    lone = False
    for key in keys:
        if key.revoked is not None:
            console.say(f"{clean(key.kid)} is revoked in {clean(key.file)} already")
            continue
        name, before, after, left_none = _file(console, target, key, strike, at)
        lone = lone or left_none
        path = f"{target.folder.path}/{name}"
        editing.show(console, target, path, before, after)
        folder = changed(target.folder, files={**target.folder.files, name: File(kind="file", data=after)})
        for one in check_folder(folder, target.policy, asked.times.checked).diagnostics:
            console.note(f"to mend: {one}")
        if not dry_run:
            editing.write(editing.top(asked) / path, before, after)
            editing.go_on(console, asked, [path], f"Revoke key {strike.kid} of {strike.tenant}")
    if lone:
        raise RefusedError(
            f"no other generated key of {strike.tenant} can sign: make one with `generated rotate`, and publish; "
            "`generated signer --store` gives it as soon as that is done"
        )


def _file(
    console: Console, target: editing.Target, key: Key, strike: Strike, at: datetime
) -> tuple[str, bytes, bytes, bool]:
    """The file's name, its bytes before and after, and whether no key is left to sign."""
    if key.origin == "custom":
        console.say(successors(target.keyset, key, strike.now))
        return KEYSET, target.data, customkeys.revoke(target.data, key, at, strike.reason).data, False
    line = succeeding.line_of(target.folder, target.keyset, target.policy)
    before = line.data or b""
    try:
        struck = rotation.revoke(line.content, line.keyset, key, at, strike.reason, strike.now)
        if struck.heir is not None:
            console.say(f"{clean(struck.heir)} signs from now on; see `generated signer`")
    except rotation.NoHeirError:
        struck = rotation.revoke(line.content, line.keyset, key, at, strike.reason, strike.now, lone=True)
        return GENERATED, before, written(struck.content, before), True
    return GENERATED, before, written(struck.content, before), False
