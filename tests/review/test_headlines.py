"""What a reviewer sees first, where nothing stops a change: whether it wants to be read with care, and why."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from against.world import ACME, COMING, GLOBEX, LOST, NOW, PARTNER, POLICY, SIGNS, key, keyset

from publisher.review import Review
from publisher.reviewhtml import page
from publisher.reviewmarkdown import markdown
from publisher.reviewsummary import headline, points, tone
from publisher.reviewtext import lines as text_lines

from .stories import Story, lines

REVOKED = GLOBEX.rstrip() + "\n    revoked: {at: 2026-05-31T00:00:00Z, reason: stolen}\n"
WEAKER = POLICY.replace("token_lifetime: 24h", "token_lifetime: 12h")


def text(review: Review) -> str:
    return "".join(f"{one}\n" for one in text_lines(review))


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story(tmp_path / "repository")


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ({"globex/keyset.yaml": REVOKED}, "Fine if meant: 1 key revoked, 1 domain left without a key"),
        ({"policy.yaml": WEAKER}, "Fine if meant: 1 weaker setting of the policy, 1 changed file of the platform"),
        ({"waivers.yaml": "version: 1\nwaivers: []\n"}, "Fine if meant: 1 changed file of the platform"),
    ],
)
def test_what_stops_nothing_and_may_do_harm_is_not_simply_fine(story: Story, tree: dict[str, str], said: str) -> None:
    story.branch(tree)
    review = story.review()
    assert (review.verdict, tone(review), headline(review)) == ("fine", "mild", said)


def test_a_domain_in_which_no_key_signs_for_a_while_is_named(story: Story) -> None:
    struck = key("theirs", 6, "revoked: {at: 2026-05-31T00:00:00Z, reason: stolen}")
    later = key("later", 9, "signs: {from: 2026-06-04T00:00:00Z}")
    story.commit({"globex/keyset.yaml": keyset(key("theirs", 6), later, tenant="globex", domains="id.globex.example")})
    story.branch({"globex/keyset.yaml": keyset(struck, later, tenant="globex", domains="id.globex.example")})
    review = story.review()
    assert headline(review) == "Fine if meant: 1 key revoked, 1 domain without a key that signs"
    (point,) = [one for one in points(review, 10) if one.lead == "Without a key that signs: 1 domain"]
    assert "until 2026-06-04T00:00:00Z" in str(point.items)
    assert "no key of it signs then" in text(review)


def test_a_domain_that_is_left_without_a_key_is_named(story: Story) -> None:
    story.branch({"globex/keyset.yaml": REVOKED})
    found = {one.lead: one.bad for one in points(story.review(), 10)}
    assert found["Left without a key: 1 domain"]


def test_a_hazard_that_is_waived_wants_to_be_meant(story: Story) -> None:
    story.branch({"globex/keyset.yaml": keyset(tenant="globex", domains="id.globex.example")})
    story.on("main", {"waivers.yaml": lines(story.review().all_dangers)})
    review = story.review()
    assert (review.verdict, tone(review)) == ("fine", "mild")
    assert headline(review) == "Fine if meant: 1 domain left without a key, 2 waived hazards"


@pytest.mark.parametrize("shown", [markdown, text, page])
def test_the_lines_that_allow_hazards_can_be_pasted_as_they_are_shown(
    story: Story, shown: Callable[[Review], str]
) -> None:
    story.branch({"globex/keyset.yaml": keyset(tenant="globex", domains="id.globex.example")})
    pasted = re.findall(r"^ *- \{rule: .*", unescape(shown(story.review()).replace("<code>", "\n")), re.MULTILINE)
    other = "  - {rule: empty-set, tenant: acme, domain: a.acme.example, until: 2026-06-08T00:00:00Z, reason: planned}"
    story.on("main", {"waivers.yaml": "\n".join(["version: 1", "waivers:", other, *pasted, ""])})
    assert (len(pasted), story.review().verdict) == (2, "fine")


def test_a_first_canonical_domain_weakens_nothing(tmp_path: Path) -> None:
    bare = POLICY.replace('canonical_domain: "{tenant}.idp.example"\n', "")
    story = Story(tmp_path / "repository", {"policy.yaml": bare, "globex/keyset.yaml": GLOBEX})
    story.branch({"policy.yaml": POLICY})
    assert headline(story.review()) == "Fine if meant: 1 changed file of the platform"


def test_an_entry_that_goes_after_its_key_was_in_no_document(story: Story) -> None:
    story.branch({"acme/keyset.yaml": keyset(SIGNS, COMING, LOST, PARTNER)})
    later = text(story.review(now=NOW + timedelta(days=90)))
    assert "in no document, as before" in later
    assert "in the documents of" not in later


def test_a_comment_is_simply_fine(story: Story) -> None:
    story.branch({"acme/keyset.yaml": f"# a comment\n{ACME}"})
    review = story.review()
    assert (tone(review), headline(review)) == ("good", "Fine: no key may mint tokens that could not before")
