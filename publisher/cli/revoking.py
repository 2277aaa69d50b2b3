"""`generated revoke`."""

from datetime import datetime, timedelta

import click

from publisher import rotate as rotation
from publisher.cli import editing, succeeding
from publisher.cli.console import Console
from publisher.cli.options import Asked, InstantType, option, pass_console, source_options
from publisher.cli.succeeding import Line, VaultAt, vault_options
from publisher.diagnostic import clean, ticked
from publisher.exposure import Exposure, exposure, spoken
from publisher.generatedfile import written
from publisher.keyset import Key, KeySet
from publisher.policy import Policy
from publisher.report import counted, named
from publisher.rules.windows import instant
from publisher.shapes import LIMIT_REASON
from publisher.timeline import phase


def _told(ctx: click.Context, param: click.Parameter, value: str) -> str:
    if not value.strip() or len(value) > LIMIT_REASON:
        raise click.BadParameter(f"say why, in at most {LIMIT_REASON} characters")
    return value


KIDS = {"ignore_unknown_options": True, "help_option_names": ["--help"]}
"""A kid may begin with a dash, as one thumbprint in 64 does, and no letter of it may be taken for a short option."""
reason_option = option("--reason", required=True, callback=_told, help="Why, for the ledger and the log.")


@click.command(
    "revoke", context_settings=KIDS, short_help="Mark a generated key revoked: gone at the next publish, for ever."
)
@click.argument("tenant")
@click.argument("kid")
@reason_option
@option("--at", type=InstantType(), help="When it was compromised.  [default: now]")
@option("--emergency", is_flag=True, help="Also a key that is not retiring: its tokens are refused from then on.")
@option("--replace", is_flag=True, help="Make a new key that signs at once, where no other could.")
@option("--dry-run", is_flag=True, help="Show the diff; make no key, write nothing.")
@source_options
@vault_options
@pass_console
def revoke(
    console: Console,
    asked: Asked,
    vault: VaultAt,
    tenant: str,
    kid: str,
    reason: str,
    at: datetime | None,
    emergency: bool,
    replace: bool,
    dry_run: bool,
) -> None:
    """Mark a generated key revoked in generated.yaml, and say who signs next, for how long it may yet be accepted, and
    what to purge. The entry stays, so that the key never returns.

    Only a retiring key goes without --emergency, as in Auth0. `revoke --now` does it in the store at once, too.
    """
    line = succeeding.find(console, asked, tenant)
    key = _key(line, kid)
    if key.revoked is not None:
        console.say(f"{clean(kid)} is revoked already")
        return
    state = phase(key, asked.now)
    if state not in ("retiring", "withdrawn") and not emergency:
        console.error(f"{clean(kid)} is {state}: only a retiring key is revoked without --emergency; nothing was done")
        raise click.exceptions.Exit(1)
    make = succeeding.maker(line, vault.open(), line.holds.alg, line.thumbprints) if replace and not dry_run else None
    try:
        struck = rotation.revoke(line.content, line.keyset, key, at or asked.now, reason, asked.now, make)
    except rotation.NoHeirError:
        if replace and dry_run:
            console.say(f"a new {line.holds.alg} key would be made, and sign from now on")
            return
        remedy = "--replace --vault VAULT makes a key that signs at once (or `generated rotate` first, in time)"
        console.error(f"no other key of {tenant} is published and could sign; {remedy}; nothing was done")
        raise click.exceptions.Exit(1) from None
    data = written(struck.content, line.data or b"")
    if found := succeeding.mistakes(line, data, asked):
        editing.end_with(console, found, f"{counted(len(found), 'mistake')} in what {line.path} would become")
    editing.show_diff(console, line.path, line.data or b"", data)
    if not dry_run:
        with editing.refusals(console):
            editing.write(editing.top(asked) / line.path, line.data, data)
    _tell(console, line, key, struck, asked.now)
    if not dry_run:
        editing.go_on(console, asked, [line.path], f"Revoke key {kid} of {tenant}")


def _key(line: Line, kid: str) -> Key:
    """The generated key of this kid; a usage error where there is none."""
    key = next((one for one in line.keyset.keys if one.origin == "generated" and one.kid == kid), None)
    if key is None:
        tenant = line.keyset.tenant
        raise click.UsageError(f"there is no generated key {kid!r} of {tenant}; see `generated list {tenant}`")
    return key


def _tell(console: Console, line: Line, key: Key, struck: rotation.Struck, now: datetime) -> None:
    """Who signs from now on, and for how long the key may yet be accepted."""
    if struck.heir is not None:
        console.say(f"{clean(struck.heir)} signs from now on")
    if struck.goes_on is not None:
        console.say(f"{clean(struck.goes_on)} goes on signing, as {clean(key.kid)} was to take over from it")
    withdrawn = phase(key, now) == "withdrawn"
    for told in consequences(line.policy, line.holds.consumers, _domains(line, key), withdrawn=withdrawn):
        console.say(told)


def successors(keyset: KeySet, key: Key, now: datetime) -> str:
    """A line on who signs when a custom key is gone: the tenant's other ones, where that is signed for."""
    places = frozenset(keyset.domains if key.domains is None else key.domains)
    others = [
        one
        for one in keyset.keys
        if one.origin == "custom"
        and one.jwk.thumbprint != key.jwk.thumbprint
        and places & frozenset(keyset.domains if one.domains is None else one.domains)
    ]
    if signing := [one.kid for one in others if phase(one, now) == "active"]:
        return f"of the tenant's own keys {named(signing)} can go on signing"
    coming = [one for one in others if phase(one, now) in ("pending", "announced")]
    coming = [one for one in coming if one.window.signs_from < one.window.signs_until]
    remedy = "a key that comes in its place (`custom add`) may sign at once"
    if not coming:
        return f"none of the tenant's own keys signs any more: {remedy}"
    first = min(coming, key=lambda one: (one.window.signs_from, one.kid))
    start = instant(first.window.signs_from)
    return f"of the tenant's own keys {ticked(first.kid)} signs next, from {start} on: {remedy}"


def consequences(
    policy: Policy,
    consumers: frozenset[str],
    domains: list[str],
    usable: timedelta = timedelta(0),
    *,
    withdrawn: bool = False,
) -> list[str]:
    """Lines on how long a key that leaves now may yet be accepted, and on what to purge.

    `usable`: how long copies can be used under released cache terms, where those are longer than the policy's.
    `withdrawn`: it has left the documents already, so that no publish has anything to purge.
    """
    found = exposure(policy.cache, consumers)
    caches, purged = spoken(max(found.caches, usable)), spoken(found.purged)
    left = f"from caches that are not purged; {purged} where they are"
    lines = [f"after the publish it may yet be accepted for {caches}, {left}", *_verifiers(found)]
    if domains:
        does = "not by `publish --cdn`: the key has left already" if withdrawn else "`publish --cdn` does it"
        lines.append(f"to purge: /.well-known/jwks.json of {', '.join(map(clean, domains))} ({does})")
    return lines


def _verifiers(found: Exposure) -> list[str]:
    bounded = {name: time for name, time in found.verifiers.items() if time is not None}
    unbounded = sorted(name for name, time in found.verifiers.items() if time is None)
    lines = []
    if bounded:
        slow = max(bounded, key=lambda name: (bounded[name], name))
        lines.append(f"then by {slow} for {spoken(bounded[slow])}, the slowest of the verifiers that the policy names")
    if unbounded:
        lines.append(f"by {', '.join(unbounded)} without a known end: sign with a new kid, or restart them")
    if not found.verifiers:
        lines.append("verifiers keep sets for hours; the policy names none (`consumers`)")
    return lines


def _domains(line: Line, key: Key) -> list[str]:
    canonical = line.policy.canonical_domain(line.keyset.tenant)
    domains = list(line.keyset.domains if key.domains is None else key.domains)
    return domains if canonical is None or key.domains is not None else [*domains, canonical]
