"""`explain`."""

import textwrap

import click

from publisher.auditrules import FAULTS
from publisher.cli.console import Console
from publisher.cli.options import pass_console
from publisher.fields import suggest
from publisher.objections import OBJECTIONS
from publisher.refusals import HAZARDS
from publisher.rules import CATALOGUE, WARNINGS
from publisher.waiver import how


@click.command(short_help="Say what a rule refuses, and why.")
@click.argument("rule", required=False)
@pass_console
def explain(console: Console, rule: str | None) -> None:
    """Say what a rule, a hazard or a review refuses, or an audit finds, and why; without RULE, list them all."""
    known = {**CATALOGUE, **WARNINGS, **FAULTS, **OBJECTIONS, **HAZARDS}
    if rule is None:
        for one in CATALOGUE.values():
            console.say(f"{one.id:<26} {_first_sentence(one.doc)}")
        for one in WARNINGS.values():
            console.say(f"{one.id:<26} (warning) {_first_sentence(one.doc.removeprefix('A warning: '))}")
        for one in HAZARDS.values():
            console.say(f"{one.id:<26} (hazard) {_first_sentence(one.doc)}")
        for one in (rule for name, rule in FAULTS.items() if name not in HAZARDS):
            console.say(f"{one.id:<26} (audit) {_first_sentence(one.doc)}")
        for one in OBJECTIONS.values():
            console.say(f"{one.id:<26} (review) {_first_sentence(one.doc)}")
        return
    if rule not in known:
        raise click.UsageError(f"there is no rule {rule!r}: {suggest(rule, known)}")
    console.say(f"{rule}\n{textwrap.fill(known[rule].doc, 100)}")
    if rule in HAZARDS:
        console.say(textwrap.fill(how(rule), 100))


def _first_sentence(text: str) -> str:
    return textwrap.shorten(text, 90, placeholder=" ...")
