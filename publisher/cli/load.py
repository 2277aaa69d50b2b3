"""Read, check and compile all tenants of a source: what every command but `show` begins with."""

from collections.abc import Callable
from dataclasses import dataclass

import click

from publisher.cli.console import Console
from publisher.cli.options import Asked, workers
from publisher.diagnostic import Diagnostic, Finding
from publisher.fleet import Fleet, Times, source_policy, tenants
from publisher.policy import Policy
from publisher.report import counted
from publisher.source import Source
from publisher.wanted import Wanted
from publisher.yamlfile import locate


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """All that was read. `diagnostics` are sorted by place, each once."""

    policy: Policy
    diagnostics: tuple[Diagnostic, ...]
    tenants: int
    domains: int
    keys: int

    @property
    def counts(self) -> str:
        """`6 tenants, 8 domains, 20 keys`."""
        return f"{counted(self.tenants, 'tenant')}, {counted(self.domains, 'domain')}, {counted(self.keys, 'key')}"


def load(console: Console, source: Source, times: Times, jobs: int, take: Callable[[Wanted], object]) -> Loaded:
    """Read everything; what each domain is to serve goes to `take` as it comes."""
    policy, problems = source_policy(source)
    diagnostics = list(problems)
    fleet = Fleet(source, policy)
    with workers(jobs) as start, console.progress("tenants") as step:
        for one in tenants(source.folders(), policy, times, start):
            if isinstance(one, Finding):
                diagnostics.extend(locate(b"", [one]))
                continue
            fleet.add(one)
            diagnostics.extend(one.diagnostics)
            for wanted in one.wanted:
                take(wanted)
            step()
    diagnostics.extend(fleet.conflicts())
    return Loaded(
        policy=policy,
        diagnostics=tuple(sorted(set(diagnostics))),
        tenants=fleet.tenants,
        domains=fleet.domains,
        keys=fleet.keys,
    )


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
