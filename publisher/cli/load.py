"""Read, check and compile all tenants of a source: what every command but `show` begins with."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import click

from publisher.against import Against
from publisher.checking import Times
from publisher.cli.console import Console
from publisher.cli.options import Asked, workers
from publisher.conditions import conditions
from publisher.diagnostic import Diagnostic, Finding
from publisher.fleet import (
    Fleet,
    Others,
    names_of,
    policy_warnings,
    source_policy,
    source_waivers,
    tenants,
    waiver_warnings,
)
from publisher.keyset import KeySet
from publisher.memory import Memory
from publisher.policy import Policy
from publisher.report import counted
from publisher.rules import changes
from publisher.rules.waivers import Names
from publisher.source import Source
from publisher.wanted import Wanted
from publisher.yamlfile import locate


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """All that was read. `diagnostics` are mistakes, and `warnings` none; both are sorted by place, each once."""

    policy: Policy
    diagnostics: tuple[Diagnostic, ...]
    warnings: tuple[Diagnostic, ...]
    tenants: int
    domains: int
    keys: int

    @property
    def counts(self) -> str:
        """`6 tenants, 8 domains, 20 keys`."""
        return self.counted("tenant")

    def counted(self, tenant: str) -> str:
        """The same with another word for a tenant."""
        return f"{counted(self.tenants, tenant)}, {counted(self.domains, 'domain')}, {counted(self.keys, 'key')}"


def load(
    console: Console,
    source: Source,
    times: Times,
    jobs: int,
    take: Callable[[Wanted], object],
    against: Against | None = None,
    others: Others | None = None,
) -> Loaded:
    """Read everything; what each domain is to serve goes to `take` as it comes.

    With `against`, changes are judged, too: what they do to the keys of the base. With `others` the source has some
    tenants alone, and that tells what they claim from the rest.
    """
    policy, problems = source_policy(source)
    diagnostics, warnings = list(problems), [] if problems else list(policy_warnings(source, policy))
    waivers, wrong = source_waivers(source, times.checked)
    diagnostics += wrong
    named, there = {one.tenant for one in waivers}, dict[str, Names | None]()
    fleet = Fleet(source, against, others)
    memories = {} if against is None else _memories(against, times)
    with workers(jobs) as start, console.progress("tenants") as step:
        for one in tenants(source.folders(), policy, times, start, memories):
            if isinstance(one, Finding):
                diagnostics.extend(locate(b"", [one]))
                continue
            fleet.add(one)
            diagnostics.extend(one.diagnostics)
            warnings.extend(one.warnings)
            if (name := one.folder.rpartition("/")[2]) in named:
                there[name] = names_of(one)
            for wanted in one.wanted:
                take(wanted)
            step()
    diagnostics.extend(fleet.conflicts())
    if against is not None:
        warnings += locate(b"", [one for old in against.removed for one in _removed(old, against, times)])
    # Of some tenants alone nobody can say what is in no file any more.
    warnings += waiver_warnings(source, waivers, times.checked, there if others is None else None)
    return _loaded(policy, fleet, diagnostics, warnings)


def _loaded(policy: Policy, fleet: Fleet, diagnostics: Iterable[Diagnostic], warnings: Iterable[Diagnostic]) -> Loaded:
    return Loaded(
        policy=policy,
        diagnostics=tuple(sorted(set(diagnostics))),
        warnings=tuple(sorted(set(warnings))),
        tenants=fleet.tenants,
        domains=fleet.domains,
        keys=fleet.keys,
    )


def _removed(old: KeySet, against: Against, times: Times) -> Iterator[Finding]:
    policy = against.policy or Policy()
    return changes.removed(old, conditions(policy, old.plan, old), times.checked)


def _memories(against: Against, times: Times) -> dict[str, Memory]:
    """What the checks are told of each folder with a difference."""
    found = {}
    for folder in against.folders:
        base = against.keysets.get(folder.rpartition("/")[2])
        terms = None
        if base is not None and against.policy is not None:
            terms = conditions(against.policy, base.plan, base)
        found[folder] = Memory(at=times.served, base=base, terms=terms, struck=against.struck)
    return found


def load_sound(console: Console, source: Source, asked: Asked) -> tuple[Loaded, list[Wanted]]:
    """Read everything; end with the mistakes where there are any."""
    wanted: list[Wanted] = []
    loaded = load(console, source, asked.times, asked.jobs, wanted.append)
    if loaded.diagnostics:
        for one in loaded.diagnostics:
            console.finding(str(one))
        console.error(f"{counted(len(loaded.diagnostics), 'mistake')} in {source.label}: nothing was done")
        raise click.exceptions.Exit(1)
    return loaded, wanted
