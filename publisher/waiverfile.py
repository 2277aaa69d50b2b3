"""waivers.yaml: how it becomes `Waivers`, and what is wrong with it whatever the time. `rules.waivers` judges the time.

A waiver with a mistake waives nothing, and so does a file that cannot be read: then hazards block, which harms nobody.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from publisher.diagnostic import Diagnostic, Rule, Where, quote
from publisher.fields import Reading, suggest
from publisher.shapes import WAIVERS
from publisher.waiver import LONGEST, LONGEST_WHOLE, SCOPES, Waiver, Waivers, is_wild, waivers
from publisher.yamlfile import load, locate

HAZARD = Rule(
    id="waiver-hazard",
    doc="A waiver names a hazard by its id, and one that it helps against: mistakes in files are no hazards and are "
    "never waived, and `stale-write` is repaired without one.",
)
TOO_BROAD = Rule(
    id="waiver-too-broad",
    doc="A waiver accepts one hazard for one key or one domain of one tenant, each by its name, and ends at most "
    f"{LONGEST.days} days ahead ({LONGEST_WHOLE.days} for `too-many-changes`, which concerns no tenant). What is wrong "
    "with a clock or a commit's descent, and a revoked key that returns, is waived by hand alone, when it happens.",
)
TARGET = Rule(
    id="waiver-target",
    doc="A waiver names what its hazard concerns: a tenant, and either a kid or a domain, as `explain` of the hazard "
    "says. With anything else it would waive nothing.",
)
TWICE = Rule(
    id="waiver-twice",
    doc="One waiver for one hazard of one key or domain: of two, a reviewer sees one end, and the other counts.",
)
RULES = (HAZARD, TOO_BROAD, TARGET, TWICE)


def read(data: bytes, file: str) -> tuple[Waivers, tuple[Diagnostic, ...]]:
    """The waivers without a mistake, and all mistakes. `file` is the path for these."""
    loaded = load(data, file)
    reading = Reading(file=file)
    values = None if loaded.value is None else reading.shape(WAIVERS, loaded.value, ())
    found = () if values is None else tuple(_sound(values, reading))
    diagnostics = (*loaded.diagnostics, *locate(data, reading.findings))
    known = values is not None and "version" in values and not loaded.diagnostics and not reading.is_full
    return waivers(found) if known else Waivers(), diagnostics


def _sound(values: Mapping[str, Any], reading: Reading) -> Iterator[Waiver]:
    """The entries that can be used; notes what is wrong with the others."""
    seen: set[object] = set()
    for position, fields in enumerate(values.get("waivers") or ()):
        where = ("waivers", position)
        if not reading.is_clean(where) or fields is None:
            continue
        names = {name: fields.get(name) for name in ("tenant", "kid", "domain")}
        one = Waiver(**names, rule=fields["rule"], until=fields["until"], reason=fields["reason"], position=position)
        _judge(one, where, reading)
        if one.target in seen:
            reading.note(TWICE, where, "there is a waiver for the same above", "keep one of the two")
        seen.add(one.target)
        if reading.is_clean(where):
            yield one


def _judge(one: Waiver, where: Where, reading: Reading) -> None:
    scope = SCOPES.get(one.rule)
    match scope:
        case None:
            message = f"{quote(one.rule)} is no hazard"
            reading.note(HAZARD, (*where, "rule"), message, suggest(one.rule, SCOPES))
        case "none":
            message = f"{quote(one.rule)} needs no waiver"
            reading.note(HAZARD, (*where, "rule"), message, "remove this one: it is repaired without")
        case "hand":
            message = f"`{one.rule}` is not waived ahead of time"
            hint = f"remove it; when it happens, look into it, and then give --allow {one.rule}"
            reading.note(TOO_BROAD, (*where, "rule"), message, hint)
        case "publish":
            for name, value in (("tenant", one.tenant), ("kid", one.kid), ("domain", one.domain)):
                if value is not None:
                    message = f"`{one.rule}` concerns a whole publish, and no {name}"
                    reading.note(TARGET, (*where, name), message, f"remove `{name}`", at_key=True)
        case _:
            _judge_names(one, scope, where, reading)


def _judge_names(one: Waiver, scope: str, where: Where, reading: Reading) -> None:
    for name, value in (("tenant", one.tenant), ("kid", one.kid), ("domain", one.domain)):
        if value is not None and (is_wild(value) or ("*" in value and name != "kid")):
            reading.note(TOO_BROAD, (*where, name), f"{quote(value)} would be for more than one {name}", "name each")
    if one.tenant is None:
        reading.note(TOO_BROAD, where, "it names no tenant", "add `tenant:`, the one that it is for")
    by_kid = scope == "key or domain"
    if one.kid is None and one.domain is None:
        names = "`kid:` or `domain:`" if by_kid else "`domain:`"
        reading.note(TOO_BROAD, where, "it names no key and no domain", f"add {names}, the one that it is for")
    elif one.kid is not None and one.domain is not None:
        hint = "keep one of the two" if by_kid else "remove `kid:`"
        reading.note(TARGET, where, "it names a kid and a domain", hint)
    elif one.kid is not None and not by_kid:
        message = f"`{one.rule}` concerns a domain, and no single key"
        reading.note(TARGET, (*where, "kid"), message, "write `domain:` instead", at_key=True)
