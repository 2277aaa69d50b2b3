"""Private key material anywhere in a file, also in comments, in unknown fields and in files that no entry names."""

import itertools
import re
from collections.abc import Iterator

from publisher.diagnostic import Diagnostic, Where
from publisher.fields import Reading
from publisher.publickey import PRIVATE, PRIVATE_MEMBERS, private_member
from publisher.yamlfile import Value

LIMIT = 20
"""Places that are told of one file."""

# PEM (RFC 7468), OpenSSH and OpenPGP armour, SSH.com's (which has four dashes), and PuTTY's own form.
_ARMOUR = re.compile(
    rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|---- BEGIN [A-Z0-9 ]*PRIVATE KEY ----|"
    rb"PuTTY-User-Key-File-[0-9]"
)
# With backslashes where the JSON stands in quotes.
_JSON = re.compile(rb"\"(?:d|p|q|dp|dq|qi|k)\\?\"\s*:\s*\\?\"[A-Za-z0-9_-]{20,}")
_JSON_NAMES = tuple(b'"%s%s"' % (name.encode(), end) for name in sorted(PRIVATE_MEMBERS) for end in (b"", b"\\"))
_COMMENT = re.compile(rb"#[^\n]*")
# 40: a P-256 or Ed25519 private key has 43 characters.
_COMMENTED = re.compile(rb"(?<![A-Za-z0-9_-])(?:d|p|q|dp|dq|qi)['\"]?[ \t]*:[ \t]*['\"]?[A-Za-z0-9_-]{40,}")


def private_key_places(path: str, data: bytes) -> Iterator[Diagnostic]:
    """A diagnostic for each place in a file where a private key begins. None of it is shown."""
    if b"\0" in data:
        data = data.replace(b"\0", b"")  # UTF-16, as PowerShell writes what it is given
    for start in sorted(set(itertools.islice(_starts(data), LIMIT))):
        line = data.rfind(b"\n", 0, start) + 1
        yield Diagnostic(
            path=path,
            line=data.count(b"\n", 0, line) + 1,
            column=len(data[line:start].decode("utf-8", "replace")) + 1,
            rule=PRIVATE.id,
            message="a private key begins here",
            hint="remove it; treat the key as exposed and replace it",
        )


def private_members(value: Value, reading: Reading) -> None:
    """Find fields named as private members in what a file says, whatever they stand in.

    Adds a finding for each that has none yet, in place of others there. For files with findings: where a schema has no
    place for such a field, it has noted something already.
    """
    told = {finding.where for finding in reading.findings if finding.rule is PRIVATE}
    found = {where: None for where in itertools.islice(_named(value, ()), LIMIT) if where not in told}
    if found:
        others = [one for one in reading.findings if one.where not in found]
        reading.findings.clear()
        for where in found:
            reading.note(PRIVATE, where, *private_member(str(where[-1])), at_key=True)
        reading.findings.extend(others)


def _starts(data: bytes) -> Iterator[int]:
    """Where private keys begin. Plain searches come first: nearly all files end there."""
    if b"PRIVATE KEY" in data or b"PuTTY" in data:
        yield from (found.start() for found in _ARMOUR.finditer(data))
    if any(name in data for name in _JSON_NAMES):
        yield from (found.start() for found in _JSON.finditer(data))
    if b"#" in data:
        for comment in _COMMENT.finditer(data):
            yield from (comment.start() + found.start() for found in _COMMENTED.finditer(comment[0]))


def _named(value: Value, where: Where) -> Iterator[Where]:
    if isinstance(value, dict):
        for name, item in value.items():
            if name in PRIVATE_MEMBERS:
                yield (*where, name)
            yield from _named(item, (*where, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _named(item, (*where, index))
