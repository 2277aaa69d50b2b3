"""`generated`: the keys that the platform makes for a tenant, and which of them signs."""

from datetime import datetime

import click

from publisher.cli import editing
from publisher.cli.console import Console
from publisher.cli.following import sync
from publisher.cli.options import (
    Asked,
    InstantType,
    Place,
    format_option,
    option,
    pass_console,
    run,
    source_options,
    store_options,
)
from publisher.cli.published import published
from publisher.cli.revoking import revoke
from publisher.cli.rotating import rotate
from publisher.cli.sealing import Sealing, trusting
from publisher.conditions import conditions
from publisher.diagnostic import clean
from publisher.feed import Feed, feed, feed_json, feed_text
from publisher.fleet import source_policy
from publisher.keyset import Key, KeySet
from publisher.policy import Policy
from publisher.releaselog import Log
from publisher.report import bound, counted, json_instant
from publisher.rotate import due_at, succession
from publisher.rules.windows import instant
from publisher.timeline import phase

# How Auth0's API calls the phases of its signing keys.
_AUTH0 = {"announced": "next", "active": "current", "retiring": "previous"}


@click.group(short_help="Rotate, revoke and list generated keys; tell which one signs.")
def generated() -> None:
    """The platform's own keys of a tenant, in its generated.yaml, which these commands write.

    In Auth0's words: next is announced, current is active, previous is retiring.
    """


generated.add_command(rotate)
generated.add_command(revoke)
generated.add_command(sync)


@generated.command("list", short_help="List a tenant's generated keys.")
@click.argument("tenant")
@source_options
@format_option
@pass_console
def list_(console: Console, asked: Asked, tenant: str, form: str) -> None:
    """List a tenant's generated keys with their phases and windows, and when the next rotation is due."""
    target = editing.find(console, asked.tree_or_revision(console), tenant)
    holds = conditions(target.policy, target.keyset.plan, target.keyset)
    keys = [key for key in target.keyset.keys if key.origin == "generated"]
    due = due_at(succession(target.keyset, asked.now, holds.lead), holds)
    upstream = target.keyset.upstream
    state = "followed" if upstream else "under way" if due is None else "due" if due <= asked.now else "later"
    if form == "json":
        when = None if upstream else json_instant(due)
        found = {"tenant": tenant, "as_of": instant(asked.now), "rotation": state, "rotation_due": when}
        console.data({**found, "keys": [_json(key, asked.now) for key in keys]})
        return
    for key in keys:
        at = phase(key, asked.now)
        word = f" ({_AUTH0[at]})" if at in _AUTH0 else ""
        console.say(f"{clean(key.kid)}  {key.alg}  {at}{word}")
        window = key.window
        console.say(f"    published {bound(window.publish_from)} .. {bound(window.publish_until)}")
        console.say(f"    signs     {bound(window.signs_from)} .. {bound(window.signs_until)}")
    if upstream is not None:
        console.say(f"they follow {clean(upstream.url)}, which rotates")
    elif due is None:
        console.say("a rotation is under way")
    else:
        console.say("a rotation is due" if due <= asked.now else f"the next rotation is due at {instant(due)}")
    console.note(counted(len(keys), "generated key"))


@generated.command("signer", short_help="Tell which key signs now, and which one comes next.")
@click.argument("tenant")
@option("--at", type=InstantType(), help="Another instant than now.")
@source_options
@store_options
@trusting
@format_option
@click.option("--json", "form", flag_value="json", help="The same as --format json.")
@pass_console
def signer(
    console: Console, asked: Asked, place: Place, sealing: Sealing, tenant: str, at: datetime | None, form: str
) -> None:
    """Tell which generated key signs a tenant's tokens, and from when the next one may: what an issuer reads.

    With --store it goes by what is recorded as published: the next key takes over only once it has been published for
    the lead, and until then the present one goes on, past its end where need be. Without it, by the files' dates alone.
    Exit code 1 where no key may sign.
    """
    target = editing.find(console, asked.tree_or_revision(console), tenant)
    wrong = [*target.diagnostics, *source_policy(target.source)[1]]
    if wrong:
        editing.end_with(console, wrong, f"{target.folder.path} or policy.yaml has mistakes")
    now = asked.now if at is None else at
    found = _feed(target.keyset, target.policy, now, None if place.url is None else Log(place.open(), sealing))
    if form == "json":
        console.data(feed_json(found))
    else:
        for line in feed_text(found):
            console.say(line)
        if place.url is None:
            console.note("by the files' dates; --store goes by what was really published")
        elif not found.release:
            console.note(f"nothing was ever published at {place.url}")
    if found.signing.key is None:
        raise click.exceptions.Exit(1)


def _feed(keyset: KeySet, policy: Policy, now: datetime, log: Log | None) -> Feed:
    holds = conditions(policy, keyset.plan, keyset)
    if log is None:
        return feed(keyset, holds, now)

    there = run(published(log, keyset.tenant))
    base = there.tip.base
    found = feed(keyset, holds, now, there.record, there.known, None if base is None else base.as_of)
    return found.of(there.tip.sequence, None if there.tip.head is None else there.tip.head.completed_at)


def _json(key: Key, now: datetime) -> dict[str, object]:
    window = key.window
    return {
        "kid": key.kid,
        "alg": key.alg,
        "thumbprint": key.jwk.thumbprint,
        "phase": phase(key, now),
        "auth0": _AUTH0.get(phase(key, now)),
        "vault": key.vault,
        "publish": {"from": json_instant(window.publish_from), "until": json_instant(window.publish_until)},
        "signs": {"from": json_instant(window.signs_from), "until": json_instant(window.signs_until)},
        "revoked": None if key.revoked is None else {"at": instant(key.revoked.at), "reason": key.revoked.reason},
    }
