"""Whatever is merged, and however late: no valid token is refused, and no revoked key is accepted for too long.

With publishes at most one interval late, issuers may go by the files' dates or by the signer feed; with later ones, by
the feed. What is left out is in `verdict`, each with its reason; what is assumed of a
review and of publishes in `world`. The verifiers named in the policy are the same all through a story, and one tenant
has the store to itself: other tenants' keys are a matter of `rules.fleet`.
"""

import pytest
from hypothesis import HealthCheck, given, settings

from .stories import Story, faults, stories

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[*HealthCheck])
LONG = settings(QUICK, max_examples=300 if settings().derandomize else settings().max_examples)


@QUICK
@given(story=stories(prompt=True))
def test_prompt_publishes(story: Story) -> None:
    assert faults(story) == []


@QUICK
@given(story=stories(prompt=False))
def test_late_publishes(story: Story) -> None:
    assert faults(story) == []


@pytest.mark.chaos
@LONG
@given(story=stories(prompt=True, longest=14))
def test_long_stories_of_prompt_publishes(story: Story) -> None:
    assert faults(story) == []


@pytest.mark.chaos
@LONG
@given(story=stories(prompt=False, longest=14))
def test_long_stories_of_late_publishes(story: Story) -> None:
    assert faults(story) == []
