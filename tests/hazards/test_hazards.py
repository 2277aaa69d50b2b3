"""For every hazard a publish that has it, what stops then and what does not, beside a neighbour without it."""

import asyncio

import pytest
from publishing import contents

from publisher.refusals import HAZARDS
from publisher.state import live_key
from publisher.stores import open_store

from .cases import CASES
from .stories import Case, Story, found

NAMED = [pytest.param(case, id=f"{case.rule}-{number}") for number, case in enumerate(CASES)]


async def begun(case: Case) -> Story:
    """What was published before."""
    story = Story(store=open_store("memory://"))
    for moment in case.past:
        outcome = await story.publish(moment)
        assert outcome.done is not None
        assert outcome.plan is not None
        assert outcome.plan.blocked == ()
    return story


@pytest.mark.parametrize("case", NAMED)
def test_a_danger_is_named_and_stops_what_it_concerns(case: Case) -> None:
    async def go() -> None:
        story = await begun(case)
        (hazard,) = found(await story.plan(case.bad))
        assert (hazard.rule.id, hazard.domain, hazard.waived) == (case.rule, case.domain, case.passes)
        assert hazard.message.startswith(case.says)
        before = await contents(story.store, "live/")
        outcome = await story.publish(case.bad)
        after = await contents(story.store, "live/")
        if case.passes:
            assert outcome.plan is not None
            assert outcome.plan.blocked == ()
        elif case.domain is None:
            assert (outcome.done, after) == (None, before)
        else:
            assert after.get(live_key(case.domain)) == before.get(live_key(case.domain))

    asyncio.run(go())


@pytest.mark.parametrize("case", [one for one in NAMED if not CASES[int(str(one.id).rpartition("-")[2])].passes])
def test_it_is_waived_by_its_id_and_by_no_other(case: Case) -> None:
    async def go() -> None:
        story = await begun(case)
        await story.plan(case.bad)
        others = set(HAZARDS) - {case.rule}
        refused = await story.publish(case.bad, *others)
        assert refused.plan is not None
        assert refused.plan.refused or refused.plan.blocked
        before = await contents(story.store, "live/")
        waived = await story.publish(case.bad, case.rule)
        if case.firm:
            assert waived.plan is not None
            assert waived.plan.blocked != ()
            return
        assert waived.done is not None
        assert waived.plan is not None
        assert waived.plan.blocked == ()
        assert await contents(story.store, "live/") != before

    asyncio.run(go())


@pytest.mark.parametrize("case", NAMED)
def test_its_neighbour_has_none(case: Case) -> None:
    async def go() -> None:
        story = await begun(case)
        made = await story.plan(case.good)
        assert [one for one in found(made) if not one.waived] == []
        outcome = await story.publish(case.good)
        assert outcome.done is not None
        assert {one.result for one in outcome.done.applied} <= {"written"}

    asyncio.run(go())


def test_every_hazard_has_a_case_and_every_case_a_hazard() -> None:
    assert {case.rule for case in CASES} == set(HAZARDS)
    assert list(dict.fromkeys(case.rule for case in CASES)) == list(HAZARDS)


LASTING = [
    pytest.param(case, id=f"{case.rule}-{number}")
    for number, case in enumerate(CASES)
    if case.domain is not None and not case.passes
]


@pytest.mark.parametrize("case", LASTING)
def test_it_does_not_pass_by_itself_the_next_time(case: Case) -> None:
    async def go() -> None:
        story = await begun(case)
        await story.plan(case.bad)
        for _ in range(3):
            outcome = await story.publish(case.bad)
            assert outcome.plan is not None
            assert {hazard.rule.id for hazard in found(outcome.plan)} == {case.rule}
            assert [one.domain for one in outcome.plan.blocked] == [case.domain]

    asyncio.run(go())
