"""Keys of people who sign commits, and commits with any signature: made by ssh-keygen, gpg and git."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from repos import ISOLATED, Repo

from publisher.commitsigning import unsigned
from publisher.git import open_revision

NOW = datetime(2026, 5, 1, tzinfo=UTC)
"""Commits are made on 2026-02-03 (`repos.ISOLATED`)."""
LATER = datetime(2026, 7, 1, tzinfo=UTC)
"""When the key `brief` has expired."""
FILE = "keysets/allowed_signers"
ARMOURED = "keysets/allowed_signers.asc"

_SIGNED_AT = "20260203T040506!"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """SSH keys (files beside their .pub) in `ssh`, OpenPGP keys by address in the gpg home `gpg`."""

    ssh: Path
    gpg: Path

    def public(self, name: str) -> str:
        """Type and key."""
        return " ".join((self.ssh / f"{name}.pub").read_text().split()[:2])

    def line(self, name: str, options: str = "") -> str:
        """A line of allowed_signers."""
        return f"{name}@acme.example {options + ' ' if options else ''}{self.public(name)}\n"

    def armoured(self, *names: str) -> bytes:
        """The OpenPGP public keys."""
        return _run(self.gpg, "--armor", "--export", *(f"{name}@acme.example" for name in names))

    def signing(self, name: str, form: str = "ssh") -> tuple[str, ...]:
        """Options for git that sign with a key."""
        if form == "ssh":
            return ("-c", "gpg.format=ssh", "-c", f"user.signingKey={self.ssh / name}", "-c", "commit.gpgSign=true")
        program = ("-c", f"gpg.program={self.gpg / 'gpg-then'}", "-c", "commit.gpgSign=true")
        return (*program, "-c", f"user.signingKey={name}@acme.example")


@contextmanager
def keys(place: Path) -> Iterator[Keys]:
    """SSH: ann, bob, and cat, whom the authority `ca` certifies. OpenPGP: dora, ed, brief (expires), gone (revoked)."""
    for name in ("ann", "bob", "cat", "ca"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(place / name)], check=True)
    certify = ["ssh-keygen", "-q", "-s", "ca", "-I", "cat", "-n", "cat@acme.example", "cat.pub"]
    subprocess.run(certify, check=True, cwd=place)
    # Sockets of gpg-agent take short paths only.
    home = Path(tempfile.mkdtemp(prefix="gpg-", dir="/tmp"))
    try:
        for name, until in (("dora", "0"), ("ed", "0"), ("gone", "0"), ("brief", "2026-06-01")):
            who = f"{name} <{name}@acme.example>"
            _run(home, "--passphrase", "", "--quick-generate-key", who, "ed25519", "sign", until)
        then = home / "gpg-then"
        then.write_text(f'#!/bin/sh\nexec gpg --homedir {home} --faked-system-time {_SIGNED_AT} "$@"\n')
        then.chmod(0o755)
        yield Keys(ssh=place, gpg=home)
    finally:
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=True)
        shutil.rmtree(home)


def revoke(known: Keys, name: str) -> None:
    """Revoke an OpenPGP key in its own home."""
    listed = _run(known.gpg, "--with-colons", "--list-keys", f"{name}@acme.example").decode()
    fingerprint = next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr"))
    revocation = known.gpg / "openpgp-revocs.d" / f"{fingerprint}.rev"
    _run(known.gpg, "--import", given=revocation.read_bytes().replace(b":-----BEGIN", b"-----BEGIN"))


def started(place: Path, **files: str | bytes) -> Repo:
    """A repository whose first commit has a tenant, and these files of allowed signers: `ssh` and `openpgp`."""
    repo = Repo(place)
    repo.write("keysets/acme/keyset.yaml", "version: 1\n")
    for name, path in (("ssh", FILE), ("openpgp", ARMOURED)):
        if name in files:
            repo.write(path, files[name])
    repo.commit("Begin")
    repo.git("tag", "base")
    return repo


def signed(repo: Repo, how: tuple[str, ...], message: str = "Change") -> str:
    """Commit with git, and these options of `Keys.signing`."""
    repo.git(*how, "commit", "--quiet", "--allow-empty", "--message", message)
    return repo.git("rev-parse", "HEAD")


def payload(repo: Repo, commit: str = "HEAD") -> bytes:
    """A commit as it is to be signed."""
    return (repo.git("cat-file", "commit", commit) + "\n").encode()


def with_header(content: bytes, value: bytes, name: bytes = b"gpgsig") -> bytes:
    """A commit's content with one more header."""
    header, _, message = content.partition(b"\n\n")
    return header + b"\n" + name + b" " + value.strip().replace(b"\n", b"\n ") + b"\n\n" + message


def put(repo: Repo, content: bytes) -> str:
    """Make a commit of this content the branch's head; its id."""
    made = repo.git("hash-object", "-t", "commit", "-w", "--stdin", "--literally", given=content)
    repo.git("update-ref", "HEAD", made)
    return made


def ssh_signature(known: Keys, name: str, content: bytes, namespace: str = "git") -> bytes:
    """What ssh-keygen signs."""
    command = ["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", str(known.ssh / name)]
    return subprocess.run(command, input=content, capture_output=True, check=True).stdout


def objections(repo: Repo, head: str = "HEAD", base: str = "base", now: datetime = NOW) -> list[tuple[str, str]]:
    """Rules and what they are about, as `unsigned` tells; its words are looked at."""
    found = unsigned(repo.path, open_revision(repo.path, "keysets", base), head, now)
    for one in found:
        text = f"{one.message}; {one.hint}"
        assert text.isprintable(), text
        assert "None" not in text
        assert len(text) < 500
    return [(one.rule.id, one.about) for one in found]


def _run(home: Path, *arguments: str, given: bytes = b"") -> bytes:
    command = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--faked-system-time", "20260101T000000!"]
    done = subprocess.run(
        [*command, *arguments], input=given, capture_output=True, check=False, env={**os.environ, **ISOLATED}
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout
