"""Warnings as a user sees them: in text, in JSON, and in an exit code that is 0."""

import json
from pathlib import Path

import pytest
from program import run

from publisher.rules import CATALOGUE, WARNINGS

from .world import BASE, NOW, POLICY, SIGNS, World, generated, key, keyset, said

pytestmark = pytest.mark.chaos

AT = ("--now", "2026-06-01T00:00:00Z")
SYNCED = "upstream: {url: https://idp.example/jwks, synced: 2026-05-31T00:00:00Z}\n"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "repo")


def test_warnings_alone_do_not_fail(world: World) -> None:
    text = BASE["acme/keyset.yaml"]
    assert text is not None
    world.change({"acme/keyset.yaml": text.replace(SIGNS, "")})
    ran = run("check", *AT, cwd=world.repo.path)
    line = "keysets/acme/keyset.yaml:5:1: key-removed: the entry of `signs` was removed, and the key signs; "
    assert (ran.code, ran.out) == (0, "2 tenants, 3 domains, 6 keys: no mistakes in the working tree\n")
    assert ran.err.startswith(f"warning: {line}put it back")
    assert ran.err.count("\n") == 1
    ran = run("check", *AT, "--format", "json", cwd=world.repo.path)
    told = json.loads(ran.out)
    assert (ran.code, told["diagnostics"]) == (0, [])
    (one,) = told["warnings"]
    assert (one["rule"], one["path"], one["line"]) == ("key-removed", "keysets/acme/keyset.yaml", 5)
    assert json.loads(run("check", *AT, "--rev", "HEAD", "--format", "json", cwd=world.repo.path).out)["warnings"] == []


def test_mistakes_fail_beside_warnings(world: World) -> None:
    world.change({"acme/keyset.yaml": keyset(key("new", 9))})
    ran = run("check", *AT, "--base", "HEAD", cwd=world.repo.path)
    assert ran.code == 1
    assert ran.out.count(": lead-too-short: ") == ran.out.count(": ledger-shortened: ") == 1
    assert ran.err.count("warning: keysets/acme/keyset.yaml:5:1: key-removed: ") == 3
    assert ran.err.endswith("2 mistakes in the working tree\n")


def test_a_short_lead_is_warned_of_in_policy_and_plan(world: World) -> None:
    short = POLICY.replace("{custom_keys: 10}", "{custom_keys: 10, rotation: {lead: 22h}}")
    world.commit({"policy.yaml": f"{short}rotation: {{lead: 20h}}\n"})
    found = said(world.check().warnings)
    assert found == [
        "keysets/policy.yaml:5:56: lead-under-a-day: the lead of 22h is short; 48h is the default",
        "keysets/policy.yaml:7:18: lead-under-a-day: the lead of 20h is short; 48h is the default",
    ]
    assert world.check().diagnostics == ()
    world.change({"policy.yaml": f"{POLICY}rotation: {{lead: 24h}}\n"})
    assert world.check().warnings == ()
    # A plan that takes the policy's is not told again.
    world.change({"policy.yaml": f"{POLICY}rotation: {{lead: 23h}}\n"})
    assert [one.line for one in world.check().warnings] == [7]
    # A policy with mistakes has none.
    world.change({"policy.yaml": f"{POLICY}rotation: {{lead: 23h}}\nodd: 1\n"})
    assert world.check().warnings == ()


@pytest.mark.parametrize(("within", "stale"), [("1d", True), ("86401s", False), ("25h", False), ("7d", False)])
def test_an_upstream_is_warned_of_by_the_policys_time(world: World, within: str, stale: bool) -> None:
    world.commit(
        {
            "policy.yaml": f"{POLICY}rotation: {{sync_within: {within}}}\n",
            "acme/generated.yaml": generated(key("made", 5), more=SYNCED),
        }
    )
    found = world.check()
    assert found.diagnostics == ()
    assert [one.rule for one in found.warnings] == (["upstream-stale"] if stale else [])
    if stale:
        assert said(found.warnings)[0].startswith(
            "keysets/acme/generated.yaml:2:51: upstream-stale: the upstream was last read at 2026-05-31T00:00:00Z, "
        )
    assert [one.rule for one in world.check(rev="HEAD", now=NOW).warnings] == (["upstream-stale"] if stale else [])


def test_explain_lists_and_explains_warnings(tmp_path: Path) -> None:
    listed = run("explain", cwd=tmp_path).out
    for name, rule in WARNINGS.items():
        assert f"\n{name:<26} (warning) " in listed
        assert run("explain", name, cwd=tmp_path).out.startswith(f"{name}\n{rule.doc.split()[0]}")
    assert not set(WARNINGS) & set(CATALOGUE)
    assert "A warning: " not in listed


def test_what_limits_a_comparison_is_told(world: World, tmp_path: Path) -> None:
    world.repo.git("switch", "--quiet", "--create", "feature")
    world.commit({"globex/keyset.yaml": f"{BASE['globex/keyset.yaml']}# \n"})
    world.repo.git("switch", "--quiet", "main")
    world.commit({"policy.yaml": f"{POLICY}# \n"})
    ran = run("check", *AT, "--base", "main", "--rev", "feature", cwd=world.repo.path)
    assert ran.code == 0
    assert "is no ancestor of what is checked" in ran.err
    assert 'compare with --base "$(git merge-base REV HEAD)"' in ran.err
    world.commit({"hooli/keyset.yaml": keyset(key("new", 9), tenant="hooli", domains="id.hooli.example")})
    shallow = world.repo.clone(tmp_path / "shallow", "--depth", "2")
    ran = run("check", *AT, "--base", "HEAD~1", cwd=shallow.path)
    assert (ran.code, "this clone is shallow" in ran.err, "no ancestor" in ran.err) == (0, True, False)
    assert run("check", *AT, "--base", "HEAD~1", cwd=world.repo.path).err == ""
