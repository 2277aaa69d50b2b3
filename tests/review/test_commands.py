"""`review` and `diff` as programs: formats, colours, exit codes."""

import json
from pathlib import Path

import pytest
from against.world import ACME, NOW
from generated.running import at, run
from program import Ran

from .stories import Story
from .test_stories import DROPPED, ROTATED

MARKER = "<!-- jwks-publisher review -->"


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story(tmp_path / "repository")


def review(story: Story, *arguments: str) -> Ran:
    return run("review", "main", "change", "--repo", str(story.repo.path), "--now", at(NOW), *arguments)


def test_every_format_tells_the_same_change(story: Story) -> None:
    story.branch({"acme/keyset.yaml": ROTATED})
    markdown, page, text = (review(story, "--format", form) for form in ("markdown", "html", "text"))
    assert markdown.out.startswith(MARKER)
    assert page.out.startswith("<!doctype html>")
    for one in (markdown, page, text):
        assert (one.code, "new" in one.out, "a.acme.example" in one.out) == (0, True, True)
    value = json.loads(review(story, "--format", "json").out)
    assert (value["version"], value["verdict"]) == (1, "fine")
    assert [one["tenant"] for one in value["tenants"]] == ["acme"]


def test_hazards_are_exit_code_1_and_the_review_is_printed_all_the_same(story: Story) -> None:
    story.branch({"acme/keyset.yaml": DROPPED})
    ran = review(story, "--max-bytes", "2500")
    assert ran.code == 1
    assert ran.out.startswith(MARKER)
    assert "drops-active-key" in ran.out
    assert len(ran.out.rstrip("\n").encode()) <= 2500
    assert review(story, "--max-bytes", "1999").code == 2


@pytest.mark.parametrize(
    ("base", "said"), [("nothing", "names no commit"), ("-x", "No such option"), ("lonely", "have no commit in common")]
)
def test_a_base_that_cannot_be_compared_with_is_a_usage_error(story: Story, base: str, said: str) -> None:
    story.branch({"acme/keyset.yaml": ROTATED})
    story.repo.git("switch", "--quiet", "--orphan", "lonely")
    story.commit({"acme/keyset.yaml": ACME})
    ran = run("review", base, "change", "--repo", str(story.repo.path))
    assert ran.code == 2
    assert said in ran.err


def test_an_empty_list_of_tenants_is_no_permission_for_all(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    story.branch({"acme/keyset.yaml": ROTATED})
    monkeypatch.setenv("JWKS_PUBLISHER_AUTHOR_MAY", "")
    ran = review(story)
    assert (ran.code, "JWKS_PUBLISHER_AUTHOR_MAY is empty" in ran.err) == (2, True)
    monkeypatch.setenv("JWKS_PUBLISHER_AUTHOR_MAY", "globex acme")
    assert review(story).code == 0
    monkeypatch.setenv("JWKS_PUBLISHER_AUTHOR_MAY", "globex")
    assert review(story).code == 1


@pytest.mark.parametrize("form", ["markdown", "html", "text", "json"])
def test_a_store_that_nothing_was_asked_of_is_not_shown_with_its_credentials(story: Story, form: str) -> None:
    store = ("--store", "s3://ann:hunter2@bucket/x", "--format", form)
    story.repo.git("switch", "--quiet", "--create", "change")
    story.repo.write("README.md", "About\n")
    story.repo.commit()
    ran = review(story, *store)
    assert (ran.code, "hunter2" in ran.out + ran.err) == (0, False)
    story.commit({"acme/keyset.yaml": ROTATED})
    ran = review(story, *store)
    assert (ran.code, "hunter2" in ran.out + ran.err) == (2, False)


def test_diff_shows_the_working_tree_and_colours_only_where_they_are_asked_for(story: Story) -> None:
    place = ("--repo", str(story.repo.path), "--now", at(NOW))
    nothing = run("diff", *place)
    assert nothing.code == 0
    story.change({"acme/keyset.yaml": ROTATED})
    plain, coloured = run("diff", *place), run("diff", *place, "--color", "always")
    assert (plain.code, coloured.code) == (0, 0)
    assert "+ added new" in plain.out
    assert "\x1b[" not in plain.out
    assert "\x1b[32m+ added new" in coloured.out
    story.change({"acme/keyset.yaml": DROPPED})
    assert run("diff", *place).code == 1
    story.repo.commit()
    assert run("diff", *place).code == 0
    assert run("diff", "main~1", "--rev", "main", *place).code == 1
