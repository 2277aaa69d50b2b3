"""Private key material anywhere in a tenant's files, also in comments and in files that no entry names."""

import re
from collections.abc import Iterator

from publisher.diagnostic import Diagnostic
from publisher.jwk import PRIVATE
from publisher.source import Folder

# PEM (RFC 7468), OpenSSH and OpenPGP armour, PuTTY's own form, and a JWK's private exponent in JSON.
_MARKS = re.compile(
    rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-[0-9]|"
    rb"\"(?:d|p|q|dp|dq|qi|k)\"\s*:\s*\"[A-Za-z0-9_-]{20,}"
)


def private_key_places(folder: Folder) -> Iterator[Diagnostic]:
    """A diagnostic for each place in the folder's files where a private key begins. None of it is shown."""
    for name, file in folder.files.items():
        data = file.data
        if b"PRIVATE" not in data and b"PuTTY" not in data and b'"' not in data:
            continue  # the common case, at the speed of a plain search
        for found in _MARKS.finditer(data):
            start = data.rfind(b"\n", 0, found.start()) + 1
            yield Diagnostic(
                path=f"{folder.path}/{name}",
                line=data.count(b"\n", 0, start) + 1,
                column=len(data[start : found.start()].decode("utf-8", "replace")) + 1,
                rule=PRIVATE.id,
                message="a private key begins here",
                hint="remove it; treat the key as exposed and replace it",
            )
