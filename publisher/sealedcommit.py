"""Commits as Git keeps them: in which form each is signed, and who it says made it.

Read from their bytes, as what `git log` prints of them could be forged by their authors' names. Where a signature
stands is in gitformat-signature(5).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from publisher.diagnostic import clean
from publisher.gitprogram import Git, Running
from publisher.trees import CAT

Form: TypeAlias = Literal["none", "ssh", "openpgp", "x509", "several", "other"]

_FORMS: Final[dict[bytes, Form]] = {
    b"-----BEGIN SSH SIGNATURE-----": "ssh",
    b"-----BEGIN PGP SIGNATURE-----": "openpgp",
    b"-----BEGIN SIGNED MESSAGE-----": "x509",
}
_REQUESTS: Final = 60
_SUBJECT: Final = 60
_SHA1: Final = 40
"""Length of an id. Repositories of SHA-256 ids have signatures in another header; that of the other one is not read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedCommit:
    """A commit, and how it is signed. `author` and `subject` are fit for a terminal."""

    id: str
    form: Form
    author: str
    subject: str


def sealed_commits(git: Git, names: list[str]) -> Iterator[SealedCommit]:
    """The commits of these ids, in their order. SourceError where the repository lacks one."""
    with git.started(*CAT, asked=True) as objects:
        for start in range(0, len(names), _REQUESTS):
            some = names[start : start + _REQUESTS]
            objects.write("".join(f"{name}\n" for name in some).encode())
            for name in some:
                yield _signed(name, _content(objects))


def _content(objects: Running) -> bytes:
    header = objects.out.readline().split()
    if len(header) != 3 or header[1] != b"commit":
        raise objects.failure()
    size = int(header[2])
    data = objects.out.read(size + 1)
    if len(data) != size + 1:
        raise objects.failure()
    return data[:-1]


def _signed(name: str, content: bytes) -> SealedCommit:
    header, _, message = content.partition(b"\n\n")
    lines = header.split(b"\n")
    own = b"gpgsig " if len(name) == _SHA1 else b"gpgsig-sha256 "
    found = [line.removeprefix(own) for line in lines if line.startswith(own)]
    author = next((line.removeprefix(b"author ") for line in lines if line.startswith(b"author ")), b"nobody")
    form: Form = "none" if not found else "several"
    if len(found) == 1:
        form = _FORMS.get(found[0].strip(), "other")
    return SealedCommit(
        id=name,
        form=form,
        author=_short(author.rpartition(b">")[0] + b">"),
        subject=_short(message.strip().partition(b"\n")[0]),
    )


def _short(text: bytes) -> str:
    """What a stranger wrote, in at most so many characters, without what could end its quotation."""
    told = text.decode("utf-8", "replace").replace("`", "'")
    return clean(told if len(told) <= _SUBJECT else told[:_SUBJECT] + "...")
