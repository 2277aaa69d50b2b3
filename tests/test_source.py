"""Key sets from revisions and working trees: what is read, and the rules about files."""

import os
import shutil
import socket
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from repos import ISOLATED, Repo
from sources import PLAIN, K, assert_refused, odd, plain, read, text

from publisher.diagnostic import Finding
from publisher.folders import Entry, listings
from publisher.git import open_revision, uncommitted
from publisher.snapshot import snapshot
from publisher.source import (
    LIMIT_FILE_BYTES,
    LIMIT_FILES,
    RULES,
    Commit,
    File,
    Folder,
    Listing,
    normal_root,
)
from publisher.worktree import _file, open_worktree


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ISOLATED.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "repo")


def test_a_revision(repo: Repo) -> None:
    commit = plain(repo).commit("Add acme\n\nand globex")
    repo.write("keysets/acme/keyset.yaml", "later")
    repo.commit("Later")
    source = open_revision(repo.path, "keysets", commit)
    assert source.label == f"commit {commit[:12]}"
    assert source.root == "keysets"
    assert source.commit == Commit(
        id=commit, time=datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC), author="Ann <ann@acme.example>", subject="Add acme"
    )
    assert source.policy() == text("version: 1\n")
    assert read(source) == (PLAIN, [])
    trees = {item.path: item.tree for item in source.folders() if isinstance(item, Folder)}
    assert trees == {path: repo.git("rev-parse", f"{commit}:{path}") for path in PLAIN}
    assert [item.name for item in source.folders() if isinstance(item, Folder)] == ["acme", "globex"]


def test_the_working_tree(repo: Repo) -> None:
    source = open_worktree(plain(repo).path, "keysets")
    assert (source.label, source.root, source.commit) == ("the working tree", "keysets", None)
    assert source.policy() == text("version: 1\n")
    assert read(source) == (PLAIN, [])
    assert [item.tree for item in source.folders() if isinstance(item, Folder)] == [None, None]


def test_no_policy(repo: Repo) -> None:
    repo.write("keysets/acme/keyset.yaml")
    repo.commit()
    for source in (open_worktree(repo.path, "keysets"), open_revision(repo.path, "keysets", "HEAD")):
        assert (source.policy(), source.waivers()) == (None, None)


@pytest.mark.parametrize(
    ("root", "under"),
    [(".", ""), ("platform/keysets", "platform/keysets/"), ("./key sets/", "key sets/"), ("k[e]y*", "k[e]y*/")],
)
def test_any_root(repo: Repo, root: str, under: str) -> None:
    repo.write(f"{under}policy.yaml", "p")
    repo.write(f"{under}waivers.yaml", "w")
    repo.write(f"{under}eu/acme/keyset.yaml", "k")
    repo.write("README.md", "not a key set")
    repo.write("key/acme/keyset.yaml" if under else "docs/a.md", "elsewhere")
    repo.commit()
    for source in (open_worktree(repo.path, root), open_revision(repo.path, root, "HEAD")):
        assert read(source) == ({f"{under}eu/acme": {"keyset.yaml": text("k")}}, [])
        assert (source.policy(), source.waivers()) == (text("p"), text("w"))
    assert not uncommitted(repo.path, root)
    repo.write(f"{under}new/keyset.yaml")
    assert uncommitted(repo.path, root)


@pytest.mark.parametrize("root", ["", "/etc", "../keysets", "keysets/../..", "key\nsets", "key\0sets"])
def test_no_root(repo: Repo, root: str) -> None:
    plain(repo).commit()
    opened: tuple[Callable[[], object], ...] = (
        lambda: normal_root(root),
        lambda: open_worktree(repo.path, root),
        lambda: open_revision(repo.path, root, "HEAD"),
    )
    for opening in opened:
        assert_refused(opening, "is no folder for key sets", usage=True)


def test_a_snapshot_has_the_order_of_its_revision(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo")
    for name in ("a", "a-b", "a.b", "a0"):
        repo.write(f"keysets/{name}/keyset.yaml", f"tenant: {name}\n")
    repo.commit()
    revision = open_revision(repo.path, "keysets", "HEAD")
    held = snapshot("some", "keysets", revision.commit, reversed([*revision.folders()]), None)
    assert [*held.folders()] == [*revision.folders()]
    assert [*held.read(held.listed())] == [*revision.folders()]


def test_only_what_is_wanted_is_read(repo: Repo) -> None:
    plain(repo)
    large = repo.write("keysets/eu/large/keyset.yaml", b"x" * (LIMIT_FILE_BYTES + 1))
    repo.write("keysets/eu/lost/generated.yaml", "x")
    repo.commit()
    for source in (open_worktree(repo.path, "keysets"), open_revision(repo.path, "keysets", "HEAD")):
        asked: list[str] = []

        def wanted(path: str, asked: list[str] = asked) -> bool:
            asked.append(path)
            return path.endswith("globex")

        items = list(source.folders(wanted))
        assert [item.path for item in items if isinstance(item, Folder)] == ["keysets/eu/globex"]
        assert [item.rule.id for item in items if isinstance(item, Finding)] == ["generated-without-keyset"]
        assert asked == ["keysets/acme", "keysets/eu/globex", "keysets/eu/large"]
    blob = repo.git("rev-parse", "HEAD:keysets/eu/large/keyset.yaml")
    (repo.path / ".git/objects" / blob[:2] / blob[2:]).unlink()
    large.unlink()
    assert len(list(open_revision(repo.path, "keysets", "HEAD").folders(lambda path: "acme" in path))) == 2


# Rules: the file that breaks it, what else there is, and where it is reported.

SETUPS: dict[str, list[tuple[dict[str, str], list[str]]]] = {
    "tenant-inside-tenant": [
        ({"a/keyset.yaml": "", "a/b/keyset.yaml": ""}, ["a/b/keyset.yaml"]),
        ({"a/keyset.yaml": "", "a/z/keyset.yaml": ""}, ["a/z/keyset.yaml"]),
        (
            {"a/keyset.yaml": "", "a/b/c/keyset.yaml": "", "a/z/keyset.yaml": ""},
            ["a/b/c/keyset.yaml", "a/z/keyset.yaml"],
        ),
        (
            {"a/keyset.yaml": "", "a/b/keyset.yaml": "", "a/b/c/keyset.yaml": ""},
            ["a/b/c/keyset.yaml", "a/b/keyset.yaml"],
        ),
    ],
    "tenant-without-folder": [({"keyset.yaml": ""}, ["keyset.yaml"])],
    "tenant-too-deep": [
        ({"/".join("12345678") + "/keyset.yaml": ""}, []),
        ({"/".join("123456789") + "/keyset.yaml": ""}, ["/".join("123456789") + "/keyset.yaml"]),
    ],
    "generated-without-keyset": [
        ({"a/generated.yaml": ""}, ["a/generated.yaml"]),
        ({"generated.yaml": ""}, ["generated.yaml"]),
        ({"a/keyset.yaml": "", "a/keys/generated.yaml": ""}, ["a/keys/generated.yaml"]),
    ],
    "misnamed-file": [
        *(
            ({f"a/{name}": "", "a/generated.yaml": ""}, [f"a/{name}"])
            for name in ("keyset.yml", "Keyset.yaml", "keyset.yaml.txt", "keysets.yaml", "key-set.yaml", "keyset.json")
        ),
        *(
            ({f"a/{name}": "", "a/keyset.yaml": ""}, [f"a/{name}"])
            for name in ("generated.yml", "GENERATED.yaml", "generated.yaml.txt", "keyset.yaml ", "keyset.yml")
        ),
        *(
            ({name: ""}, [name])
            for name in ("policy.yml", "Policy.yaml", "policies.yaml", "keyset.yml", "generated.yml", "waiver.yaml")
        ),
        ({"a/keyset.yaml": "", "a/keyset.yaml.bak": "", "a/my-keyset.yaml": "", "a/generated.pem": ""}, []),
    ],
    "misplaced-policy": [
        ({"a/policy.yaml": "", "a/keyset.yaml": ""}, ["a/policy.yaml"]),
        ({"eu/policy.yml": "", "eu/a/keyset.yaml": ""}, ["eu/policy.yml"]),
        ({"docs/policy.yaml": "", "policy.yaml": ""}, []),
        (
            {"eu/a/keyset.yaml": "", "eu/waivers.yaml": "", "eu/a/Waiver.yml": ""},
            ["eu/a/Waiver.yml", "eu/waivers.yaml"],
        ),
        ({"docs/waivers.yaml": "", "waivers.yaml": "", "waivers.txt": ""}, []),
    ],
    "symlink": [
        ({"a/keyset.yaml": "->../b"}, ["a/keyset.yaml"]),
        ({"a/keyset.yaml": "", "a/generated.yaml": "->keyset.yaml"}, ["a/generated.yaml"]),
        ({"policy.yaml": "->a", "waivers.yaml": "->policy.yaml"}, ["policy.yaml", "waivers.yaml"]),
        ({"a": "->../elsewhere"}, ["a"]),
        ({"eu/us/a": "->nowhere", "eu/b/keyset.yaml": ""}, ["eu/us/a"]),
        ({"a/keyset.yaml": "", "a/partner.pem": "->/etc/passwd", "a/keys/a": "->.."}, []),
    ],
    "git-attributes": [
        ({"a/keyset.yaml": "", "a/.gitattributes": ""}, ["a/.gitattributes"]),
        ({".gitattributes": "", "a/.gitattributes": "", "a/b/keyset.yaml": ""}, [".gitattributes", "a/.gitattributes"]),
        ({"a/keyset.yaml": "", "a/gitattributes": ""}, []),
    ],
    "file-too-large": [
        ({"a/keyset.yaml": "L"}, ["a/keyset.yaml"]),
        ({"a/keyset.yaml": "", "a/generated.yaml": "L"}, ["a/generated.yaml"]),
        ({"policy.yaml": "L", "waivers.yaml": "L"}, ["policy.yaml", "waivers.yaml"]),
        ({"a/keyset.yaml": "", "a/large.pem": "L", "a/policy.txt": "L", "large": "L"}, ["a/large.pem", "a/policy.txt"]),
    ],
    "too-many-files": [
        ({"a/keyset.yaml": "", **{f"a/{n}": "" for n in range(LIMIT_FILES - 1)}}, []),
        ({"a/keyset.yaml": "", **{f"a/{n % 3}/{n}": "" for n in range(LIMIT_FILES)}}, ["a/keyset.yaml"]),
        ({"a/b/keyset.yaml": "", **{f"a/{n}": "" for n in range(LIMIT_FILES + 9)}}, []),
    ],
    "file-name": [
        ({"a/keyset.yaml": "", "a/caf\udce9.pem": ""}, ["a/caf\\xe9.pem"]),
        ({"a\n::error::/keyset.yaml": "", "a\n::error::/b/keyset.yaml": ""}, ["a\\n::error::"]),
        ({"a\\b/keyset.yaml": ""}, ["a\\b"]),
        ({"\u202ea/keyset.yaml": "", "b\x9b": "", "b\x1b": ""}, ["\\u202ea", "b\\x9b", "b\\x1b"]),
        ({"sm\u00f6rg\u00e5s/keyset.yaml": "", "a b/keyset.yaml": ""}, []),
    ],
    "not-a-file": [
        ({"a/keyset.yaml/b": ""}, ["a/keyset.yaml"]),
        ({"a/keyset.yaml": "", "a/generated.yaml/b": ""}, ["a/generated.yaml"]),
        ({"policy.yaml/b": ""}, ["policy.yaml"]),
        ({"waivers.yaml/b": "", "policy.yaml": ""}, ["waivers.yaml"]),
    ],
}
OF_ITS_OWN = {"submodule", "unreadable-file"}


def fill(repo: Repo, files: dict[str, str]) -> None:
    for path, data in files.items():
        if data.startswith("->"):
            repo.link(K + path, data[2:])
        else:
            repo.write(K + path, "x" * (LIMIT_FILE_BYTES + 1) if data == "L" else data)


def test_every_rule_has_a_case() -> None:
    assert SETUPS.keys() | OF_ITS_OWN == {rule.id for rule in RULES}
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert all(len(rule.doc) > 60 for rule in RULES)


@pytest.mark.parametrize("rule", SETUPS)
def test_rule(tmp_path: Path, rule: str) -> None:
    for number, (files, places) in enumerate(SETUPS[rule]):
        repo = Repo(tmp_path / str(number))
        fill(repo, {**files, "healthy/keyset.yaml": "fine"})
        repo.commit()
        for source in (open_worktree(repo.path, "keysets"), open_revision(repo.path, "keysets", "HEAD")):
            found, findings = read(source)
            assert sorted((item.rule.id, item.file) for item in findings) == [
                (rule, K + place) for place in sorted(places)
            ]
            assert found["keysets/healthy"] == {"keyset.yaml": text("fine")}
            assert all(item.where == () and item.message and item.hint for item in findings)
            assert all("keysets" not in path or "keyset.yaml" in files for path, files in found.items())


def test_messages(repo: Repo) -> None:
    fill(repo, {"a/keyset.yaml": "", "a/b/keyset.yaml": "", "c/Keyset.yaml": "", "d": "->a"})
    _, findings = read(open_worktree(repo.path, "keysets"))
    assert [f"{item.file}: {item.message}; {item.hint}" for item in findings] == [
        (
            "keysets/a/b/keyset.yaml: lies inside the folder of another tenant, `keysets/a`; "
            "move the inner folder out, or delete `keysets/a/keyset.yaml` if that folder only groups tenants"
        ),
        "keysets/c/Keyset.yaml: is not read by this name; rename it to `keyset.yaml`, or delete it",
        "keysets/d: is a symlink, and those are never followed; put what it points to in its place",
    ]


def test_tenants_inside_tenants_share_no_file(repo: Repo) -> None:
    fill(repo, {"a/b/x": "1", "a/b/c/keyset.yaml": "2", "a/b/c/d/y": "3", "a/keyset.yaml": "4", "a/z": "5"})
    repo.commit()
    for source in (open_worktree(repo.path, "keysets"), open_revision(repo.path, "keysets", "HEAD")):
        found, _ = read(source)
        assert found == {
            "keysets/a/b/c": {"d/y": text("3"), "keyset.yaml": text("2")},
            "keysets/a": {"b/x": text("1"), "keyset.yaml": text("4"), "z": text("5")},
        }


def test_a_folder_of_too_many_files_keeps_those_that_are_read(repo: Repo) -> None:
    fill(repo, {"a/keyset.yaml": "k", "a/generated.yaml": "g", **{f"a/a{n:03}": "" for n in range(300)}})
    repo.commit()
    for source in (open_worktree(repo.path, "keysets"), open_revision(repo.path, "keysets", "HEAD")):
        found, findings = read(source)
        assert len(found["keysets/a"]) == LIMIT_FILES + 2
        assert found["keysets/a"]["keyset.yaml"] == text("k")
        assert found["keysets/a"]["generated.yaml"] == text("g")
        assert [item.message for item in findings] == ["stands in a folder of 302 files"]


def test_submodules(repo: Repo, tmp_path: Path) -> None:
    other = Repo(tmp_path / "other")
    other.write("keyset.yaml", "hidden")
    other.commit()
    plain(repo)
    for place in ("beside", "acme/vendor", "eu/keyset.yaml"):
        repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../other", K + place)
    repo.commit()
    for source in (open_worktree(repo.path, "keysets"), open_revision(repo.path, "keysets", "HEAD")):
        found, findings = read(source)
        assert sorted((item.rule.id, item.file) for item in findings if item.rule.id != "tenant-inside-tenant") == [
            ("submodule", "keysets/acme/vendor"),
            ("submodule", "keysets/beside"),
            ("submodule", "keysets/eu/keyset.yaml"),
        ]
        assert found["keysets/acme"] == {**PLAIN["keysets/acme"], "vendor": odd("submodule")}
        assert found["keysets/eu"] == {"keyset.yaml": odd("submodule")}


def test_the_root_is_a_submodule(repo: Repo, tmp_path: Path) -> None:
    plain(Repo(tmp_path / "other")).commit()
    repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../other", "keysets")
    repo.commit()
    message = "`keysets` is a submodule in commit"
    assert_refused(lambda: open_worktree(repo.path, "keysets"), "is a submodule", usage=True)
    assert_refused(lambda: open_revision(repo.path, "keysets", "HEAD"), message, usage=True)


def test_pipes_and_sockets_are_not_opened(repo: Repo) -> None:
    plain(repo)
    repo.write(K + "waivers.yaml")
    for path in ("policy.yaml", "waivers.yaml", "acme/keyset.yaml"):
        (repo.path / K / path).unlink()
        os.mkfifo(repo.path / K / path)
    os.mkfifo(repo.path / K / "acme/partner.pem")
    with socket.socket(socket.AF_UNIX) as listening:
        before = Path.cwd()
        os.chdir(repo.path / K / "eu/globex")  # the address of a socket is short
        try:
            listening.bind("generated.yaml")
        finally:
            os.chdir(before)
        source = open_worktree(repo.path, "keysets")
        assert source.policy() == source.waivers() == odd("special")
        found, findings = read(source)
    assert found["keysets/acme"]["partner.pem"] == odd("special")
    assert [(item.rule.id, item.file) for item in findings] == [
        ("not-a-file", "keysets/policy.yaml"),
        ("not-a-file", "keysets/waivers.yaml"),
        ("not-a-file", "keysets/acme/keyset.yaml"),
        ("not-a-file", "keysets/eu/globex/generated.yaml"),
    ]


@contextmanager
def unprivileged(path: Path) -> Iterator[None]:
    """As a user whom permissions bind, and who owns `path`."""
    if os.geteuid() != 0:
        yield
        return
    for place in (path, *path.rglob("*")):
        os.chown(place, 65534, -1, follow_symlinks=False)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_what_may_not_be_read_is_named_and_the_rest_is_read() -> None:
    with tempfile.TemporaryDirectory() as top:
        repo = plain(Repo(Path(top)))
        closed = [repo.path / K / path for path in ("policy.yaml", "acme/keyset.yaml", "acme/keys")]
        repo.write(K + "closed/a/keyset.yaml")
        closed.append(repo.path / K / "closed")
        with unprivileged(repo.path):
            for place in closed:
                place.chmod(0)
            source = open_worktree(repo.path, "keysets")
            found, findings = read(source)
            policy = source.policy()
            (repo.path / K).chmod(0)
            assert_refused(lambda: list(source.folders()), "cannot be read: give yourself permission", usage=False)
            for place in (repo.path / K, *closed):
                place.chmod(0o700)
    assert policy == odd("unreadable")
    assert found["keysets/acme"] == {
        "generated.yaml": text("version: 1\n"),
        "keys": odd("unreadable"),
        "keyset.yaml": odd("unreadable"),
    }
    assert found["keysets/eu/globex"] == PLAIN["keysets/eu/globex"]
    assert sorted((item.rule.id, item.file) for item in findings) == [
        ("unreadable-file", "keysets/acme/keys"),
        ("unreadable-file", "keysets/acme/keyset.yaml"),
        ("unreadable-file", "keysets/closed"),
        ("unreadable-file", "keysets/policy.yaml"),
    ]


NAMES = st.sampled_from(
    [
        "keyset.yaml",
        "generated.yaml",
        "policy.yaml",
        "waivers.yaml",
        "keyset.yml",
        "a",
        "a-b",
        "a.b",
        "a0",
        "k",
        "keys",
        "z",
        "\u00e5",
        "x\ty",
    ]
)
CONTENTS = st.sampled_from(["->a", "->../a/keyset.yaml", "L", "", "one", "two\n"])


@st.composite
def mixed(draw: st.DrawFn) -> dict[str, str]:
    """Files by path, with no file in the place of a folder."""
    files: dict[str, str] = {}
    for parts in draw(st.lists(st.lists(NAMES, min_size=1, max_size=4), max_size=14)):
        path = "/".join(parts)
        if any(old.startswith(f"{path}/") or path == old or path.startswith(f"{old}/") for old in files):
            continue
        files[path] = draw(CONTENTS)
    return files


def expected(files: dict[str, str]) -> dict[str, dict[str, File]]:
    """The tenants' folders, the slow way."""
    safe = {path: data for path, data in files.items() if "\t" not in path}
    tenants = {path.rpartition("/")[0] for path in safe if path.endswith("/keyset.yaml")}
    found: dict[str, dict[str, File]] = {K + tenant: {} for tenant in tenants}
    for path, data in safe.items():
        owners = [tenant for tenant in tenants if path.startswith(f"{tenant}/")]
        if owners:
            owner = max(owners, key=len)
            kind = odd("symlink") if data.startswith("->") else odd("too-large") if data == "L" else text(data)
            found[K + owner][path.removeprefix(f"{owner}/")] = kind
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=mixed())
def test_a_revision_and_the_working_tree_say_the_same(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, str]
) -> None:
    repo = Repo(tmp_path_factory.mktemp("same") / "repo")
    fill(repo, {**files, "plain/keyset.yaml": ""})
    repo.commit()
    sources = (open_worktree(repo.path, "keysets"), open_revision(repo.path, "keysets", "HEAD"))
    (here, said_here), (there, said_there) = map(read, sources)
    assert here == there == expected({**files, "plain/keyset.yaml": ""})
    assert said_here == said_there
    assert list(here) == list(there)
    assert [list(files) for files in here.values()] == [list(files) for files in there.values()]
    assert sources[0].policy() == sources[1].policy()
    assert sources[0].waivers() == sources[1].waivers()
    inner = [item.file for item in said_here if item.rule.id == "tenant-inside-tenant"]
    if not inner:
        assert list(here) == sorted(here, key=lambda path: f"{path}/".encode())
    shutil.rmtree(repo.path)


def test_many_tenants_and_sizes(repo: Repo) -> None:
    """Requests and answers stay in step over many batches, whatever the sizes."""
    sizes = [0, 1, 4095, 4096, 65_535, 65_536, LIMIT_FILE_BYTES, LIMIT_FILE_BYTES + 1, 3_000_000]
    for number in range(40):
        size = sizes[number % len(sizes)]
        repo.write(f"keysets/t{number:03}/keyset.yaml", bytes([65 + number]) * size)
        for other in range(number % LIMIT_FILES):
            repo.write(f"keysets/t{number:03}/f{other:02}", f"{number} {other}\n" * other)
    repo.commit()
    found, findings = read(open_revision(repo.path, "keysets", "HEAD"))
    assert len(found) == 40
    for number in range(40):
        size = sizes[number % len(sizes)]
        files = found[f"keysets/t{number:03}"]
        assert files.pop("keyset.yaml") == (
            text(bytes([65 + number]) * size) if size <= LIMIT_FILE_BYTES else odd("too-large")
        )
        assert files == {f"f{other:02}": text(f"{number} {other}\n" * other) for other in range(number % LIMIT_FILES)}
    assert len(findings) == sum(sizes[number % len(sizes)] > LIMIT_FILE_BYTES for number in range(40))


def test_memory_does_not_grow_with_the_tenants() -> None:
    def entries(tenants: int) -> Iterator[Entry]:
        yield "tree", b"eu", b"0" * 40
        for number in range(tenants):
            yield "tree", b"eu/a%06d" % number, b"1" * 40
            yield "file", b"eu/a%06d/generated.yaml" % number, b"2" * 40
            yield "file", b"eu/a%06d/keyset.yaml" % number, b"3" * 40

    tracemalloc.start()
    try:
        count = sum(isinstance(item, Listing) for item in listings(entries(20_000), "keysets"))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 20_000
    assert peak < 20_000 * 100


def test_what_became_something_else_meanwhile_is_not_followed_or_waited_for(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe")
    kinds = {name: _file(os.fsencode(tmp_path / name)).kind for name in ("link", "pipe", ".", "gone")}
    assert kinds == {"link": "symlink", "pipe": "special", ".": "special", "gone": "unreadable"}
