"""Signatures of commits, made by real programs and judged by the base's allowed signers alone."""

import os
import re
import shutil
import sys
from pathlib import Path

import pytest
from repos import Repo

from publisher.commitsigning import unsigned
from publisher.git import open_revision
from publisher.source import SourceError

from .sealing import (
    ARMOURED,
    FILE,
    LATER,
    Keys,
    objections,
    payload,
    put,
    revoke,
    signed,
    ssh_signature,
    started,
    with_header,
)


def test_commits_of_allowed_signers_pass(tmp_path: Path, known: Keys) -> None:
    repo = started(tmp_path, ssh=known.line("ann", 'namespaces="git"'), openpgp=known.armoured("dora", "ed"))
    assert objections(repo) == []
    signed(repo, known.signing("ann"))
    signed(repo, known.signing("dora", "openpgp"))
    signed(repo, known.signing("ed", "openpgp"))
    assert objections(repo) == []
    assert objections(repo, "base") == []


def test_every_other_commit_is_told(tmp_path: Path, known: Keys) -> None:
    repo = started(tmp_path, ssh=known.line("ann"), openpgp=known.armoured("dora"))
    bob = signed(repo, known.signing("bob"))
    plain = repo.commit("Nothing to see")
    signed(repo, known.signing("ann"))
    ed = signed(repo, known.signing("ed", "openpgp"))
    signed(repo, known.signing("dora", "openpgp"))
    assert objections(repo) == [("unknown-signer", ed), ("unsigned-commit", plain), ("unknown-signer", bob)]
    found = unsigned(repo.path, open_revision(repo.path, "keysets", "base"), plain, LATER)
    assert found[0].message == (
        f"commit {plain[:12]} (`Nothing to see`, by Ann <ann@acme.example> as it says) has no signature"
    )
    assert "git rebase" in found[0].hint


def test_a_file_for_the_other_sort_allows_nobody(tmp_path: Path, known: Keys) -> None:
    repo = started(tmp_path / "ssh", ssh=known.line("ann"))
    dora = signed(repo, known.signing("dora", "openpgp"))
    assert objections(repo) == [("unknown-signer", dora)]
    repo = started(tmp_path / "openpgp", openpgp=known.armoured("dora"))
    ann = signed(repo, known.signing("ann"))
    assert objections(repo) == [("unknown-signer", ann)]


def test_the_signers_of_the_change_itself_do_not_count(tmp_path: Path, known: Keys) -> None:
    repo = started(tmp_path, ssh=known.line("ann"))
    repo.write(FILE, known.line("bob"))
    repo.write(ARMOURED, known.armoured("dora"))
    repo.git("add", "--all")
    first = signed(repo, known.signing("bob"))
    second = signed(repo, known.signing("dora", "openpgp"))
    assert objections(repo) == [("unknown-signer", second), ("unknown-signer", first)]
    assert objections(repo, base=first) == []
    repo.write(FILE, known.line("ann") + known.line("bob"))  # uncommitted
    assert objections(repo, second) == [("unknown-signer", second), ("unknown-signer", first)]


def test_a_changed_commit_does_not_keep_its_signature(tmp_path: Path, known: Keys) -> None:
    repo = started(tmp_path, ssh=known.line("ann"), openpgp=known.armoured("dora"))
    for how in (known.signing("ann"), known.signing("dora", "openpgp")):
        repo.git("reset", "--quiet", "--hard", "base")
        signed(repo, how)
        assert objections(repo) == []
        sealed = payload(repo)
        repo.write("keysets/acme/keyset.yaml", "version: 1\nevil: true\n")
        repo.git("add", "--all")
        tree = repo.git("write-tree").encode()
        forged = put(repo, re.sub(rb"^tree [0-9a-f]+", b"tree " + tree, sealed))
        assert objections(repo) == [("bad-commit-signature", forged)]


def test_a_signature_for_another_purpose_is_none(tmp_path: Path, known: Keys) -> None:
    repo = started(tmp_path, ssh=known.line("ann"))
    repo.commit()
    content = payload(repo)
    file = put(repo, with_header(content, ssh_signature(known, "ann", content, "file")))
    assert objections(repo) == [("bad-commit-signature", file)]
    put(repo, with_header(content, ssh_signature(known, "ann", content)))
    assert objections(repo) == []


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ('namespaces="git"', []),
        ('namespaces="file,git"', []),
        ('namespaces="file"', ["bad-commit-signature"]),
        ('valid-after="20260203"', []),
        ('valid-after="20260203040507Z"', ["unknown-signer"]),
        ('valid-before="20260203040507Z"', []),
        ('valid-before="20260203040506"', []),
        ('valid-before="20260203040505",namespaces="git"', ["unknown-signer"]),
        ("cert-authority", ["unknown-signer"]),
    ],
)
def test_options_of_allowed_signers_count(tmp_path: Path, known: Keys, options: str, expected: list[str]) -> None:
    repo = started(tmp_path, ssh=known.line("ann", options))
    signed(repo, known.signing("ann"))
    assert [rule for rule, _ in objections(repo)] == expected


def test_times_of_allowed_signers_mean_utc_wherever_this_runs(
    tmp_path: Path, known: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    repo = started(tmp_path, ssh=known.line("ann", 'valid-after="202602030400",valid-before="202602030410"'))
    signed(repo, known.signing("ann"))
    assert objections(repo) == []


def test_certificates_of_an_authority_are_taken_for_their_principals(tmp_path: Path, known: Keys) -> None:
    authority = f'*@acme.example cert-authority,namespaces="git" {known.public("ca")}\n'
    repo = started(tmp_path / "right", ssh=authority)
    signed(repo, known.signing("cat-cert.pub"))
    assert objections(repo) == []
    bare = signed(repo, known.signing("cat"))
    assert objections(repo) == [("unknown-signer", bare)]
    repo = started(tmp_path / "wrong", ssh=authority.replace("*@acme", "*@globex"))
    other = signed(repo, known.signing("cat-cert.pub"))
    assert [one for _, one in objections(repo)] == [other]


def test_openpgp_keys_that_expired_or_were_revoked_are_refused(tmp_path: Path, known: Keys) -> None:
    repo = started(tmp_path / "brief", openpgp=known.armoured("brief", "dora"))
    brief = signed(repo, known.signing("brief", "openpgp"))
    assert objections(repo) == []
    assert objections(repo, now=LATER) == [("unknown-signer", brief)]
    repo = started(tmp_path / "gone", openpgp=known.armoured("gone"))
    gone = signed(repo, known.signing("gone", "openpgp"))
    assert objections(repo) == []
    revoke(known, "gone")
    repo.git("checkout", "--quiet", "base")
    repo.write(ARMOURED, known.armoured("gone"))
    repo.commit("Revoke it")
    repo.git("tag", "revoked")
    assert objections(repo, gone, "revoked") == [("unknown-signer", gone)]


def test_configuration_has_no_say(tmp_path: Path, known: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    liar = tmp_path / "liar"
    good = 'Good \\"git\\" signature for ann@acme.example with ED25519 key SHA256:abc'
    status = r"[GNUPG:] NEWSIG\n[GNUPG:] GOODSIG 0123456789ABCDEF Ann\n[GNUPG:] TRUST_ULTIMATE 0\n"
    liar.write_text(f'#!/bin/sh\nprintf "{status}"\necho "{good}"\nexit 0\n')
    liar.chmod(0o755)
    everyone = tmp_path / "everyone"
    everyone.write_text(known.line("ann") + known.line("bob"))
    ann = tmp_path / "ann.pub"
    ann.write_text(known.public("ann") + "\n")
    repo = started(tmp_path / "repo", ssh=known.line("ann"), openpgp=known.armoured("dora"))
    bob = signed(repo, known.signing("bob"))
    ed = signed(repo, known.signing("ed", "openpgp"))
    signed(repo, known.signing("ann"))
    signed(repo, known.signing("dora", "openpgp"))
    traps = {
        "gpg.program": liar,
        "gpg.openpgp.program": liar,
        "gpg.ssh.program": liar,
        "gpg.ssh.allowedSignersFile": everyone,
        "gpg.ssh.revocationFile": ann,
        "gpg.minTrustLevel": "ultimate",
        "log.showSignature": "true",
        "log.mailmap": "true",
        "i18n.logOutputEncoding": "utf-16",
    }
    for name, value in traps.items():
        repo.git("config", name, str(value))
    own = tmp_path / "own.gitconfig"
    own.write_text((repo.path / ".git/config").read_text())
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(own))
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", f"'gpg.ssh.allowedsignersfile'='{everyone}'")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "gpg.ssh.program")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(liar))
    monkeypatch.setenv("GNUPGHOME", str(known.gpg))
    assert objections(repo) == [("unknown-signer", ed), ("unknown-signer", bob)]


def test_merges_and_all_that_they_bring_are_judged(tmp_path: Path, known: Keys) -> None:
    repo = started(tmp_path, ssh=known.line("ann"))
    repo.git("checkout", "--quiet", "-b", "side")
    side = repo.commit("On the side")
    repo.git("checkout", "--quiet", "main")
    signed(repo, known.signing("ann"))
    merge = ("merge", "--quiet", "--no-ff", "--message", "Merge", "side")
    repo.git(*merge)
    bare = repo.git("rev-parse", "HEAD")
    assert objections(repo) == [("unsigned-commit", bare), ("unsigned-commit", side)]
    repo.git("reset", "--quiet", "--hard", "HEAD^1")
    repo.git(*known.signing("ann"), *merge)
    assert objections(repo) == [("unsigned-commit", side)]
    assert objections(repo, base=side) == []
    assert objections(repo, "HEAD^1") == []


def test_replaced_objects_and_grafts_hide_nothing(tmp_path: Path, known: Keys) -> None:
    repo = started(tmp_path, ssh=known.line("ann"))
    plain = repo.commit("Hidden")
    ann = signed(repo, known.signing("ann"))
    base = repo.git("rev-parse", "base")
    repo.git("replace", plain, ann)
    assert objections(repo) == [("unsigned-commit", plain)]
    repo.git("replace", "-d", plain)
    (repo.path / ".git/info").mkdir(exist_ok=True)
    (repo.path / ".git/info/grafts").write_text(f"{ann} {base}\n")
    assert plain not in repo.git("rev-list", "HEAD").split()
    assert objections(repo) == [("unsigned-commit", plain)]


def test_a_shallow_clone_is_refused(tmp_path: Path, known: Keys) -> None:
    repo = started(tmp_path / "whole", ssh=known.line("ann"))
    repo.commit("Hidden")
    signed(repo, known.signing("ann"))
    clone = repo.clone(tmp_path / "clone", "--depth=2", "--branch=main")
    with pytest.raises(SourceError, match=r"shallow.*--unshallow") as caught:
        objections(clone, base="HEAD~1")
    assert caught.value.usage
    bare = repo.clone(tmp_path / "bare", "--bare")
    assert [rule for rule, _ in objections(bare)] == ["unsigned-commit"]
    missing = repo.clone(tmp_path / "treeless", "--filter=tree:0", "--no-checkout")
    assert [rule for rule, _ in objections(missing)] == ["unsigned-commit"]


def test_a_worktree_and_borrowed_objects_are_read_as_well(tmp_path: Path, known: Keys) -> None:
    repo = started(tmp_path / "whole", ssh=known.line("ann"))
    signed(repo, known.signing("ann"))
    plain = repo.commit("Plain")
    repo.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "tree"))
    assert objections(Repo(tmp_path / "tree")) == [("unsigned-commit", plain)]
    repo.git("clone", "--quiet", "--shared", str(repo.path), str(tmp_path / "shared"))
    assert objections(Repo(tmp_path / "shared")) == [("unsigned-commit", plain)]


def test_a_hook_judges_what_is_pushed_before_it_is_taken(tmp_path: Path, known: Keys) -> None:
    repo = started(tmp_path / "repo", ssh=known.line("ann"))
    server = repo.clone(tmp_path / "server", "--bare")
    hook = tmp_path / "server/hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    program = (
        "import sys; from pathlib import Path; from datetime import UTC, datetime;"
        "from publisher.commitsigning import unsigned; from publisher.git import open_revision;"
        "old, new, _ = sys.stdin.read().split(); here = Path.cwd();"
        "found = unsigned(here, open_revision(here, 'keysets', old), new, datetime.now(UTC));"
        "sys.exit('told: ' + ' '.join(one.rule.id for one in found) if found else 0)"
    )
    hook.write_text(f'#!/bin/sh\ncd "$GIT_DIR" && exec {sys.executable} -c "{program}"\n')
    hook.chmod(0o755)
    push = ("push", "--quiet", str(server.path), "HEAD:main")
    environment = {"PYTHONPATH": str(Path(__file__).parents[2])}
    good = signed(repo, known.signing("ann"))
    repo.git(*push, env=environment)
    assert server.git("rev-parse", "main") == good
    repo.commit("Plain")
    with pytest.raises(AssertionError, match="told: unsigned-commit"):
        repo.git(*push, env=environment)
    assert server.git("rev-parse", "main") == good


def test_sha256_repositories_are_judged(tmp_path: Path, known: Keys) -> None:
    Repo(tmp_path, "--object-format=sha256")
    repo = started(tmp_path, ssh=known.line("ann"))
    # Those sign in a header of their own (gpgsig-sha256).
    signed(repo, known.signing("ann"))
    assert b"gpgsig-sha256 " in payload(repo)
    assert objections(repo) == []
    plain = repo.commit("Plain")
    assert objections(repo) == [("unsigned-commit", plain)]


_ARMOUR = b"-----BEGIN %s-----\n\nAAAA\n-----END %s-----\n"


@pytest.mark.parametrize(
    ("signature", "says"),
    [
        (_ARMOUR % (b"SIGNED MESSAGE", b"SIGNED MESSAGE"), "X.509"),
        (_ARMOUR % (b"PGP MESSAGE", b"PGP MESSAGE"), "no known form"),
        (b"trust me", "no known form"),
    ],
)
def test_other_signatures_are_told(tmp_path: Path, known: Keys, signature: bytes, says: str) -> None:
    repo = started(tmp_path, ssh=known.line("ann"))
    repo.commit()
    odd = put(repo, with_header(payload(repo), signature))
    assert objections(repo) == [("unverified-signature", odd)]
    (found,) = unsigned(repo.path, open_revision(repo.path, "keysets", "base"), "HEAD", LATER)
    assert says in found.message


def test_of_two_signatures_none_counts(tmp_path: Path, known: Keys) -> None:
    repo = started(tmp_path, ssh=known.line("ann"))
    repo.commit()
    content = payload(repo)
    ann, bob = (ssh_signature(known, name, content) for name in ("ann", "bob"))
    for first, second in ((ann, bob), (bob, ann), (ann, ann)):
        two = put(repo, with_header(with_header(content, first), second))
        assert objections(repo) == [("unverified-signature", two)]


@pytest.mark.parametrize("kind", ["SSH", "PGP"])
def test_damaged_signatures_are_refused_and_stop_nothing(tmp_path: Path, known: Keys, kind: str) -> None:
    repo = started(tmp_path, ssh=known.line("ann"), openpgp=known.armoured("dora"))
    word = f"{kind} SIGNATURE".encode()
    damaged = []
    for size in (1, 100_000, 1_000_000):
        signed(repo, known.signing("ann"))
        repo.commit()
        content = payload(repo) + b"x" * size  # more than a pipe holds
        damaged.append(put(repo, with_header(content, _ARMOUR % (word, word))))
    plain = repo.commit()
    expected = [("bad-commit-signature", one) for one in reversed(damaged)]
    assert objections(repo) == [("unsigned-commit", plain), *expected]


def test_hostile_words_steer_nothing(tmp_path: Path, known: Keys) -> None:
    repo = started(tmp_path, ssh=known.line("ann"))
    repo.commit()
    hostile = "\x1b[2J`\u202e::error::G " + "x" * 5_000
    content = payload(repo).replace(b"Change key sets", hostile.encode() + b"\ngpgsig -----BEGIN SSH SIGNATURE-----")
    content = content.replace(b"author Ann", b"author \x1b]0;G\x07\0" + b"f" * 40 + b" G`")
    plain = put(repo, content)
    assert objections(repo) == [("unsigned-commit", plain)]
    (found,) = unsigned(repo.path, open_revision(repo.path, "keysets", "base"), "HEAD", LATER)
    assert found.message.count("`") == 2
    assert found.message.isascii()
    content = content.replace(b"\0", b"")
    put(repo, with_header(content, ssh_signature(known, "ann", content)))
    assert objections(repo) == []


def test_a_program_that_is_missing_is_named(tmp_path: Path, known: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = started(tmp_path / "repo", ssh=known.line("ann"), openpgp=known.armoured("dora"))
    ann = signed(repo, known.signing("ann"))
    assert objections(repo) == []
    dora = signed(repo, known.signing("dora", "openpgp"))
    programs = {name: shutil.which(name) for name in ("git", "ssh-keygen", "gpg")}
    for name, expected in (
        ("gpg", [("unverified-signature", dora)]),
        ("ssh-keygen", [("unverified-signature", ann)]),
    ):
        place = tmp_path / name
        place.mkdir()
        for other, path in programs.items():
            if other != name:
                assert path is not None
                (place / other).symlink_to(path)
        with monkeypatch.context() as patch:
            patch.setenv("PATH", str(place))
            assert objections(repo) == expected
            (found,) = unsigned(repo.path, open_revision(repo.path, "keysets", "base"), "HEAD", LATER)
            assert f"{name} (" in found.message
            if name == "gpg":  # which is not needed
                assert objections(repo, ann) == []


def test_an_old_ssh_keygen_is_a_failure(tmp_path: Path, known: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = started(tmp_path / "repo", ssh=known.line("ann"))
    signed(repo, known.signing("ann"))
    place = tmp_path / "bin"
    place.mkdir()
    old = place / "ssh-keygen"
    old.write_text("#!/bin/sh\necho 'ssh-keygen: unknown option -- Y' >&2\necho 'usage: ssh-keygen [-q]' >&2\nexit 1\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")
    with pytest.raises(SourceError, match=r"OpenSSH 8\.9") as caught:
        objections(repo)
    assert not caught.value.usage


def test_nothing_stays_behind(tmp_path: Path, known: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = started(tmp_path / "repo", openpgp=known.armoured("dora"))
    signed(repo, known.signing("dora", "openpgp"))
    place = tmp_path / "t"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    assert objections(repo) == []
    assert list(place.iterdir()) == []
    running = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not [line for line in running if str(place).encode() in line]


def test_what_is_no_revision_or_no_repository_is_told(tmp_path: Path, known: Keys) -> None:
    repo = started(tmp_path, ssh=known.line("ann"))
    with pytest.raises(SourceError, match="names no commit"):
        objections(repo, "elsewhere")
    with pytest.raises(SourceError, match="no revision"):
        objections(repo, "--all")
