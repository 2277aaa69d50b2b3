"""Stories: a policy, edits, late publishes; drawn, or written down. Played to their end and judged."""

from dataclasses import dataclass
from datetime import timedelta

from hypothesis import strategies as st

from .edits import CACHES, KINDS, LEADS, LIFETIMES, Edit
from .files import NAMED, Files, Terms, settled
from .verdict import AFTER, accepted, refused
from .world import Lateness, World, begin

_KINDS = [*KINDS] + ["rotate"] * 3 + ["announce", "alter", "alter"]
INTERVALS = (900, 3_600, 60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What happens. `outages` of the origin begin so many hours after the start, and last so many hours."""

    terms: Terms
    late: Lateness
    edits: tuple[Edit, ...]
    purges: bool = False
    outages: tuple[tuple[int, int], ...] = ()


def play(story: Story) -> World:
    """The world at the story's end."""
    world = begin(Files(terms=settled(story.terms)), story.late, purges=story.purges)
    begun = world.now
    for start, length in story.outages:
        opened = begun + timedelta(hours=start)
        world.edge.outages.append((opened, opened + timedelta(hours=length)))
    for edit in story.edits:
        world.edit(edit)
    world.advance(world.now + AFTER)
    return world


def faults(story: Story) -> list[str]:
    """What a verifier saw that it may never see; with what happened, where there is something."""
    world = play(story)
    found = [*refused(world), *accepted(world)]
    return [*found, *world.told] if found else []


@st.composite
def edits(draw: st.DrawFn) -> Edit:
    """Any edit."""
    small, large = st.integers(0, 3), st.integers(0, 17)
    return Edit(
        kind=draw(st.sampled_from(_KINDS)),
        pause=draw(st.integers(0, 10)),
        pick=draw(small),
        a=draw(large),
        b=draw(large),
        c=draw(small),
    )


@st.composite
def stories(draw: st.DrawFn, *, prompt: bool, longest: int = 8) -> Story:
    """Any story; `prompt`: publishes are at most one interval late."""
    age, revalidate, error = draw(st.sampled_from(CACHES))
    terms = Terms(
        max_age=age,
        while_revalidate=revalidate,
        if_error=error,
        lifetime=draw(st.sampled_from(LIFETIMES)),
        lead=draw(st.sampled_from(LEADS)),
        interval=draw(st.sampled_from(INTERVALS)),
        consumers=tuple(draw(st.lists(st.sampled_from(NAMED), max_size=2, unique=True))),
    )
    numbers = st.integers(0, 4) if prompt else st.sampled_from((0, 1, 5, 47, 60, 100, 400))
    return Story(
        terms=terms,
        late=Lateness(prompt=prompt, numbers=tuple(draw(st.lists(numbers, min_size=1, max_size=4)))),
        edits=tuple(draw(st.lists(edits(), min_size=1, max_size=longest))),
        purges=draw(st.booleans()),
        outages=tuple(draw(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 48)), max_size=2))),
    )
