"""What `publish` does about copies of documents, once everything is published: purge, then wait.

Behind.open       the CDNs, as the options name them, before anything is published
Behind.finish     purge and wait; the exit code where one of them failed
"""

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import click

from publisher.arrival import late
from publisher.cdn import Cdn, CdnError, Stale
from publisher.cli.console import Console
from publisher.cli.options import option, refuse_bad_address, run
from publisher.edge import fetch, session
from publisher.report import counted, domain_name
from publisher.wanted import Wanted

When: TypeAlias = Literal["always", "revoked", "never"]

_PARALLEL = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Flipped:
    """A domain that serves its document now. `revokes`: the old one must not be used any longer."""

    wanted: Wanted
    revokes: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """The CDNs in front of the store, when to purge them, and how long to wait for them (0: not at all)."""

    cdns: tuple[Cdn, ...]
    when: When
    via: str | None
    seconds: float

    def finish(self, console: Console, flipped: Iterable[Flipped], unchanged: Iterable[Wanted], occasion: str) -> int:
        """Purge and wait; an exit code: 0, 1 where a CDN still serves an old document, 3 where a purge failed.

        `unchanged` are domains that were served as they are to be before this publish: `always` purges them, too, as
        an earlier publish may have died before its purge, or failed at it.
        """
        changed = list(flipped)
        concerned = [one.wanted for one in changed if self.when == "always" or (self.when == "revoked" and one.revokes)]
        if self.when == "always":
            concerned += unchanged
        if concerned and self.cdns and not self._purge(console, concerned, occasion):
            return 3
        awaited = {one.domain: one for one in [*concerned, *(one.wanted for one in changed)]}
        return 0 if self.via is None or not self.seconds else self._wait(console, list(awaited.values()), self.via)

    def _purge(self, console: Console, concerned: list[Wanted], occasion: str) -> bool:
        stale = [Stale(domain=one.domain, tenant=one.tenant) for one in concerned]
        failed = False
        for cdn in self.cdns:
            try:
                done = run(cdn.purge(stale, occasion))
            except CdnError as error:
                again = "the publish itself is complete; publish again with --purge always to purge again"
                console.error(f"the purge failed: {error} ({again})")
                failed = True
            else:
                console.note(f"{cdn.name}: {done}")
        return not failed

    def _wait(self, console: Console, awaited: list[Wanted], via: str) -> int:
        async def watch() -> list[tuple[str, str]]:
            async with session(_PARALLEL) as client:
                found = late(
                    lambda domain: fetch(client, via, domain), awaited, seconds=self.seconds, parallel=_PARALLEL
                )
                return sorted([(one.domain, one.fault) async for one in found])

        if not awaited:
            return 0
        missing = run(watch())
        for domain, fault in missing:
            console.finding(f"{domain_name(domain)}: published, and not yet served by {via}: {fault}")
        if missing:
            return 1
        console.note(f"{via} serves {counted(len(awaited), 'document')} as published")
        return 0


def open_behind(cdn: tuple[str, ...], purge: When, via: str | None, wait: float) -> Behind:
    """The CDNs that the options name; a usage error where they do not fit together."""
    from publisher.cdns import open_cdn

    if purge == "always" and not cdn:
        raise click.UsageError("--purge always needs a --cdn to purge")
    if wait and via is None:
        raise click.UsageError("--wait needs --via BASE-URL, the CDN to wait for")
    if via is not None:
        refuse_bad_address(via)
    try:
        cdns = tuple(open_cdn(spec) for spec in cdn)
    except ValueError as error:
        raise click.UsageError(f"--cdn: {error}") from None
    return Behind(cdns=cdns, when=purge, via=via, seconds=wait)


_OPTIONS = (
    option(
        "--cdn",
        metavar="SPEC",
        multiple=True,
        help="A CDN to purge: cloudfront:DISTRIBUTION (by paths; /tags or /tenants after it) or purge:URL; may be given"
        " again.",
    ),
    option(
        "--purge",
        type=click.Choice(["always", "revoked", "never"]),
        default="revoked",
        show_default=True,
        help="What to purge: every domain, or those that a revoked key or the last key left.",
    ),
    option("--via", metavar="BASE-URL", help="The CDN to look at with --wait, as for `verify`."),
    option(
        "--wait",
        type=click.FloatRange(0, 3600),
        default=0,
        metavar="SECONDS",
        help="Wait at most so long until --via serves what was published.  [default: do not]",
    ),
)


def cdn_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--cdn, --purge, --via and --wait; the command takes them as `behind`."""

    @functools.wraps(command)
    def wrapper(*arguments: Any, cdn: tuple[str, ...], purge: When, via: str | None, wait: float, **others: Any) -> Any:
        return command(*arguments, behind=open_behind(cdn, purge, via, wait), **others)

    for decorate in reversed(_OPTIONS):
        wrapper = decorate(wrapper)
    return wrapper
