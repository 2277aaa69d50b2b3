"""A comment says what matters first, is never longer than it may be, and counts what it leaves out."""

import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import BOUNDED

from publisher.markdowntext import prose
from publisher.review import Review, Setting, ordered
from publisher.reviewmarkdown import LEAST, MARKER, markdown
from publisher.reviewsummary import headline

from .renderers import RENDERERS, parsed, visible
from .samples import SAMPLES, full, many, rotated
from .values import drawn, reworded

GOLDEN = Path(__file__).parent / "golden"
LEFT = re.compile(r"^\*\*Left out: (.*)\.\*\*", re.MULTILINE)


def whole(comment: str, limit: int) -> None:
    """Within the limit, the summary there, and nothing cut within."""
    assert len(comment.encode()) <= limit
    assert comment.startswith(f"{MARKER}\n## ")
    assert comment.endswith("\n")
    assert comment.count("<details") == comment.count("</details>")
    assert sum(line.startswith("```") for line in comment.split("\n")) % 2 == 0
    for line in comment.split("\n"):
        assert line.count("`") % 2 == 0 or line.startswith("```")


@pytest.mark.parametrize("name", SAMPLES)
def test_golden(name: str) -> None:
    review = many(30) if name == "many" else SAMPLES[name]()
    assert markdown(review) == (GOLDEN / f"{name}.md").read_text(encoding="utf-8")


@BOUNDED
@given(drawn(Review), st.integers(LEAST, 9000))
def test_the_limit_is_kept(review: Review, limit: int) -> None:
    comment = markdown(review, limit)
    whole(comment, limit)
    assert headline(review) in comment
    assert comment == markdown(review, limit)


@pytest.mark.parametrize("limit", [LEAST, 2500, 3000, 5000, 8000, 13_000, 60_000])
def test_any_limit_will_do(limit: int) -> None:
    for review in (*(make() for make in SAMPLES.values()), full()):
        whole(markdown(review, limit), limit)


def _always(text: str, _: str) -> str:
    return text


@pytest.mark.parametrize("length", [1, 40, 400])
def test_long_texts_do_not_go_over_it(length: int) -> None:
    for letter in ("w", "\u4e2d", "\U0001f600", "`", "#", "a "):
        text = (letter * length)[:length]
        review = reworded(full(), partial(_always, text))
        for limit in (LEAST, LEAST + 500, 20_000):
            whole(markdown(review, limit), limit)


def test_less_than_the_least_will_not_do() -> None:
    with pytest.raises(ValueError, match="2000"):
        markdown(full(), LEAST - 1)


def test_it_is_no_shorter_than_it_must_be() -> None:
    assert len(markdown(many(3000)).encode()) > 55_000


@pytest.mark.parametrize("limit", [LEAST, 4000, 10_000, 30_000, 60_000, 500_000])
@pytest.mark.parametrize("differ", [True, False])
def test_what_is_left_out_is_counted(limit: int, differ: bool) -> None:
    """Each tenant is named below the heading, or counted."""
    tenants = [rotated(f"tenant-{number:04}", number) for number in range(300)]
    if differ:
        tenants = [
            replace(one, settings=(Setting(name="plan", before="team", after=f"plan-{at}"),))
            for at, one in enumerate(tenants)
        ]
    comment = markdown(replace(many(5), tenants=ordered(tenants), notes=()), limit)
    _, _, below = comment.partition("### Tenants")
    named = set(re.findall(r"(?:`|<code>)(tenant-\d{4})(?:`|<)", below))
    found = LEFT.search(comment)
    left = 0 if found is None else int(found[1].removesuffix(" tenants").replace(",", ""))
    assert len(named) + left == 300
    assert left == 0 or limit < 100_000


def test_lists_count_what_they_leave_out() -> None:
    review = full()
    dangers = [replace(review.dangers[0], kid=f"k{at}", waiver=f"- {{rule: x, kid: k{at}}}") for at in range(500)]
    mistakes = [replace(review.mistakes[0], line=at, message="m" * 100) for at in range(1, 801)]
    review = replace(review, dangers=tuple(dangers), mistakes=tuple(mistakes), policy=None)
    for limit in (LEAST, 5000, 30_000, 60_000):
        comment = markdown(review, limit)
        whole(comment, limit)
        found = LEFT.search(comment)
        assert found is not None
        left = {noun: int(count) for count, noun in re.findall(r"(\d+) (hazards|mistakes)", found[1])}
        hazards, mistakes_shown = len(set(re.findall(r"^- \{rule: x", comment, re.MULTILINE))), 0
        hazards = len(re.findall(r"^- \{rule: x", comment, re.MULTILINE))
        _, _, below = comment.partition("<b>Mistakes</b>")
        mistakes_shown = len(
            re.findall(r"^- `[^`]*:\d+:1` `kid-twice`", below.partition("</details>")[0], re.MULTILINE)
        )
        assert hazards + left["hazards"] == len([one for one in review.all_dangers if not one.waived])
        assert mistakes_shown + left["mistakes"] == len(review.all_mistakes)


def test_of_many_tenants_the_odd_one_comes_first() -> None:
    comment = markdown(many(1000))
    assert comment.index("odd-one-out") < 1200
    assert "998 tenants alike" in comment
    assert comment.count("tenant-0500") == 2  # its name, and the kid of its new key
    assert LEFT.search(comment) is None


def test_a_key_that_tenants_share_is_told() -> None:
    review = many(20)
    first, second, *rest = review.tenants
    shared = replace(second, keys=(*second.keys, *[one for one in rest[0].keys if one.gains]))
    comment = markdown(replace(review, tenants=(first, shared, *rest)))
    assert f"is that of `{second.tenant}`, `{rest[0].tenant}`" in comment


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (
            "the kid `own` is already that of custom_keys[0] (`own`)",
            "the kid `own` is already that of `custom_keys[0]` (`own`)",
        ),
        ("write 2026-01-01T00:00:00Z or later", "write `2026-01-01T00:00:00Z` or later"),
        ("5 domains would lose keys; it takes 3", "5 domains would lose keys; it takes 3"),
        ("end it (signs.until), or revoke it", "end it (`signs.until`), or revoke it"),
        ("a ` alone", "a `\\x60` alone"),
        ("`a``b`", "`a` `b`"),
        ("deadbeef 0123456 a-1 C# @x", "`deadbeef 0123456 a-1 C# @x`"),
        ("", ""),
    ],
)
def test_messages(message: str, shown: str) -> None:
    assert prose(message, 500) == shown


def test_what_people_see_is_the_same_for_both_renderers() -> None:
    comment = markdown(full())
    one, other = (" ".join(visible(parsed(render(comment))).split()) for render in RENDERERS.values())
    assert one == other
