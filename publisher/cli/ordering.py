"""What a commit asks to be published: its policy and its waivers, read once."""

import hashlib
from collections.abc import Iterable

import click

from publisher.cli.console import Console
from publisher.cli.options import Asked
from publisher.draft import Order
from publisher.fleet import source_policy, source_waivers, waiver_warnings
from publisher.report import counted
from publisher.survey import Wish


def order_of(console: Console, asked: Asked, allow: Iterable[str], wish: Wish) -> Order:
    """The order of the commit; ends with the mistakes where policy.yaml has some. Those of waivers.yaml go with it."""
    revision = asked.revision(console)
    policy, problems = source_policy(revision)
    for one in sorted(problems):
        console.finding(str(one))
    if problems:
        console.error(f"{counted(len(problems), 'mistake')} in the policy of {revision.label}: nothing was done")
        raise click.exceptions.Exit(1)
    waivers, mistakes = source_waivers(revision, asked.now)
    for one in waiver_warnings(revision, waivers, asked.now):
        console.note(f"warning: {one}")
    file = revision.policy()
    return Order(
        revision=revision,
        policy=policy,
        policy_digest=hashlib.sha256(b"" if file is None else file.data).hexdigest(),
        times=asked.times,
        wish=wish,
        allowed=frozenset(allow),
        waivers=waivers,
        mistakes=mistakes,
    )
