"""`generated sync`."""

import asyncio
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from publisher.cli import editing, succeeding
from publisher.cli.console import Console
from publisher.cli.options import Asked, option, pass_console, run, source_options
from publisher.cli.succeeding import Line
from publisher.diagnostic import Diagnostic, clean
from publisher.fleet import located
from publisher.generatedfile import written
from publisher.incoming import RefusedError
from publisher.jwk import identity
from publisher.keyset import KeySet, read_keyset
from publisher.offer import Offer, read_offer
from publisher.report import counted
from publisher.rules.fleet import Conflict
from publisher.source import Folder
from publisher.upstream import Followed, Terms, follow
from publisher.vault import VaultError


@click.command("sync", short_help="Follow the keys of an identity provider's own JWKS.")
@click.argument("tenant", required=False)
@option("--from", "url", metavar="URL", help="The JWKS to follow (https).  [default: the one that is followed]")
@option("--all", "everybody", is_flag=True, help="Every tenant that follows one.")
@option("--repin", is_flag=True, help="Follow another URL than before.")
@option("--allow-loss", is_flag=True, help="Take a set that is empty, or lost all known keys.")
@option("--allow-private", is_flag=True, help="Also from an address that is not public.")
@option(
    "--ca",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Certificates (PEM) to trust, instead of the system's.",
)
@option("--dry-run", is_flag=True, help="Show the diff and write nothing.")
@source_options
@pass_console
def sync(
    console: Console,
    asked: Asked,
    tenant: str | None,
    url: str | None,
    everybody: bool,
    repin: bool,
    allow_loss: bool,
    allow_private: bool,
    ca: Path | None,
    dry_run: bool,
) -> None:
    """Read an identity provider's own JWKS, and write its keys into generated.yaml: it signs, this publishes.

    The first sync pins the URL. Later ones announce new keys, and let keys that are gone retire by the policy's times.
    A kid with another key, an empty set and private material are refused as a whole. Sync often: a provider that signs
    with a key at once is ahead until the next publish.
    """
    if (tenant is None) is not everybody or (everybody and url is not None):
        raise click.UsageError("name a tenant, or give --all without --from")
    lines = None if tenant is None else [succeeding.find(console, asked, tenant)]
    fleet = _Fleet(console, asked, told=tenant is None)
    paths, code = [], int(fleet.failed and everybody)
    for line in fleet.followers if lines is None else lines:
        source = _source(line, url)
        try:
            offer = read_offer(_fetched(source, ca, allow_private=allow_private))
            found = follow(line.content, offer, source, _terms(line, repin, allow_loss), asked.now)
            _carry_out(console, asked, fleet, line, found, dry_run=dry_run, quietly=everybody)
        except (RefusedError, VaultError) as error:
            console.error(f"{clean(line.keyset.tenant)}: {error}; nothing was done")
            code = max(code, 3 if isinstance(error, VaultError) else 1)
            continue
        for text in _told(found, offer):
            console.say(f"{clean(line.keyset.tenant)}: {text}")
        paths.append(line.path)
    if paths and not dry_run:
        what = f"Sync keys of {tenant or counted(len(paths), 'tenant')}"
        editing.go_on(console, asked, paths if len(paths) <= 20 else [asked.keysets], what)
    if code:
        raise click.exceptions.Exit(code)


def _source(line: Line, url: str | None) -> str:
    """The URL that is asked for, or the one that is followed."""
    followed = None if line.keyset.upstream is None else line.keyset.upstream.url
    if (source := url or followed) is None:
        raise click.UsageError(f"{line.keyset.tenant} follows nothing yet: give --from URL")
    return source


def _terms(line: Line, repin: bool, allow_loss: bool) -> Terms:
    holds = line.holds
    stay = holds.retention + holds.propagation + holds.interval
    return Terms(lead=holds.lead, retention=stay, repin=repin, allow_loss=allow_loss)


class _Fleet:
    """The tenants that follow an upstream, and whose each key of the working tree is."""

    def __init__(self, console: Console, asked: Asked, *, told: bool) -> None:
        """Reads all tenants. `told`: say which of them have mistakes, as they are left out."""
        if asked.rev is not None:
            raise click.UsageError("edits are made in the working tree: leave --rev out")
        self.followers: list[Line] = []
        self.failed = False
        self._owners: dict[bytes, str] = {}
        policy = succeeding.policy_of(console, asked)
        for folder in asked.working_tree().folders():
            if not isinstance(folder, Folder):
                continue
            keyset = read_keyset(folder).keyset
            self._own(folder.path, keyset)
            if told and (line := succeeding.readable(console, folder, policy)) is None:
                self.failed = True
            elif told and line is not None and line.keyset.upstream is not None:
                self.followers.append(line)

    def conflicts(self, folder: Folder) -> list[Diagnostic]:
        """What `check` would say of keys that are another tenant's already."""
        keyset = read_keyset(folder).keyset
        keys = () if keyset is None else (identity(key.jwk) for key in keyset.keys)
        found = [
            Conflict(what="key", folder=folder.path, owner=owner, claim=key)
            for key in keys
            if (owner := self._owners.get(key, folder.path)) != folder.path
        ]
        return located([folder], {folder.path: found}) if found else []

    def written(self, folder: Folder) -> None:
        """From now on the tenant has these keys."""
        self._own(folder.path, read_keyset(folder).keyset)

    def _own(self, path: str, keyset: KeySet | None) -> None:
        for key in () if keyset is None else keyset.keys:
            self._owners.setdefault(identity(key.jwk), path)


def _fetched(url: str, ca: Path | None, *, allow_private: bool) -> bytes:
    from publisher.vaults.upstream import UpstreamError, fetch

    async def ask() -> bytes:
        try:
            return await fetch(url, allow_private=allow_private, ca=ca)
        finally:
            await asyncio.sleep(0.1)  # TLS connections end after their session (aiohttp, "Graceful Shutdown")

    try:
        return run(ask())
    except UpstreamError as error:
        raise VaultError(str(error)) from None


def _carry_out(
    console: Console, asked: Asked, fleet: _Fleet, line: Line, found: Followed, *, dry_run: bool, quietly: bool
) -> None:
    """Check, show and write what a sync gave. RefusedError."""
    data = written(found.content, line.data or b"")
    folder = succeeding.with_data(line, data)
    if mistakes := [*succeeding.mistakes(line, data, asked), *fleet.conflicts(folder)]:
        for one in mistakes:
            console.finding(str(one))
        raise RefusedError(f"{counted(len(mistakes), 'mistake')} in what {clean(line.path)} would become")
    if not quietly:
        editing.show_diff(console, line.path, line.data or b"", data)
    if not dry_run:
        editing.write(editing.top(asked) / line.path, line.data, data)
    fleet.written(folder)


def _told(found: Followed, offer: Offer) -> Iterator[str]:
    later = "follows" if found.first else "is announced; the provider may sign with it at once, so publish soon"
    yield from _each(found.announced, later)
    yield from _each(found.returned, "is back")
    yield from _each(found.vanished, "is gone there, and retires")
    yield from _each(found.revoked, "is offered though it was revoked, and left out")
    yield from _each(sorted(offer.assumed), "names no algorithm; the usual one for its kind was taken")
    yield from _each(sorted(offer.unnamed), "stood there without a kid")
    for one in offer.left_out:
        yield f"{clean(one.kid or 'a key without kid')} is left out: {one.reason}"
    if not (found.announced or found.returned or found.vanished):
        yield f"nothing new; {counted(len(found.kept), 'key')}"


def _each(kids: Iterable[str], what: str) -> Iterator[str]:
    return (f"{clean(kid)} {what}" for kid in kids)
