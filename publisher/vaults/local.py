"""A vault in a folder: each private half is an encrypted file, which whoever signs tokens reads with the passphrase.

    <folder>/_passphrase.pem              a key that signs nothing: it tells whether a passphrase is this vault's
    <folder>/<tenant>/<thumbprint>.pem    a private half: PKCS#8, encrypted (see `pkcs8`)
    <folder>/<tenant>/<thumbprint>.used   beside a key that has been in use: it is not given out again
    <folder>/_retired/<tenant>/           private halves that are needed no more, with their times; delete them by hand

No tenant's name has a `_`. Files have mode 0600 and folders 0700 under any umask, each file is written in one step and
is on disk before anybody hears of it, and a vault that others can read or that lies in a Git repository is refused.
(Work trees that a repository elsewhere names by `core.worktree` or GIT_WORK_TREE show no trace of it and pass.)

To change the passphrase, write every .pem of the folder anew: `openssl pkcs8 -topk8 -v2 aes-256-cbc -iter 600000`.
"""

import os
import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa

from publisher.diagnostic import clean, quote
from publisher.jwk import Jwk, kind
from publisher.vault import Made, VaultError
from publisher.vaults import folder
from publisher.vaults.pkcs8 import ROUNDS, PrivateKey, decrypted, encrypted_pem, generate
from publisher.vaults.public import Passphrase, check_tenant, kind_for, made, public_half

SHORTEST = 12
"""Characters that a passphrase has at least."""
LONGEST = 1023
"""Bytes that it has at most: OpenSSL's limit, which cryptography keeps to."""

_CHECK, _RETIRED, _LOCK = "_passphrase.pem", "_retired", folder.LOCK
_FILE = re.compile(r"([A-Za-z0-9_-]{43})\.pem", re.ASCII)
_HANDLE = re.compile(r"local:([A-Za-z0-9_-]{43})", re.ASCII)


class LocalVault:
    """A `Vault` in a folder, which the first key makes."""

    def __init__(self, place: Path, *, passphrase: Passphrase | None, bits: int = 2048, rounds: int = ROUNDS) -> None:
        """`bits`: of new RSA keys. `rounds`: of PBKDF2, for new files."""
        self._place = place
        self._passphrase = passphrase
        self._bits = bits
        self._rounds = rounds
        self._checked: bytes | None = None

    @property
    def name(self) -> str:
        """The address as `open_vault` takes it."""
        return f"local:{clean(str(self._place))}"

    def make(self, tenant: str, alg: str, used: AbstractSet[str]) -> Made:
        """See the protocol. Keys are told apart by their kind alone, so one for RS256 may be given out for PS256."""
        wanted = kind_for(alg)
        check_tenant(tenant)
        place, passphrase = self._place / tenant, self._checked or self._asked()
        with folder.naming(place), self._opened(make=True) as root:
            self._check_passphrase(root, passphrase)
            with folder.inner(root, tenant, place, make=True) as keys, folder.locked(keys, place):
                for thumbprint in self._unused(keys, place, used):
                    jwk = self._fitting(keys, place / f"{thumbprint}.pem", thumbprint, wanted, passphrase)
                    if jwk is not None:
                        os.fsync(keys)  # the run that made it may have been killed before it did
                        return made(jwk, f"local:{thumbprint}")
                private = generate(wanted, self._bits)
                jwk = public_half(private.public_key())
                pem = encrypted_pem(private, passphrase, rounds=self._rounds)
                folder.write(keys, f"{jwk.thumbprint}.pem", pem)
                return made(jwk, f"local:{jwk.thumbprint}")

    def retire(self, tenant: str, handle: str) -> None:
        """See the protocol. The file is moved below `_retired`, and stays until somebody deletes it."""
        match = _HANDLE.fullmatch(handle)
        if match is None:
            raise VaultError(f"{self.name}: {quote(handle)} is no key of a local vault; give the vault that it is in")
        check_tenant(tenant)
        with folder.naming(self._place / tenant), self._opened(make=False) as root:
            try:
                os.stat(f"{tenant}/{match[1]}.pem", dir_fd=root, follow_symlinks=False)
            except FileNotFoundError:
                return
            self._put_away(root, tenant, match[1])

    def _put_away(self, root: int, tenant: str, thumbprint: str) -> None:
        place, aside = self._place / tenant, self._place / _RETIRED
        with (
            folder.inner(root, tenant, place, make=False) as keys,
            folder.locked(keys, place),
            folder.inner(root, _RETIRED, aside, make=True) as retired,
            folder.inner(retired, tenant, aside / tenant, make=True) as target,
            suppress(FileNotFoundError),  # another process was quicker, or nobody has used the key
        ):
            os.rename(f"{thumbprint}.pem", f"{thumbprint}.pem", src_dir_fd=keys, dst_dir_fd=target)
            os.fsync(target)
            os.fsync(keys)
            os.unlink(f"{thumbprint}.used", dir_fd=keys)

    @contextmanager
    def _opened(self, *, make: bool) -> Iterator[int]:
        folder.refuse_git(self._place)
        with folder.root(self._place, make=make) as root:
            yield root

    def _unused(self, keys: int, place: Path, used: AbstractSet[str]) -> list[str]:
        """The thumbprints of keys that nobody has used; those in `used` are marked, so that they stay so."""
        names = set(os.listdir(keys))
        unused = []
        for match in filter(None, map(_FILE.fullmatch, sorted(names))):
            folder.check(keys, match[0], place / match[0])
            if f"{match[1]}.used" in names:
                continue
            if match[1] in used:
                folder.mark(keys, f"{match[1]}.used")
            else:
                unused.append(match[1])
        return unused

    def _fitting(self, keys: int, place: Path, thumbprint: str, wanted: str, passphrase: bytes) -> Jwk | None:
        """The public half of the key in a file, if it is of the kind and size."""
        private = decrypted(folder.read(keys, place.name, place) or b"", passphrase)
        if private is None:
            text = "this key is damaged, or has another passphrase than the vault; put it right, or move it away"
            raise VaultError(f"{clean(str(place))}: {text}")
        jwk = public_half(private.public_key())
        if jwk.thumbprint != thumbprint:
            raise VaultError(f"{clean(str(place))}: this file holds another key than its name says; move it away")
        return jwk if kind(jwk) == wanted and self._sized(private) else None

    def _sized(self, private: PrivateKey) -> bool:
        return not isinstance(private, rsa.RSAPrivateKey) or private.key_size == self._bits

    def _check_passphrase(self, root: int, passphrase: bytes) -> None:
        """The first passphrase becomes the vault's, so that a slip of the hand later encrypts nothing."""
        if self._checked is not None:
            return
        place = self._place / _CHECK
        with folder.locked(root, self._place):
            found = folder.read(root, _CHECK, place)
            if found is None:
                if set(os.listdir(root)) - {_LOCK}:
                    text = "this is missing, which tells the passphrase; restore it, or copy a key of the vault there"
                    raise VaultError(f"{clean(str(place))}: {text}")
                folder.write(root, _CHECK, encrypted_pem(generate("Ed25519", 0), passphrase, rounds=self._rounds))
            elif decrypted(found, passphrase) is None:
                raise VaultError(f"{self.name}: this is not the vault's passphrase; correct it")
        self._checked = passphrase

    def _asked(self) -> bytes:
        if self._passphrase is None:
            raise VaultError(f"{self.name}: a passphrase is needed; set JWKS_PUBLISHER_VAULT_PASSPHRASE")
        passphrase = self._passphrase if isinstance(self._passphrase, bytes) else self._passphrase()
        if len(passphrase.decode("utf-8", "replace")) < SHORTEST:
            raise VaultError(f"{self.name}: the passphrase is too short; take {SHORTEST} characters or more")
        if len(passphrase) > LONGEST:
            raise VaultError(f"{self.name}: the passphrase is too long; take {LONGEST} bytes or less")
        if any(byte < 0x20 or byte == 0x7F for byte in passphrase):
            raise VaultError(f"{self.name}: the passphrase has a line break or control character; leave it out")
        return passphrase
