"""The simulation bites: each safeguard that is taken away makes it fail, in a story that the whole program survives."""

from collections.abc import Mapping

import pytest

from .edits import Edit
from .files import Terms
from .mutants import MUTANTS
from .stories import Story, faults
from .world import Lateness

PROMPT, IN_TIME = Lateness(prompt=True, numbers=(4,)), Lateness(prompt=True)
ROTATE, REVOKE = Edit(kind="rotate"), Edit(kind="revoke", a=1)
DAY = Terms(max_age=86_400, while_revalidate=3_600, if_error=7_200)

STORIES: Mapping[str, Story] = {
    "no_lead": Story(terms=Terms(), late=PROMPT, edits=(ROTATE,)),
    "no_max_age": Story(terms=DAY, late=PROMPT, edits=(ROTATE,)),
    "no_verifiers": Story(terms=Terms(consumers=("lestrrat-jwx",)), late=PROMPT, edits=(ROTATE,)),
    "half_retention": Story(terms=Terms(), late=IN_TIME, edits=(ROTATE,)),
    # The successor is published after it should have signed, and what it succeeds is over before it is ready.
    "never_kept": Story(terms=Terms(), late=Lateness(prompt=False, numbers=(0, 47, 0)), edits=(ROTATE,)),
    "lifetimes_forgotten": Story(
        terms=Terms(lifetime=7 * 86_400),
        late=IN_TIME,
        edits=(Edit(kind="policy", a=1, b=1), Edit(kind="rotate", pause=1)),
    ),
    "feed_by_dates": Story(terms=Terms(), late=Lateness(prompt=False, numbers=(400,)), edits=(ROTATE,)),
    "gone_counts": Story(
        terms=Terms(),
        late=IN_TIME,
        edits=(ROTATE, Edit(kind="revoke", pause=10, pick=1, a=1)),
    ),
    "never_overdue": Story(terms=Terms(), late=Lateness(prompt=False, numbers=(0, 48, 0)), edits=(ROTATE,)),
    "former_terms_forgotten": Story(
        terms=DAY, late=IN_TIME, edits=(Edit(kind="policy", c=1), Edit(kind="rotate", pause=1))
    ),
    "no_purge": Story(terms=Terms(), late=IN_TIME, edits=(REVOKE,), purges=True),
    "no_stale_if_error": Story(terms=Terms(), late=IN_TIME, edits=(REVOKE,), outages=((24, 20),)),
    "no_forgetting": Story(terms=Terms(consumers=("envoy",)), late=IN_TIME, edits=(REVOKE,), purges=True),
    "base_unseen": Story(terms=Terms(), late=IN_TIME, edits=(Edit(kind="add"),)),
    "late_ends_unseen": Story(
        terms=Terms(), late=Lateness(prompt=False, numbers=(400,)), edits=(Edit(kind="domain", pick=1), ROTATE)
    ),
    # Its entry was removed while it signed on, as its successor was never published.
    "newcomers_unguarded": Story(
        terms=Terms(lead=18_000),
        late=Lateness(prompt=False, numbers=(60,)),
        edits=(
            *[Edit(kind="rotate", a=2)] * 2,
            *[ROTATE] * 2,
            *[Edit(kind="rotate", pause=1)] * 3,
            Edit(kind="domain", pause=1, pick=1),
            ROTATE,
        ),
    ),
}


def test_every_mutant_has_a_story() -> None:
    assert STORIES.keys() == MUTANTS.keys()


@pytest.mark.parametrize("name", STORIES)
def test_without_a_safeguard_the_simulation_fails(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert faults(STORIES[name]) == []
    MUTANTS[name](monkeypatch)
    assert faults(STORIES[name]) != []
