"""What is compared with: revisions, clones, what Git holds of earlier ledgers, and what all that costs."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from keymaker import entry, public_pem, rsa_key
from repos import Repo

from publisher.changed import open_change
from publisher.git import open_revision
from publisher.keyset import Read, read_keyset
from publisher.source import Folder, SourceError

from .world import ACME, BASE, GLOBEX, LOST, MADE, ROOMY, World, check, generated, key, keyset, said

pytestmark = pytest.mark.chaos

NEW = {"acme/keyset.yaml": ACME + key("new", 9)}
SIGNS_LATER = f"signs: {{from: {ROOMY}}}"
BACK = key("back", 3, SIGNS_LATER)
STOLEN = ACME.replace(LOST, "")


def rules(world: World, base: str | None = None, rev: str | None = None) -> list[str]:
    return sorted(one.rule for one in world.check(base, rev).diagnostics)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "repo")


def test_the_working_tree_is_compared_with_head_and_a_revision_with_what_is_named(world: World) -> None:
    world.change(NEW)
    assert rules(world) == ["lead-too-short"]
    tip = world.repo.commit()
    assert rules(world) == []
    assert rules(world, rev="HEAD") == []
    assert rules(world, base=world.start) == ["lead-too-short"]
    assert rules(world, base="HEAD~1", rev=tip) == ["lead-too-short"]
    assert rules(world, base=tip, rev=tip) == []


def test_files_that_are_untracked_or_ignored_count(world: World) -> None:
    world.repo.write(".gitignore", "generated.yaml\nother/\n")
    world.commit({"globex/keyset.yaml": GLOBEX})
    for name in (b"keysets/globex/generated.yaml", b"keysets/other/x"):
        world.repo.write(name, generated(key("g", 9)))
    assert rules(world) == ["lead-too-short"]
    path = world.repo.path / "keysets/eu"
    change = open_change(world.repo.path, "keysets", open_revision(world.repo.path, "keysets", "HEAD"), None)
    assert change.paths == ("keysets/globex/generated.yaml", "keysets/other/x")
    assert not path.exists()


def test_files_outside_of_the_root_that_are_ignored_do_not(world: World) -> None:
    world.repo.write(".gitignore", ".venv/\n")
    world.commit({"globex/keyset.yaml": GLOBEX})
    for name in (".venv/lib/x.py", "notes"):
        world.repo.write(name)
    for root, paths in (("keysets", ("notes",)), (".", (".venv/lib/x.py", "notes"))):
        change = open_change(world.repo.path, root, open_revision(world.repo.path, root, "HEAD"), None)
        assert change.paths == paths


def test_settings_of_users_and_folders_change_nothing(world: World) -> None:
    world.change(NEW)
    for name in ("diff.relative", "diff.noprefix", "diff.mnemonicPrefix", "log.follow", "log.showSignature"):
        world.repo.git("config", name, "true")
    for name, value in (("log.showRoot", "false"), ("diff.external", "false"), ("log.diffMerges", "off")):
        world.repo.git("config", name, value)
    found = check(world.repo.path / "keysets/globex")
    assert [one.rule for one in found.diagnostics] == ["lead-too-short"]
    world.commit({"acme/keyset.yaml": STOLEN})
    world.change({"acme/keyset.yaml": STOLEN + BACK})
    assert [one.rule for one in check(world.repo.path / "keysets/globex").diagnostics] == ["revoked-before"]


def test_a_branch_is_compared_from_where_it_began(world: World) -> None:
    world.repo.git("switch", "--quiet", "--create", "feature")
    world.commit({"globex/keyset.yaml": GLOBEX + key("more", 10, SIGNS_LATER)})
    world.repo.git("switch", "--quiet", "main")
    world.commit({"acme/keyset.yaml": ACME + key("mains", 9, "revoked: {at: 2026-05-01T00:00:00Z, reason: x}")})
    began = world.repo.git("merge-base", "main", "feature")
    assert rules(world, base=began, rev="feature") == []
    assert rules(world, base="main", rev="feature") == ["ledger-shortened"]
    world.repo.git("switch", "--quiet", "feature")
    world.repo.git("rebase", "--quiet", "main")
    assert rules(world, base="main", rev="feature") == []
    world.change({"globex/keyset.yaml": GLOBEX})  # what was never merged goes again
    assert rules(world) == []


def test_nothing_to_compare_with(world: World, tmp_path: Path) -> None:
    bare = Repo(tmp_path / "unborn")
    other = World(tmp_path / "other", {})
    other.change(BASE)
    for path in BASE:
        text = BASE[path]
        assert text is not None
        bare.write(f"keysets/{path}", text)
        (tmp_path / "none/keysets" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "none/keysets" / path).write_text(text)
    for place in (bare.path, tmp_path / "none", other.repo.path):  # no commit; no repository; no such folder in it
        assert said(check(place).diagnostics) == []
    for place in (bare.path, tmp_path / "none"):
        with pytest.raises(SourceError):
            check(place, base="HEAD")
    assert said(check(other.repo.path, base="HEAD").diagnostics) == []  # the first change brings the folder
    with pytest.raises(SourceError, match="names no commit"):
        world.check(base="origin/main")
    with pytest.raises(SourceError, match="is no revision"):
        world.check(base="--output=x")


def test_a_repository_that_cannot_be_read_is_no_reason_to_compare_nothing(world: World) -> None:
    tree = world.repo.git("rev-parse", "HEAD:keysets/acme")
    (world.repo.path / ".git/objects" / tree[:2] / tree[2:]).unlink()
    world.change(NEW)
    with pytest.raises(SourceError):
        world.check()


def test_bare_and_shallow_clones(world: World, tmp_path: Path) -> None:
    world.commit({"acme/keyset.yaml": STOLEN})
    world.commit({"acme/keyset.yaml": STOLEN + BACK})
    bare = world.repo.clone(tmp_path / "bare", "--bare")
    assert [one.rule for one in check(bare.path, base="main~1", rev="main").diagnostics] == ["revoked-before"]
    assert said(check(bare.path, rev="main").diagnostics) == []
    shallow = world.repo.clone(tmp_path / "shallow", "--depth", "2")
    assert said(check(shallow.path, base="HEAD~1").diagnostics) == []
    with pytest.raises(SourceError, match="which is shallow: fetch the rest"):
        check(shallow.path, base=world.start)


@pytest.mark.parametrize("form", ["jwk", "file", "generated"])
@pytest.mark.parametrize("place", ["acme", "eu/acme", "acme2", "globex"])
def test_a_key_that_was_revoked_three_commits_ago_never_returns(world: World, form: str, place: str) -> None:
    struck = "    revoked: {at: 2026-05-01T00:00:00Z, reason: stolen}\n"
    name = place.rpartition("/")[2]
    there: dict[str, str | None] = {path: None for path in BASE if path.startswith(f"{name}/")} if "/" in place else {}
    domain = "login.acme.example" if name == "globex" else "a.acme.example, b.acme.example"
    if form == "file":
        world.commit({"acme/keyset.yaml": keyset(entry("RS256", kid="partner", pem="partner.pem") + struck)})
        again = keyset(entry("RS256", kid="new", pem=public_pem(rsa_key(0))), tenant=name, domains=domain)
    elif form == "generated":
        world.commit({"acme/generated.yaml": generated(MADE, key("gone", 7) + struck)})
        again = keyset(key("new", 7), tenant=name, domains=domain)
    else:
        again = keyset(key("new", 3), tenant=name, domains=domain)
    # The ledger goes, and all of the tenant with it, where another is to have the key.
    gone: dict[str, str | None] = {path: None for path in BASE if path.startswith("acme/")}
    emptied: dict[str, str | None] = {"acme/keyset.yaml": keyset(), "acme/generated.yaml": None}
    world.commit(emptied if name == "acme" else gone)
    world.commit({"policy.yaml": f"{BASE['policy.yaml']}# \n"})
    world.commit({"globex/keyset.yaml": f"{GLOBEX}# \n"})
    there = dict.fromkeys(("acme/keyset.yaml", "acme/partner.pem")) if "/" in place else {}
    world.change({**there, f"{place}/keyset.yaml": again})
    assert "revoked-before" in rules(world)
    (found,) = [one for one in world.check().diagnostics if one.rule == "revoked-before"]
    assert str(found).startswith(f"keysets/{place}/keyset.yaml:6:5: revoked-before: the key `new` was revoked before")


def test_a_merge_hides_no_revocation(world: World) -> None:
    world.commit({"acme/keyset.yaml": STOLEN})
    world.repo.git("switch", "--quiet", "--create", "side")
    world.commit({"globex/keyset.yaml": f"{GLOBEX}# \n"})
    world.repo.git("switch", "--quiet", "main")
    world.commit({"acme/keyset.yaml": STOLEN + key("mine", 9, "revoked: {at: 2026-05-02T00:00:00Z, reason: x}")})
    # A merge that takes the side without the revocation, and one that brings a revocation of its own.
    world.repo.git("switch", "--quiet", "side")
    world.repo.git("merge", "--quiet", "--strategy=ours", "--message", "Merge", "main")
    world.repo.git("switch", "--quiet", "--create", "other", "HEAD~1")
    world.commit({"globex/keyset.yaml": f"{GLOBEX}# other\n"})
    world.repo.git("switch", "--quiet", "side")
    world.repo.git("merge", "--quiet", "--strategy=ours", "--no-commit", "other")
    world.commit({"acme/keyset.yaml": STOLEN + key("his", 10, "revoked: {at: 2026-05-02T00:00:00Z, reason: x}")})
    world.commit({"acme/keyset.yaml": STOLEN})
    for number in (3, 9, 10):
        world.change({"acme/keyset.yaml": STOLEN + key("new", number, SIGNS_LATER)})
        assert rules(world) == ["revoked-before"], number
    world.change({"acme/keyset.yaml": STOLEN + key("new", 11, SIGNS_LATER)})
    assert rules(world) == []


def test_a_revocation_that_was_taken_back_before_its_merge_is_none(world: World) -> None:
    struck = "    revoked: {at: 2026-05-01T00:00:00Z, reason: a mistake}\n"
    partner = ACME[ACME.index("  - kid: partner") :]
    world.commit({"acme/keyset.yaml": ACME.replace(partner, partner + struck)})
    world.commit({"acme/keyset.yaml": ACME})
    world.change({"acme/keyset.yaml": ACME + "# a comment\n"})
    assert rules(world) == []
    moved = {path: None for path in BASE if path.startswith("acme/")}
    world.change({**{f"eu/{path}": BASE[path] for path in moved}, **moved})
    assert rules(world) == []


def test_odd_entries_in_history_stop_nothing(world: World) -> None:
    for path in ("acme/keyset.yaml", "acme/partner.pem", "globex/keyset.yaml"):
        world.repo.git("rm", "--quiet", f"keysets/{path}")
    world.repo.link("keysets/acme/keyset.yaml", "../globex/keyset.yaml")
    world.repo.git("add", "--all")
    world.repo.git("update-index", "--add", "--cacheinfo", f"160000,{world.start},keysets/globex/keyset.yaml")
    world.repo.git("commit", "--quiet", "--message", "Odd")
    (world.repo.path / "keysets/acme/keyset.yaml").unlink()
    world.repo.git("rm", "--quiet", "--cached", "keysets/globex/keyset.yaml")
    world.commit({**BASE, "acme/keyset.yaml": STOLEN})
    world.change({"acme/keyset.yaml": STOLEN + BACK})
    assert rules(world) == ["revoked-before"]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, ...]]]:
    """The git processes that are started."""
    calls: list[tuple[str, ...]] = []
    popen: Callable[..., Any] = subprocess.Popen

    def counted(arguments: list[str], **settings: Any) -> Any:
        calls.append(tuple(arguments))
        return popen(arguments, **settings)

    monkeypatch.setattr(subprocess, "Popen", counted)
    yield calls


def test_many_changed_tenants_take_as_many_git_processes_as_one(tmp_path: Path, started: list[tuple[str, ...]]) -> None:
    world = World(tmp_path / "repo", {"policy.yaml": BASE["policy.yaml"], **many(1000)})
    counts = []
    for changed in (1, 1000):
        world.change({path: f"{text}# changed\n" for path, text in list(many(1000).items())[:changed]})
        world.change({"t0/keyset.yaml": keyset(key("new", 9), tenant="t0", domains="t0.example")})
        started.clear()
        assert said(world.check().diagnostics) == []
        counts.append(len(started))
    assert counts[1] <= counts[0] < 25  # what was read of the base once is known the second time


def test_of_many_tenants_the_changed_one_alone_is_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from publisher import against

    world = World(tmp_path / "repo", {"policy.yaml": BASE["policy.yaml"], **many(2000)})
    world.change({"t7/keyset.yaml": keyset(key("new", 9), tenant="t7", domains="t7.example")})
    read: list[str] = []

    def counted(folder: Folder) -> Read:
        read.append(folder.path)
        return read_keyset(folder)

    monkeypatch.setattr(against, "read_keyset", counted)
    assert said(world.check().diagnostics) == []
    assert read == ["keysets/t7", "keysets/t7"]


def many(count: int) -> dict[str, str | None]:
    """Tenants without keys."""
    return {f"t{at}/keyset.yaml": keyset(tenant=f"t{at}", domains=f"t{at}.example") for at in range(count)}
