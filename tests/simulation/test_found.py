"""What the simulation found: each story once ended with a token refused, a revoked key accepted, or a crash."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from .edits import Edit
from .files import Terms
from .stories import Story, faults
from .world import Lateness

IN_TIME = Lateness(prompt=True)
REVOKE = Edit(kind="revoke")
LONG_AGE = Terms(max_age=86_400, while_revalidate=3_600, if_error=7_200, lifetime=3_600, lead=18_000)

STORIES: Mapping[str, Story] = {
    "the feed signs with a key that left the documents, as its successor was revoked": Story(
        terms=Terms(), late=IN_TIME, edits=(Edit(kind="rotate"), Edit(kind="revoke", pause=10, pick=1, a=1))
    ),
    "a key whose end was over before it was published is missing in a new domain": Story(
        terms=Terms(),
        late=Lateness(prompt=False, numbers=(400,)),
        edits=(Edit(kind="domain", pick=1), Edit(kind="rotate")),
    ),
    "an announced key is made to sign at once": Story(
        terms=Terms(), late=IN_TIME, edits=(Edit(kind="announce"), Edit(kind="alter", pause=1, a=6))
    ),
    "cache terms are shortened, and a key announced by the new ones": Story(
        terms=LONG_AGE, late=IN_TIME, edits=(Edit(kind="policy", c=1), Edit(kind="announce", pause=1, a=1))
    ),
    "cache terms are shortened in a commit that is not published yet": Story(
        terms=replace(LONG_AGE, interval=60),
        late=Lateness(prompt=False, numbers=(100,)),
        edits=(
            Edit(kind="announce", pause=5, a=9),
            Edit(kind="rotate", pause=5, a=16),  # a pause: an instant that is past is refused
            Edit(kind="policy", pause=6, a=6, b=11, c=1),
        ),
    ),
    "a generated key was revoked, and a custom key passes for its heir": Story(
        terms=replace(LONG_AGE, interval=3_600),
        late=Lateness(prompt=True, numbers=(1, 0)),
        edits=(
            Edit(kind="revoke", pause=10, a=1),
            Edit(kind="policy", b=10, c=1),
            Edit(kind="announce", pause=1, pick=3, a=7, b=13, c=1),
            Edit(kind="policy", pause=8, a=14, b=10),
        ),
    ),
    "a key of one domain comes to sign for all": Story(
        terms=Terms(lifetime=600, lead=180_000, interval=3_600),
        late=Lateness(prompt=False, numbers=(100,)),
        edits=(
            Edit(kind="standby", pause=1, a=15),
            Edit(kind="rotate", pause=6, a=4),
            Edit(kind="alter", pause=2, pick=2, a=12),
            Edit(kind="alter", pause=5, pick=1, a=8, b=12),
            Edit(kind="alter", pause=2, pick=2, a=12),
        ),
    ),
    "a key that had left the documents comes back, and signs at once": Story(
        terms=Terms(lifetime=600),
        late=IN_TIME,
        edits=(
            Edit(kind="alter", a=12, b=11),
            Edit(kind="add", a=10, b=7),
            Edit(kind="rotate"),
            Edit(kind="alter", a=13),
            *[Edit(kind="rotate")] * 5,
            Edit(kind="alter"),
        ),
    ),
    "a key takes the place of one that was revoked before it ever signed": Story(
        terms=Terms(),
        late=IN_TIME,
        edits=(
            *[Edit(kind="rotate")] * 4,
            Edit(kind="announce"),
            Edit(kind="revoke custom"),
            Edit(kind="add"),
        ),
    ),
    "a day after a signing key was revoked, another takes its place at once": Story(
        terms=Terms(),
        late=IN_TIME,
        edits=(
            *[Edit(kind="rotate")] * 4,
            Edit(kind="announce"),
            Edit(kind="revoke custom", pause=6),
            Edit(kind="add"),
        ),
    ),
    "an entry is removed after its end, and the key goes on signing as its successor was never published": Story(
        terms=replace(Terms(), lead=18_000),
        late=Lateness(prompt=False, numbers=(0, 47)),
        edits=(Edit(kind="rotate"),) * 5,
    ),
    "a custom key comes to another domain while it signs": Story(
        terms=Terms(),
        late=IN_TIME,
        edits=(Edit(kind="announce", pick=3), Edit(kind="domain", pick=1), Edit(kind="alter", pause=5, a=12)),
    ),
    "a revoked key comes to have signed, and another takes its place": Story(
        terms=Terms(),
        late=IN_TIME,
        edits=(
            Edit(kind="rotate"),
            Edit(kind="add", a=1, b=2),
            Edit(kind="add", a=1),
            Edit(kind="revoke custom", pick=1),
            Edit(kind="alter", pick=1, a=6),
            Edit(kind="alter"),
        ),
    ),
    "a domain whose document stayed comes back after a rotation": Story(
        terms=Terms(),
        late=Lateness(prompt=False),
        edits=(
            *[Edit(kind="rotate")] * 8,
            Edit(kind="domain", pick=1),
            Edit(kind="domain"),
            *[Edit(kind="rotate")] * 2,
            Edit(kind="domain"),
        ),
    ),
    "a key is revoked in the moment in which it leaves by its window": Story(
        terms=Terms(interval=3_600),
        late=IN_TIME,
        edits=(*[Edit(kind="rotate")] * 3, *[Edit(kind="rotate", pause=1)] * 2, Edit(kind="rotate", pause=4), REVOKE),
        purges=True,
    ),
    "the entry of a custom key is removed while it signs, and a domain begins without it": Story(
        terms=Terms(),
        late=Lateness(prompt=False, numbers=(1,)),
        edits=(
            *[Edit(kind="rotate")] * 9,
            Edit(kind="announce"),
            Edit(kind="rotate"),
            Edit(kind="domain", pick=1),
            Edit(kind="remove", pause=2),
        ),
    ),
    "what is left of the first documents is a revoked key, whose domains change": Story(
        terms=Terms(),
        late=Lateness(prompt=False, numbers=(1,)),
        edits=(
            *[Edit(kind="rotate", a=2)] * 4,
            Edit(kind="alter", a=12),
            REVOKE,
            Edit(kind="alter", a=12),
            Edit(kind="rotate"),
            Edit(kind="announce", pause=1, a=1),
        ),
    ),
    "a generated key comes to a domain that serves an empty set": Story(
        terms=Terms(),
        late=Lateness(prompt=True, numbers=(1,)),
        edits=(
            Edit(kind="revoke", a=1),
            Edit(kind="alter", pause=1, pick=1, a=5),
            *[Edit(kind="rotate")] * 2,
            Edit(kind="alter", pick=1, a=5),
        ),
    ),
    "a key ends, and has left before a publish learns of it": Story(
        terms=Terms(lifetime=600, interval=3_600),
        late=Lateness(prompt=True, numbers=(1,)),
        edits=(
            *[Edit(kind="rotate")] * 3,
            Edit(kind="announce"),
            Edit(kind="rotate", pause=6),
            Edit(kind="alter", pause=1, b=14, c=1),
        ),
    ),
    "a domain that comes back was kept at longer cache terms": Story(
        terms=Terms(),
        late=Lateness(prompt=False),
        edits=(
            *[Edit(kind="rotate")] * 2,
            Edit(kind="domain", pause=4, pick=1),
            Edit(kind="rotate"),
            Edit(kind="domain", pick=1),
            Edit(kind="policy", b=1),
            *[Edit(kind="rotate")] * 2,
            Edit(kind="domain", pick=1),
        ),
    ),
    "a domain comes back that serves an empty set": Story(
        terms=Terms(),
        late=Lateness(prompt=False, numbers=(47,)),
        edits=(
            Edit(kind="domain", pick=1),
            Edit(kind="revoke", pause=5, a=1),
            *[Edit(kind="domain", pick=1)] * 2,
        ),
    ),
    "a key that is to go stays after all": Story(
        terms=Terms(max_age=60, while_revalidate=0, if_error=0, lead=14 * 86_400),
        late=Lateness(prompt=True, numbers=(3, 0, 1)),
        edits=(
            Edit(kind="alter", pause=1, pick=1, a=4, b=6),
            Edit(kind="alter", pause=9, a=2, b=4),
            Edit(kind="alter", pause=2, a=13, b=11),
        ),
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_what_was_found_stays_mended(name: str) -> None:
    assert faults(STORIES[name]) == []
