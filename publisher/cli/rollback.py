"""`rollback`."""

from dataclasses import replace
from datetime import datetime

import click

from publisher.cli.cdn import Behind, cdn_options
from publisher.cli.console import Console
from publisher.cli.engine import Engine, engine
from publisher.cli.options import (
    Asked,
    InstantType,
    Place,
    format_option,
    option,
    pass_console,
    released_options,
    run,
    store_options,
)
from publisher.cli.publish import allow_option
from publisher.cli.sealing import Sealing, signing
from publisher.diagnostic import clean
from publisher.draft import Order
from publisher.releaselog import Tip
from publisher.reversal import NoTarget, rollback_to
from publisher.rules.windows import instant
from publisher.survey import Rollback, Wish

_REASON_LIMIT = 300


@click.command(short_help="Bring tenants back to what they were in a release.")
@click.argument("release", type=click.IntRange(min=1), metavar="RELEASE")
@option("--tenant", metavar="TENANT", help="Bring back this tenant alone.  [default: all of them]")
@option("--reason", required=True, help="Why, in one line: it is shown with the release and the hold.")
@option("--until", type=InstantType(), help="When the hold ends by itself.  [default: with publish --lift-hold]")
@option("--dry-run", is_flag=True, help="Show what would change, and change no document.")
@released_options
@store_options
@allow_option
@cdn_options
@signing
@format_option
@pass_console
def rollback(
    console: Console,
    asked: Asked,
    place: Place,
    release: int,
    tenant: str | None,
    reason: str,
    until: datetime | None,
    dry_run: bool,
    allow: tuple[str, ...],
    behind: Behind,
    sealing: Sealing,
    form: str,
) -> None:
    """Make a new release of what the tenants' files were in an earlier RELEASE, as those mean at the present instant.

    The tenants are held there until `publish --lift-hold`, or --until: scheduled publishes say what they keep back.
    Revocations pass the hold, and no revoked key comes back. A key that signs now and would be gone blocks its domain,
    as for `publish`. policy.yaml stays that of the commit which is published: revert it in Git. The clone needs that
    commit and the earlier trees, whatever it has checked out.
    """
    reason = _reason(reason)
    if until is not None and until <= asked.now:
        raise click.UsageError(f"--until: {instant(until)} has passed")
    run_of = engine(console, asked, place, sealing, form=form)
    tip = run(run_of.log.tip())
    try:
        back = run(rollback_to(run_of.log, tip, release, tenant, reason, until))
    except NoTarget as error:
        raise click.UsageError(str(error)) from None
    run_of, order = _order(run_of, tip, back, allow)
    was = back.release
    who = "all tenants" if tenant is None else f"tenant {clean(tenant)}"
    console.note(
        f"back to release {was.sequence} of {instant(was.as_of)} (commit {was.commit.id[:12]}) for {who}; "
        f"the policy is that of {order.revision.label}"
    )
    if not dry_run:
        run_of.publish(order, behind)
        return
    _, plan = run_of.plan(order)
    if plan.unreadable:
        raise click.exceptions.Exit(3)
    if plan.blocked or plan.mistakes or plan.refused:
        raise click.exceptions.Exit(1)


def _order(run_of: Engine, tip: Tip, back: Rollback, allow: tuple[str, ...]) -> tuple[Engine, Order]:
    """The order, over the commit that was released last: a rollback brings nothing else, from no newer commit."""
    latest = tip.latest
    run_of = replace(run_of, asked=replace(run_of.asked, rev=None if latest is None else latest.commit.id))
    order = run_of.order(allow, Wish(rollback=back))
    return run_of, replace(order, kind="rollback", reason=back.hold.reason)


def _reason(text: str) -> str:
    text = text.strip()
    if not text or len(text) > _REASON_LIMIT or not text.isprintable():
        raise click.UsageError(f"--reason: give one line of at most {_REASON_LIMIT} characters")
    return text
