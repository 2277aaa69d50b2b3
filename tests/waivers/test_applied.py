"""Waivers in publishes: every hazard is let through by the line for it, by that alone, and until it ends."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from hazards.cases import CASES
from hazards.stories import Case, Story, found
from hazards.test_hazards import begun
from publishing import contents
from strategies import hour

from publisher.hazards import Hazard
from publisher.planreport import plan_text
from publisher.waiver import SCOPES

NAMED = [pytest.param(case, id=f"{case.rule}-{number}") for number, case in enumerate(CASES)]
BY_FILE = [one for one in NAMED if SCOPES[CASES[int(str(one.id).rpartition("-")[2])].rule] not in ("hand", "none")]


def file(*lines: str | None) -> str:
    assert None not in lines
    return "version: 1\nwaivers:\n" + "".join(f"{one}\n" for one in lines)


def line_for(hazard: Hazard, days: int, reason: str = "agreed with them") -> str | None:
    return hazard.line(hour(0) + timedelta(days=days), reason)


async def judged(case: Case) -> tuple[Story, Hazard]:
    """A store with the case's past, and the one hazard of what comes."""
    story = await begun(case)
    (hazard,) = found(await story.plan(case.bad))
    return story, hazard


@pytest.mark.parametrize("case", BY_FILE)
def test_the_line_for_a_hazard_lets_it_through(case: Case) -> None:
    async def go() -> None:
        story, hazard = await judged(case)
        assert (line_for(hazard, 7) is None) == hazard.firm == case.firm
        text = line_for(replace(hazard, firm=False), 7)
        bad = replace(case.bad, waivers=file(text))
        outcome = await story.publish(bad)
        assert outcome.plan is not None
        (after,) = found(outcome.plan)
        if case.firm:
            assert (after.waived, after.waiver, outcome.plan.blocked != ()) == (False, None, True)
            return
        assert after.waived
        assert after.waiver is not None
        assert (after.waiver.reason, after.waiver.until) == ("agreed with them", hour(7 * 24))
        assert outcome.done is not None
        assert outcome.plan.blocked == ()
        assert not outcome.plan.refused
        (told,) = [one.strip() for one in plan_text(outcome.plan) if one.strip().startswith("! ")]
        assert told.startswith(f"! waived: {case.rule}: ")
        assert told.endswith("; waivers.yaml, until 2026-01-08T00:00:00Z: agreed with them")
        assert outcome.plan.unused == ()

    asyncio.run(go())


@pytest.mark.parametrize("case", BY_FILE)
def test_it_lets_nothing_through_when_it_has_ended_or_is_for_another(case: Case) -> None:
    async def go() -> None:
        story, hazard = await judged(case)
        others = [
            line_for(replace(hazard, firm=False, **changed), 7)
            for changed in ({"tenant": "globexx"}, {"kid": "other"}, {"kid": None, "domain": "other.acme.example"})
            if hazard.tenant is not None and (hazard.kid is not None or "kid" not in changed or "domain" in changed)
        ]
        lines = [line_for(replace(hazard, firm=False), -1), *(one for one in others if one is not None)]
        before = await contents(story.store, "live/")
        refused = await story.publish(replace(case.bad, waivers=file(*lines)))
        assert refused.plan is not None
        assert refused.plan.blocked or refused.plan.refused
        (after,) = found(refused.plan)
        assert (after.waived, after.waiver) == (False, None)
        if not case.firm:
            assert after.hint.endswith("; its waiver ended at 2025-12-31T00:00:00Z") == (hazard.domain is not None)
        if hazard.domain is None:
            assert await contents(story.store, "live/") == before

    asyncio.run(go())


@pytest.mark.parametrize("case", [one for one in NAMED if one not in BY_FILE])
def test_what_no_file_waives_is_waived_by_none(case: Case) -> None:
    async def go() -> None:
        story, hazard = await judged(case)
        assert line_for(hazard, 7) is None
        text = f"  - {{rule: {case.rule}, tenant: acme, kid: a, until: 2026-01-08T00:00:00Z, reason: x}}"
        outcome = await story.publish(replace(case.bad, waivers=file(text)))
        assert outcome.plan is not None
        (after,) = found(outcome.plan)
        assert (after.waived, after.waiver) == (case.passes, None)
        assert [one.path for one in outcome.plan.mistakes] == ["keysets/waivers.yaml"]

    asyncio.run(go())
