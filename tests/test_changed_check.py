"""`check --changed`: it finds what a check of everything finds in the changed tenants, and reads no others."""

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from keymaker import ec_key, entry, public_jwk
from program import command, environment, run
from repos import ISOLATED, Repo

from publisher import cachefile
from publisher.checking import Times
from publisher.cli.changed import check_changed
from publisher.cli.console import Console
from publisher.cli.load import load
from publisher.cli.options import Asked
from publisher.git import open_revision
from publisher.rules import fleet
from publisher.source import Folder

NOW = datetime(2026, 6, 1, tzinfo=UTC)
POLICY = "version: 1\n"


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ISOLATED.items():
        monkeypatch.setenv(name, value)


def tenant(name: str, domains: list[str], keys: list[int], more: str = "") -> str:
    entries = "".join(entry("ES256", kid=f"k{key}", jwk=public_jwk(ec_key(key))) + more for key in keys)
    return (
        f"version: 1\ntenant: {name}\nplan: enterprise\ndomains: [{', '.join(domains)}]\n"
        f"{'custom_keys:' if keys else 'custom_keys: []'}\n{entries}"
    )


def plain(number: int) -> str:
    return tenant(f"t{number}", [f"t{number}.example"], [number])


def committed(repo: Repo, files: Mapping[str, str], parent: str | None = None) -> str:
    """A commit of these key sets, on a parent."""
    stream = b"commit refs/heads/main\nmark :1\ncommitter x <x@x.example> 0 +0000\ndata 0\n"
    stream += f"from {parent}\n".encode() if parent else b""
    stream += b"deleteall\n"
    for path, text in {"policy.yaml": POLICY, **files}.items():
        stream += f"M 100644 inline keysets/{path}\ndata {len(text)}\n{text}\n".encode()
    repo.git("fast-import", "--quiet", "--force", given=stream)
    return repo.git("rev-parse", "main")


def asked(repo: Repo, rev: str | None) -> Asked:
    return Asked(repo=repo.path, keysets="keysets", rev=rev, now=NOW, clock=NOW, jobs=1)


def compare(repo: Repo, base: str, head: str, cache: Path) -> list[str]:
    """Both checks of a change; the mistakes in what changed."""
    given, start = asked(repo, head), open_revision(repo.path, "keysets", base)
    source, console = open_revision(repo.path, "keysets", head), Console(quiet=True)
    times = Times(served=NOW, checked=NOW)
    full = load(console, source, times, 1, lambda _: None, given.against(source, base))
    found = check_changed(console, given, start, cache)
    assert found is not None
    folders = {one.path for one in found.change.after.folders() if isinstance(one, Folder)}
    assert found.loaded.tenants == len(folders)
    wanted = [one for one in full.diagnostics if one.path.rpartition("/")[0] in folders]
    assert list(found.loaded.diagnostics) == wanted
    assert [one for one in found.loaded.warnings if one.path != "keysets/policy.yaml"] == [
        one for one in full.warnings if one.path.rpartition("/")[0] in folders or one.rule == "tenant-removed"
    ]
    return [one.rule for one in wanted]


def some(chance: random.Random) -> str:
    """A tenant that may claim what others do."""
    domains = sorted({f"d{chance.randrange(9)}.example" for _ in range(chance.randrange(1, 3))})
    return tenant(f"t{chance.randrange(9)}", domains, sorted({chance.randrange(9) for _ in range(2)}))


@pytest.mark.parametrize("steps", [12, pytest.param(300, marks=pytest.mark.chaos)])
def test_it_finds_what_a_check_of_everything_finds_in_the_changed_tenants(tmp_path: Path, steps: int) -> None:
    repo, chance = Repo(tmp_path / "repo", "--bare"), random.Random(steps)
    places = [f"{place}t{number}/keyset.yaml" for number in range(6) for place in ("", "eu/")]
    files = {place: some(chance) for place in chance.sample(places, 8)}
    ids, rules = [committed(repo, files)], Counter[str]()
    for _ in range(steps):
        for place in chance.sample(places, chance.choice((1, 1, 2, 4))):
            if place not in files or chance.random() < 0.7:
                files[place] = some(chance)
            else:
                del files[place]
        ids.append(committed(repo, files, ids[-1]))
        rules.update(compare(repo, chance.choice(ids), ids[-1], tmp_path / "cache"))
    assert min(rules[one.id] for one in fleet.RULES) > steps // 6


def test_a_conflict_is_told_of_who_brought_it(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo", "--bare")
    first = {"b/keyset.yaml": tenant("b", ["b.example"], [1]), "c/keyset.yaml": tenant("c", ["c.example"], [2])}
    base = committed(repo, first)
    before = committed(repo, {**first, "a/keyset.yaml": tenant("a", ["b.example", "a.example"], [2])}, base)
    behind = committed(repo, {**first, "eu/b/keyset.yaml": tenant("b", ["d.example"], [3])}, base)
    both = ["domain-owner", "key-shared"]
    for start, head, rules in ((base, before, both), (base, behind, ["tenant-twice"]), (behind, before, both)):
        assert sorted(compare(repo, start, head, tmp_path / "cache")) == rules


REVOKED = "    revoked: {at: 2026-01-01T00:00:00Z, reason: lost}\n"


def test_a_key_that_the_history_revoked_does_not_return(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo", "--bare")
    others = {f"t{number}/keyset.yaml": plain(number) for number in range(3)}
    start = committed(repo, others)
    struck = committed(repo, {**others, "a/keyset.yaml": tenant("a", ["a.example"], [5], REVOKED)}, start)
    gone = committed(repo, others, struck)
    back = committed(repo, {**others, "a/keyset.yaml": tenant("a", ["a.example"], [5])}, gone)
    aside = committed(repo, {**others, "a/keyset.yaml": tenant("a", ["a.example"], [5])}, start)
    for base, head, rules in (
        (gone, back, ["revoked-before"]),
        (struck, back, ["ledger-shortened"]),
        (start, aside, []),
        (gone, aside, ["revoked-before"]),
        (start, back, []),
    ):
        compare(repo, base, head, tmp_path / "cache")
        found = check_changed(
            Console(quiet=True), asked(repo, head), open_revision(repo.path, "keysets", base), tmp_path / "cache"
        )
        assert found is not None
        assert [one.rule for one in found.loaded.diagnostics] == rules


# The command.


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = Repo(tmp_path / "repo")
    made.write("keysets/policy.yaml", POLICY)
    for number in range(3):
        made.write(f"keysets/t{number}/keyset.yaml", plain(number))
    made.commit()
    return made


ONCE = "reading all tenants of the base into an index, once"


def test_the_working_tree_against_head(repo: Repo) -> None:
    assert run("check", "--changed", cwd=repo.path).out == (
        "0 changed tenants, 0 domains, 0 keys: no mistakes in the working tree\n"
    )
    repo.write("keysets/t1/keyset.yaml", plain(1) + "\n")
    assert run("check", "--changed", cwd=repo.path).err.splitlines() == [ONCE]
    ran = run("check", "--changed", cwd=repo.path)
    assert (ran.code, ran.out) == (0, "1 changed tenant, 1 domain, 1 key: no mistakes in the working tree\n")
    assert ran.err == ""
    repo.write("keysets/new/keyset.yaml", tenant("new", ["t2.example"], []))
    ran = run("check", "--changed", "--format", "json", cwd=repo.path)
    assert ran.code == 1
    assert "the domain `t2.example` already belongs to keysets/t2" in ran.out
    assert (repo.path / ".git/jwks-publisher").is_dir()


def test_a_repository_of_sha_256(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo", "--object-format=sha256")
    repo.write("keysets/policy.yaml", POLICY)
    repo.write("keysets/eu/t2/keyset.yaml", plain(2))
    repo.commit()
    repo.write("keysets/eu/new/keyset.yaml", tenant("new", ["t2.example"], [2]))
    ran = run("check", "--changed", cwd=repo.path)
    assert (ran.code, ran.out.count("keysets/eu/new/keyset.yaml:")) == (1, 2)
    repo.commit()
    ran = run("check", "--changed", "--base", "HEAD~1", "--rev", "HEAD", cwd=repo.path)
    assert (ran.code, ran.out.count("keysets/eu/new/keyset.yaml:"), ran.err.count(ONCE)) == (1, 2, 0)


def test_where_all_have_to_be_checked_that_is_said(repo: Repo, tmp_path: Path) -> None:
    repo.write("keysets/policy.yaml", "version: 1\nalgorithms: [RS256]\n")
    repo.write("keysets/t1/keyset.yaml", plain(1) + "\n")
    ran = run("check", "--changed", cwd=repo.path)
    assert (ran.code, ran.err.splitlines()[0]) == (1, "policy.yaml differs, so that every tenant is checked")
    assert ran.out.count("algorithm") >= 3
    fresh = Repo(tmp_path / "fresh")
    fresh.write("keysets/policy.yaml", POLICY)
    ran = run("check", "--changed", cwd=fresh.path)
    assert (ran.code, ran.out) == (0, "0 tenants, 0 domains, 0 keys: no mistakes in the working tree\n")
    assert ran.err == "there is no commit to compare with, so that every tenant is checked\n"
    ran = run("check", "--changed", "--rev", "HEAD", cwd=repo.path)
    assert ran.code == 2
    assert "--changed with --rev needs --base" in ran.err


def test_one_of_a_thousand_lists_nothing_and_reads_two_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = Repo(tmp_path / "repo", "--bare")
    files = {f"t{number}/keyset.yaml": tenant(f"t{number}", [f"t{number}.example"], []) for number in range(1000)}
    base = committed(repo, files)
    head = committed(repo, {**files, "t500/keyset.yaml": tenant("t500", ["t500.example", "new.example"], [1])}, base)
    compare(repo, base, head, tmp_path / "cache")
    trace = tmp_path / "trace"
    monkeypatch.setenv("GIT_TRACE2_EVENT", str(trace))
    found = check_changed(
        Console(quiet=True), asked(repo, head), open_revision(repo.path, "keysets", base), tmp_path / "cache"
    )
    assert found is not None
    assert found.loaded.tenants == 1
    started = [line for line in trace.read_text().splitlines() if '"event":"start"' in line]
    assert len(started) < 25
    assert not any('"ls-tree","-r"' in line or '"log","--no-show-signature"' in line for line in started)


# The index's file.


def told(repo: Repo, capsys: pytest.CaptureFixture[str], cache: Path | None = None) -> tuple[list[str], str]:
    """The mistakes in what changed in the working tree, in this process, and what was noted."""
    found = check_changed(Console(), asked(repo, None), open_revision(repo.path, "keysets", "HEAD"), cache)
    assert found is not None
    return [str(one) for one in found.loaded.diagnostics], capsys.readouterr().err


def index(repo: Repo) -> Path:
    (path,) = (repo.path / ".git/jwks-publisher").glob("*.sqlite")
    return path


def damaged(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096:] = b"\x5a" * (len(data) - 4096)
    path.write_bytes(data)


def foreign(path: Path) -> None:
    path.unlink()
    with contextlib.closing(sqlite3.connect(path)) as made:
        made.execute("CREATE TABLE claim (what TEXT)")
        made.commit()


def triggered(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as made:
        made.execute("CREATE TRIGGER t AFTER INSERT ON claim BEGIN DELETE FROM claim; END")
        made.commit()


def of_another_version(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as made:
        made.execute("UPDATE mark SET text = '0.0'")
        made.execute("DELETE FROM claim")
        made.commit()


@pytest.mark.parametrize(
    "spoil",
    [
        damaged,
        foreign,
        triggered,
        of_another_version,
        lambda path: path.write_bytes(b"no database at all" * 100),
        lambda path: os.truncate(path, path.stat().st_size // 2),
        lambda path: os.truncate(path, 4096),
    ],
)
def test_a_spoiled_index_is_made_anew(
    repo: Repo, spoil: Callable[[Path], object], capsys: pytest.CaptureFixture[str]
) -> None:
    repo.write("keysets/new/keyset.yaml", tenant("new", ["t2.example"], []))
    first, notes = told(repo, capsys)
    assert (len(first), notes) == (1, ONCE + "\n")
    spoil(index(repo))
    again, notes = told(repo, capsys)
    assert again == first
    assert "is damaged, or another version's: it is made anew" in notes
    assert told(repo, capsys) == (first, "")


def test_an_index_that_cannot_be_kept_is_made_for_one_run(
    repo: Repo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repo.write("keysets/new/keyset.yaml", tenant("new", ["t2.example"], []))
    (tmp_path / "file").write_text("")
    mistakes, notes = told(repo, capsys, tmp_path / "file/cache")
    assert "cannot be kept" in notes
    assert "already belongs to keysets/t2" in mistakes[0]


def test_one_cache_for_many_repositories_is_never_wrong(
    repo: Repo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Repo(tmp_path / "other")
    other.write("keysets/policy.yaml", POLICY)
    other.write("keysets/x/keyset.yaml", tenant("x", ["t2.example"], [2]))
    other.commit()
    for _ in range(2):
        for one, number in ((repo, 1), (other, 0)):
            one.write("keysets/new/keyset.yaml", tenant("new", ["t1.example"], []))
            mistakes, notes = told(one, capsys, tmp_path / "cache")
            assert (len(mistakes), notes) == (number, ONCE + "\n")


def test_another_run_is_waited_for_and_not_for_ever(
    repo: Repo, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.write("keysets/new/keyset.yaml", tenant("new", ["t2.example"], []))
    mistakes, _ = told(repo, capsys)
    monkeypatch.setattr(cachefile, "_NOTICE", 0.01)
    monkeypatch.setattr(cachefile, "_PATIENCE", 0.02)
    with contextlib.closing(sqlite3.connect(index(repo), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(cachefile.CacheError, match="has held the index for too long"):
            told(repo, capsys)
        assert "another run is at work on the index: waiting for it" in capsys.readouterr().err
        other.execute("ROLLBACK")
        assert told(repo, capsys) == (mistakes, "")
        other.execute("BEGIN")
        other.execute("SELECT * FROM claim").fetchall()
        assert told(repo, capsys) == (mistakes, "")


def test_a_file_that_never_works_ends_in_an_error_of_the_system(tmp_path: Path) -> None:
    def job(rows: sqlite3.Connection) -> None:
        raise sqlite3.DatabaseError("malformed")

    notes: list[str] = []
    file = cachefile.CacheFile(tmp_path / "x.sqlite", (), "test", notes.append)
    with contextlib.closing(file), pytest.raises(cachefile.CacheError, match="the index does not work: malformed"):
        file.run(job, write=True)
    assert notes == [f"{tmp_path / 'x.sqlite'} is damaged, or another version's: it is made anew"] * 4


def test_a_signal_ends_the_waiting_for_another_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cachefile, "_NOTICE", 0.05)
    monkeypatch.setattr(cachefile, "_PATIENCE", 30)

    def stop(number: int, frame: object) -> None:
        raise InterruptedError

    before = signal.signal(signal.SIGALRM, stop)
    file = cachefile.CacheFile(tmp_path / "x.sqlite", (), "test", lambda line: None)
    file.run(lambda rows: None, write=True)
    try:
        with contextlib.closing(sqlite3.connect(tmp_path / "x.sqlite", isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            start = time.monotonic()
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            with contextlib.closing(file), pytest.raises(InterruptedError):
                file.run(lambda rows: None, write=True)
            assert time.monotonic() - start < 15
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_several_at_once_make_one_index(repo: Repo) -> None:
    repo.write("keysets/new/keyset.yaml", tenant("new", ["t2.example"], []))
    with ThreadPoolExecutor(3) as pool:
        runs = list(pool.map(lambda _: run("check", "--changed", cwd=repo.path), range(3)))
    assert [one.code for one in runs] == [1] * 3
    assert len({one.out for one in runs}) == 1


@pytest.mark.parametrize("later", [0.0, *(pytest.param(part / 20, marks=pytest.mark.chaos) for part in range(1, 20))])
def test_a_run_that_is_killed_while_it_makes_the_index_leaves_none_or_all(tmp_path: Path, later: float) -> None:
    repo = Repo(tmp_path / "repo", "--bare")
    files = {f"t{number}/keyset.yaml": tenant(f"t{number}", [f"t{number}.example"], []) for number in range(1500)}
    base = committed(repo, files)
    head = committed(repo, {**files, "new/keyset.yaml": tenant("new", ["t1499.example"], [])}, base)
    line = command("check", "--changed", "--jobs", "1", "--base", base, "--rev", head)
    with subprocess.Popen(line, cwd=repo.path, env=environment(), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline().strip() == ONCE
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(later)
        process.send_signal(signal.SIGKILL)
    ran = run("check", "--changed", "--base", base, "--rev", head, cwd=repo.path)
    assert ran.code == 1
    assert later or ran.err.splitlines()[0] == ONCE
    assert "the domain `t1499.example` already belongs to keysets/t1499" in ran.out
