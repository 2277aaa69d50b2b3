"""What `publish` does about copies of documents, once everything is published: purge, then wait.

open_behind   the CDNs, as the options name them, before anything is published
Behind        what is to be purged, the purge, and the wait
"""

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import click

from publisher.apply import Copies
from publisher.arrival import late
from publisher.cdn import Cdn, CdnError, Stale
from publisher.cli.console import Console
from publisher.cli.options import option, refuse_bad_address, run
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

    @property
    def copies(self) -> Copies:
        """What HEAD is to remember of purges."""
        return "never" if self.when == "never" else "named" if self.cdns else "unnamed"

    def concerned(self, flipped: Iterable[Flipped], others: Iterable[Stale]) -> list[Stale]:
        """What is to be purged after these flips; `others` are all other domains, for `always`."""
        if not self.cdns or self.when == "never":
            return []
        own = [Stale(domain=one.wanted.domain, tenant=one.wanted.tenant) for one in flipped if self._matters(one)]
        return own + list(others) if self.when == "always" else own

    def purge(self, console: Console, stale: list[Stale], occasion: str) -> bool:
        """Purge every CDN; False where one failed."""
        failed = False
        for cdn in self.cdns if stale else ():
            try:
                done = run(cdn.purge(stale, occasion))
            except CdnError as error:
                again = "the publish itself is complete; the next publish with --cdn purges again"
                console.error(f"the purge failed: {error} ({again})")
                failed = True
            else:
                console.note(f"{cdn.name}: {done}")
        return not failed

    def wait(self, console: Console, flipped: Iterable[Flipped]) -> int:
        """Wait until the CDN serves what was published; an exit code: 0, or 1 where it does not in time."""
        awaited = [one.wanted for one in flipped]
        return 0 if self.via is None or not self.seconds else self._wait(console, awaited, self.via)

    def _matters(self, one: Flipped) -> bool:
        return self.when == "always" or one.revokes

    def _wait(self, console: Console, awaited: list[Wanted], via: str) -> int:
        from publisher.edge import fetch, session  # aiohttp takes its time, and most publishes wait for nothing

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

    def opened(*arguments: Any, behind: Callable[[], Behind], **others: Any) -> Any:
        return command(*arguments, behind=behind(), **others)

    return late_cdn_options(functools.wraps(command)(opened))


def late_cdn_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The same; `behind` is what opens the CDNs, when it is called."""

    @functools.wraps(command)
    def wrapper(*arguments: Any, cdn: tuple[str, ...], purge: When, via: str | None, wait: float, **others: Any) -> Any:
        return command(*arguments, behind=lambda: open_behind(cdn, purge, via, wait), **others)

    for decorate in reversed(_OPTIONS):
        wrapper = decorate(wrapper)
    return wrapper
