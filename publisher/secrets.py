"""Private key material anywhere in a file, also in comments and in files that no entry names."""

import re
from collections.abc import Iterator

from publisher.diagnostic import Diagnostic
from publisher.jwk import PRIVATE

# PEM (RFC 7468), OpenSSH and OpenPGP armour, PuTTY's own form, and a JWK's private exponent in JSON.
_MARKS = re.compile(
    rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-[0-9]|"
    rb"\"(?:d|p|q|dp|dq|qi|k)\"\s*:\s*\"[A-Za-z0-9_-]{20,}"
)


def private_key_places(path: str, data: bytes) -> Iterator[Diagnostic]:
    """A diagnostic for each place in a file where a private key begins. None of it is shown."""
    if b"PRIVATE" not in data and b"PuTTY" not in data and b'"' not in data:
        return  # the common case, at the speed of a plain search
    for found in _MARKS.finditer(data):
        start = data.rfind(b"\n", 0, found.start()) + 1
        yield Diagnostic(
            path=path,
            line=data.count(b"\n", 0, start) + 1,
            column=len(data[start : found.start()].decode("utf-8", "replace")) + 1,
            rule=PRIVATE.id,
            message="a private key begins here",
            hint="remove it; treat the key as exposed and replace it",
        )
