"""The files of allowed signers: what of them is believed, and what is told of others."""

from pathlib import Path

import pytest
from repos import Repo

from publisher.allowedsigners import allowed_signers
from publisher.commitsigning import unsigned
from publisher.git import open_revision
from publisher.gitprogram import Git
from publisher.objection import Objection
from publisher.source import LIMIT_FILE_BYTES

from .sealing import ARMOURED, FILE, NOW, Keys, objections, signed, started

_KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIGa7Nnk3bJ1xSkkmHzkkbhgtYz7EXAMPLEEXAMPLEEXAMPL="


def _read(repo: Repo) -> tuple[Objection, ...]:
    found = allowed_signers(Git(directory=repo.path), open_revision(repo.path, "keysets", "HEAD"))
    return found if isinstance(found, tuple) else ()


def test_without_any_a_platform_owner_comes_first(tmp_path: Path, known: Keys) -> None:
    repo = started(tmp_path)
    repo.write(FILE, known.line("ann"))
    repo.git("add", "--all")
    signed(repo, known.signing("ann"))
    (found,) = unsigned(repo.path, open_revision(repo.path, "keysets", "base"), "HEAD", NOW)
    assert found.rule.id == "no-allowed-signers"
    assert found.about == FILE
    assert "the base revision has no keysets/allowed_signers" in found.message
    assert "a platform owner adds one first" in found.hint


def test_they_lie_in_the_key_sets_top_folder(tmp_path: Path, known: Keys) -> None:
    repo = Repo(tmp_path)
    repo.write("keysets/acme/allowed_signers", known.line("ann"))
    repo.write("allowed_signers", known.line("ann"))
    repo.commit()
    assert [one.rule.id for one in _read(repo)] == ["no-allowed-signers"]
    found = allowed_signers(Git(directory=tmp_path / "keysets"), open_revision(tmp_path, ".", "HEAD"))
    assert not isinstance(found, tuple)
    assert found.ssh_file == "allowed_signers"
    assert found.ssh.decode() == known.line("ann")


@pytest.mark.parametrize(
    "line",
    [
        "ann@acme.example KEY",
        "  ann@acme.example,bob@acme.example\tKEY a comment",
        '"ann smith@acme.example" KEY',
        "*@acme.example,!eve@acme.example cert-authority KEY",
        'ann@acme.example namespaces="git,file",valid-after="20260101",valid-before="202612312359Z" KEY',
        'ann@acme.example Namespaces="git",CERT-AUTHORITY KEY\r',
        "# a comment",
        "",
        "   ",
    ],
)
def test_what_ssh_keygen_reads_is_taken(tmp_path: Path, known: Keys, line: str) -> None:
    repo = started(tmp_path, ssh=known.line("bob") + line.replace("KEY", known.public("ann")) + "\n")
    assert _read(repo) == ()
    if "ann@" in line and "cert" not in line.lower():
        signed(repo, known.signing("ann"))
        assert objections(repo) == []


@pytest.mark.parametrize(
    "line",
    [
        "KEY",
        "ann@acme.example",
        "ann@acme.example ssh-ed25519",
        "ann@acme.example ssh-ed25519 AAAA",
        f"ann@acme.example ssh-rsa {_KEY}",
        "ann@acme.example ssh-ed25519 ~~~~",
        "ann@acme.example bogus KEY",
        'ann@acme.example namespaces="git KEY',
        "ann@acme.example namespaces=git KEY",
        'ann@acme.example namespaces="git", cert-authority KEY',
        'ann@acme.example valid-before="tomorrow" KEY',
        'ann@acme.example valid-before="2026" KEY',
        '"ann@acme.example KEY',
        "<<<<<<< HEAD",
        "ann@acme.example KEY\0",
    ],
)
def test_lines_that_are_no_signers_are_told_by_number(tmp_path: Path, known: Keys, line: str) -> None:
    repo = started(tmp_path, ssh=f"# signers\n{line.replace('KEY', known.public('ann'))}\n" + known.line("bob"))
    (found,) = _read(repo)
    assert (found.rule.id, found.about) == ("allowed-signers-malformed", FILE)
    assert found.message == f"{FILE} of the base revision: line 2 is no allowed signer"
    signed(repo, known.signing("bob"))
    assert objections(repo) == [("allowed-signers-malformed", FILE)]


def test_private_keys_are_told_and_not_shown(tmp_path: Path, known: Keys) -> None:
    private = (known.ssh / "ann").read_text()
    repo = started(tmp_path, ssh=private, openpgp=b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nAAAA\n")
    found = _read(repo)
    assert [one.message.partition(": ")[2] for one in found] == ["it holds a private key"] * 2
    assert private.splitlines()[1] not in repr(found)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"dora@acme.example",
        b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n",
        b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n",
        b"-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n",
    ],
)
def test_what_is_no_openpgp_key_is_told(tmp_path: Path, known: Keys, content: bytes) -> None:
    repo = started(tmp_path, openpgp=content)
    signed(repo, known.signing("dora", "openpgp"))
    assert objections(repo) == [("allowed-signers-malformed", ARMOURED)]


def test_several_armoured_blocks_are_one_file(tmp_path: Path, known: Keys) -> None:
    repo = started(tmp_path, openpgp=known.armoured("dora") + b"\n" + known.armoured("ed").replace(b"\n", b"\r\n"))
    signed(repo, known.signing("dora", "openpgp"))
    signed(repo, known.signing("ed", "openpgp"))
    assert objections(repo) == []


def test_only_plain_files_of_a_sensible_size_are_read(tmp_path: Path, known: Keys) -> None:
    repo = started(tmp_path, openpgp=b"#" * (LIMIT_FILE_BYTES + 1))
    repo.write("keysets/elsewhere", known.line("ann"))
    repo.link(FILE, "elsewhere")
    repo.commit()
    assert [(one.rule.id, one.about) for one in _read(repo)] == [
        ("allowed-signers-malformed", FILE),
        ("allowed-signers-malformed", ARMOURED),
    ]
