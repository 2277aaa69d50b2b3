"""How waivers.yaml is read, strictly, and what `check` warns of. Its mistakes are golden cases in `rules`."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from program import run
from repos import Repo
from rules.trees import NOW, SOUND, WAIVERS, check, write

from publisher.diagnostic import Diagnostic
from publisher.fleet import source_waivers
from publisher.rules import CATALOGUE, WARNINGS
from publisher.waiverfile import read
from publisher.worktree import open_worktree

GOOD = "{rule: drops-active-key, tenant: acme, kid: k1, until: 2026-06-02T00:00:00Z, reason: moved}"
PRIVATE = "-----BEGIN PRIVATE KEY-----"


def rules(found: tuple[Diagnostic, ...]) -> list[str]:
    return [one.rule for one in found]


def warned(folder: Path, text: str, days: int = 0) -> list[str]:
    write(folder, {**SOUND, "waivers.yaml": text})
    loaded = check(folder, NOW + timedelta(days=days))
    assert loaded.diagnostics == ()
    return [str(one).removeprefix("keysets/waivers.yaml:") for one in loaded.warnings]


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("", "yaml-empty"),
        ("version: 1\nwaivers: [", "yaml-syntax"),
        (f"version: 1\nwaivers:\n  - &a {GOOD}\n  - *a\n", "yaml-alias"),
        (f"version: 1\nversion: 1\nwaivers:\n  - {GOOD}\n", "yaml-duplicate-key"),
        (f"version: 2\nwaivers:\n  - {GOOD}\n", "bad-value"),
        (f"waivers:\n  - {GOOD}\n", "missing-field"),
        ("version: 1\n", "missing-field"),
        (f"- {GOOD}\n", "wrong-type"),
        (f"version: 1\nwaivers: {GOOD}\n", "wrong-type"),
        (f"version: 1\nwaivers:\n  - {GOOD}\n---\nversion: 1\n", "yaml-documents"),
        ("version: 1\nwaivers:\n" + f"  - {GOOD}\n" * 501, "bad-value"),
        ("version: 1\nwaivers:\n" + f"  - {GOOD[:-1]}, x: y}}\n" * 400, "unknown-field"),
    ],
)
def test_a_file_that_is_not_understood_waives_nothing(text: str, broken: str) -> None:
    found, mistakes = read(text.encode(), "waivers.yaml")
    assert list(found) == []
    assert broken in rules(mistakes)


@pytest.mark.parametrize(
    "bad",
    [
        GOOD.replace("rule: drops-active-key, ", ""),
        GOOD.replace("tenant: acme, ", ""),
        GOOD.replace("kid: k1, ", ""),
        GOOD.replace("until: 2026-06-02T00:00:00Z, ", ""),
        GOOD.replace(", reason: moved", ""),
        GOOD.replace("reason: moved", 'reason: ""'),
        GOOD.replace("2026-06-02T00:00:00Z", "2026-06-02"),
        GOOD.replace("2026-06-02T00:00:00Z", "2026-06-02T00:00:00"),
        GOOD.replace("kid: k1", "kid: 1"),
        GOOD.replace("kid: k1", "kid: [k1, k2]"),
        GOOD.replace("}", ", all: yes}"),
        "all",
        "{}",
    ],
)
def test_a_waiver_with_a_mistake_waives_nothing_and_the_others_hold(bad: str) -> None:
    found, mistakes = read(f"version: 1\nwaivers:\n  - {bad}\n  - {GOOD.replace('k1', 'k2')}\n".encode(), "w.yaml")
    assert mistakes
    assert [one.kid for one in found] == ["k2"]
    assert {one.path for one in mistakes} == {"w.yaml"}
    assert {one.line for one in mistakes} == {3}


def test_of_two_for_the_same_the_first_counts() -> None:
    later = GOOD.replace("06-02", "07-02")
    found, mistakes = read(f"version: 1\nwaivers:\n  - {GOOD}\n  - {later}\n".encode(), "w.yaml")
    assert rules(mistakes) == ["waiver-twice"]
    assert [one.until.month for one in found] == [6]
    assert [one.until.day for one in found] == [2]


def test_a_private_key_is_found_and_not_shown(tmp_path: Path) -> None:
    write(tmp_path, {**SOUND, "waivers.yaml": f"{WAIVERS}# {PRIVATE}\n"})
    (one,) = check(tmp_path).diagnostics
    assert one.rule == "private-key"
    secret = GOOD.replace("drops-active-key", "AAAAbbbb1111CCCCdddd2222")
    found = read(f"version: 1\nwaivers:\n  - {secret}\n".encode(), "w.yaml")[1]
    assert rules(found) == ["waiver-hazard"]
    assert "AAAAbbbb" not in str(found[0])


def test_the_example_of_the_readme_is_sound() -> None:
    readme = (Path(__file__).parent.parent.parent / "README.md").read_text()
    (text,) = [one for one in re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL) if "waivers:" in one]
    found, mistakes = read(text.encode(), "waivers.yaml")
    assert mistakes == ()
    assert [one.about for one in found] == ["drops-active-key of acme, kid acme-2026-01"]


def test_no_file_is_no_waiver(tmp_path: Path) -> None:
    write(tmp_path, {path: content for path, content in SOUND.items() if path != "waivers.yaml"})
    assert source_waivers(open_worktree(tmp_path, "keysets"), NOW)[1] == ()
    assert check(tmp_path).diagnostics == check(tmp_path).warnings == ()


def test_a_sound_file_has_neither_mistake_nor_warning(tmp_path: Path) -> None:
    assert warned(tmp_path, WAIVERS) == []


def test_one_that_has_ended_is_a_warning_and_no_mistake(tmp_path: Path) -> None:
    assert warned(tmp_path, WAIVERS, days=7) == [
        "9:37: waiver-expired: it ended at 2026-06-08T00:00:00Z, and waives nothing; remove it"
    ]


def test_what_no_file_has_is_a_warning(tmp_path: Path) -> None:
    text = (
        WAIVERS.replace("kid: own-ec", "kid: own-ecc")
        .replace("id.globex.example", "id.globexx.example")
        .replace("  - {rule: too-many-changes", "  - {rule: kid-reused, tenant: acne, kid: a")
    )
    hint = "remove it when what it lets go is published, or correct it"
    assert warned(tmp_path, text) == [
        f"3:49: waiver-unused: `acme` has no key with the kid `own-ecc`; {hint}",
        f"6:13: waiver-unused: `globex` has no domain `id.globexx.example`; {hint}",
        f"9:32: waiver-unused: there is no tenant `acne`; {hint}",
    ]


@pytest.mark.parametrize("kid", ["own-x5c", "lost", "gen-now", "gen-next"])
def test_every_kind_of_key_is_there(kid: str, tmp_path: Path) -> None:
    assert warned(tmp_path, WAIVERS.replace("kid: own-ec", f"kid: {kid}")) == []


def test_the_canonical_domain_is_there(tmp_path: Path) -> None:
    assert warned(tmp_path, WAIVERS.replace("globex", "acme", 1).replace("id.globex.", "acme.idp.")) == []


def test_of_a_tenant_with_mistakes_nothing_is_said(tmp_path: Path) -> None:
    text = WAIVERS.replace("kid: own-ec", "kid: own-ecc")
    write(tmp_path, {**SOUND, "waivers.yaml": text, "acme/generated.yaml": "version: 2\n"})
    loaded = check(tmp_path)
    assert {one.path for one in loaded.diagnostics} == {"keysets/acme/generated.yaml"}
    assert loaded.warnings == ()


@pytest.mark.parametrize("form", ["text", "github"])
def test_hostile_text_forges_nothing(form: str, tmp_path: Path) -> None:
    hostile = '"x\\n::error::forged\\x1b[31m\\u202e"'
    lines = [GOOD.replace("acme", hostile), GOOD.replace("k1", hostile), GOOD.replace("drops-active-key", hostile)]
    text = "version: 1\nwaivers:\n" + "".join(f"  - {one}\n" for one in lines)
    write(tmp_path, {**SOUND, "waivers.yaml": text})
    Repo(tmp_path).commit()
    ran = run("check", "--format", form, "--now", "2026-06-01T00:00:00Z", cwd=tmp_path)
    assert ran.code == 1
    told = ran.out + ran.err
    assert told.count("forged") >= 3
    assert not [line for line in told.splitlines() if line.startswith("::error::forged")]
    assert not set(told) & set("\x1b\u202e")


def test_rules_are_told_apart() -> None:
    mine = {name for name in (*CATALOGUE, *WARNINGS) if name.startswith("waiver-")}
    assert {name for name in mine if name in WARNINGS} == {"waiver-expired", "waiver-unused"}
    assert len(mine) == 6


def test_check_of_a_commit_reads_it_too(tmp_path: Path) -> None:
    repo = Repo(tmp_path)
    write(tmp_path, {**SOUND, "waivers.yaml": WAIVERS.replace("drops-active-key", "drops")})
    repo.commit()
    write(tmp_path, {"waivers.yaml": WAIVERS})
    ran = run("check", "--rev", "HEAD", "--now", "2026-06-01T00:00:00Z", cwd=tmp_path)
    assert ran.code == 1
    assert "keysets/waivers.yaml:3:12: waiver-hazard: `drops` is no hazard" in ran.out
    assert run("check", "--now", "2026-06-01T00:00:00Z", cwd=tmp_path).code == 0
    told = run("explain", "drops-active-key", cwd=tmp_path)
    assert "in waivers.yaml by tenant and kid or domain" in " ".join(told.out.split())
