"""Whatever is merged and however it is rotated: no valid token is refused, and no revoked key outlives its exposure."""

from hypothesis import HealthCheck, given, settings

from .stories import Story, faults, stories

_QUICK = settings(
    max_examples=100, deadline=None, derandomize=True, suppress_health_check=[*HealthCheck], print_blob=False
)


@_QUICK
@given(story=stories(prompt=True))
def test_prompt(story: Story) -> None:
    assert faults(story) == []


@_QUICK
@given(story=stories(prompt=False))
def test_late(story: Story) -> None:
    assert faults(story) == []
