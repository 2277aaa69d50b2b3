"""Who may sign commits: `allowed_signers` and `allowed_signers.asc` beside policy.yaml, as a commit has them.

The first is ssh-keygen(1)'s ALLOWED SIGNERS, which ssh-keygen itself reads when it verifies. It says nothing of lines
that it cannot read, so the form of each is looked at here; no library reads it. The second holds armoured OpenPGP
public keys; whether they are any is for gpg to say.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

from publisher.diagnostic import Rule
from publisher.gitprogram import Git
from publisher.objection import Objection
from publisher.source import LIMIT_FILE_BYTES, Revision, inside

SSH = "allowed_signers"
OPENPGP = "allowed_signers.asc"

NO_SIGNERS = Rule(
    id="no-allowed-signers",
    doc="Commits are judged by the allowed signers of the base revision: `allowed_signers` (SSH keys, as ssh-keygen(1) "
    "reads them) and `allowed_signers.asc` (armoured OpenPGP public keys) beside policy.yaml. A change cannot bring "
    "its own: a platform owner merges them first.",
)
MALFORMED = Rule(
    id="allowed-signers-malformed",
    doc="allowed_signers has a signer a line (principals, options, key type, key), as ssh-keygen(1) tells under "
    "ALLOWED SIGNERS; allowed_signers.asc holds armoured OpenPGP public keys. Both are plain files without private "
    "keys. Of a file that cannot be read wholly nothing is believed.",
)
RULES = (NO_SIGNERS, MALFORMED)

_TIME = r"[0-9]{8}(?:[0-9]{4}(?:[0-9]{2})?)?Z?"
_OPTION = rf'(?i:cert-authority|namespaces="[^"]*"|valid-(?:after|before)="{_TIME}")'
_LINE = re.compile(
    rf'(?:"[^"]+"|[^\s"]+)[ \t]+(?:{_OPTION}(?:,{_OPTION})*[ \t]+)?'
    r"(?P<kind>[a-z0-9@.-]+)[ \t]+(?P<key>[A-Za-z0-9+/]+=*)(?:[ \t].*)?",
)
_ARMOUR = re.compile(rb"\s*-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n.*-----END PGP PUBLIC KEY BLOCK-----\s*", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedSigners:
    """The files' content; empty where there is none. `openpgp` is armoured."""

    ssh: bytes
    openpgp: bytes
    ssh_file: str
    """Relative to the repository, as `openpgp_file`."""
    openpgp_file: str


def allowed_signers(git: Git, base: Revision) -> AllowedSigners | tuple[Objection, ...]:
    """The allowed signers of a revision, or why there are none. SourceError when the repository cannot be read."""
    files: dict[str, bytes] = {}
    found: list[Objection] = []
    listed = git.tell("ls-tree", "-z", "-l", "--full-tree", base.tree, "--", SSH, OPENPGP)
    for entry in listed.decode("utf-8", "replace").split("\0")[:-1]:
        about, _, name = entry.partition("\t")
        mode, _, object_id, size = about.split()
        if not mode.startswith("100"):
            found.append(malformed(inside(base.root, name), "it is no plain file", "put a plain file in its place"))
        elif int(size) > LIMIT_FILE_BYTES:
            message = f"it has more than {LIMIT_FILE_BYTES:,} bytes"
            found.append(malformed(inside(base.root, name), message, "take out who signs no more"))
        else:
            files[name] = git.tell("cat-file", "blob", object_id)
    ssh_file, openpgp_file = inside(base.root, SSH), inside(base.root, OPENPGP)
    if not files and not found:
        message = f"the base revision has no {ssh_file}, nor {openpgp_file}"
        hint = "a platform owner adds one first, in a change of its own"
        return (Objection(rule=NO_SIGNERS, about=ssh_file, message=message, hint=hint),)
    found += _ssh_faults(ssh_file, files.get(SSH, b""))
    if OPENPGP in files:
        found += _openpgp_faults(openpgp_file, files[OPENPGP])
    if found:
        return tuple(found)
    return AllowedSigners(
        ssh=files.get(SSH, b""), openpgp=files.get(OPENPGP, b""), ssh_file=ssh_file, openpgp_file=openpgp_file
    )


def malformed(file: str, message: str, hint: str) -> Objection:
    """A file of the base that cannot be read."""
    return Objection(rule=MALFORMED, about=file, message=f"{file} of the base revision: {message}", hint=hint)


def _ssh_faults(file: str, data: bytes) -> Iterator[Objection]:
    if b"PRIVATE KEY" in data:
        yield malformed(file, "it holds a private key", "revoke that key; write public keys alone")
        return
    hint = 'write `ann@acme.example namespaces="git" ssh-ed25519 AAAA...`, as ssh-keygen(1) tells'
    for number, raw in enumerate(data.split(b"\n"), 1):
        line = raw.strip(b" \t\r").decode("utf-8", "replace")
        if not line or line.startswith("#"):
            continue
        if "\0" in line or not _is_signer(line):
            yield malformed(file, f"line {number} is no allowed signer", hint)


def _is_signer(line: str) -> bool:
    parts = _LINE.fullmatch(line)
    if parts is None:
        return False
    try:
        key = base64.b64decode(parts["key"], validate=True)
    except binascii.Error:
        return False
    # RFC 4253 section 6.6: a key begins with its type, as a string with its length before.
    kind = parts["kind"].encode()
    return key.startswith(len(kind).to_bytes(4, "big") + kind) and len(key) > len(kind) + 4


def _openpgp_faults(file: str, data: bytes) -> Iterator[Objection]:
    if b"PRIVATE KEY" in data:
        yield malformed(file, "it holds a private key", "revoke that key; write public keys alone")
    elif not _ARMOUR.fullmatch(data):
        hint = "write what `gpg --armor --export ann@acme.example` prints"
        yield malformed(file, "it is no armoured OpenPGP public key", hint)
