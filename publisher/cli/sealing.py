"""--signing-key and --trusted-keys: how releases are signed, and whose signatures count."""

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from publisher.cli.options import ENV, option
from publisher.seal import SealError, SigningKey, TrustedKeys, read_signing_key, read_trusted_keys, seal, unseal

_PASSWORD = f"{ENV}SIGNING_KEY_PASSWORD"


class Sealing:
    """Signs with a key, where one is given, and verifies with the trusted ones, where there are any.

    A log that is signed stays so: who has no key for it adds nothing to it.
    """

    def __init__(self, key: SigningKey | None, trusted: TrustedKeys | None) -> None:
        self._key, self._trusted, self._signed = key, trusted, False

    @property
    def trusts(self) -> bool:
        """Whether only what is signed is taken."""
        return self._trusted is not None

    def close(self, payload: bytes) -> bytes:
        """What is stored for a release's JSON."""
        if self._key is not None:
            return seal(payload, self._key)
        if self._signed or self._trusted is not None:
            raise SealError("the releases of this store are signed; give --signing-key to add one")
        return payload

    def open(self, data: bytes) -> bytes:
        """The JSON of what is stored. Raises SealError where it is not signed by a trusted key, if there are any."""
        opened = unseal(data, self._trusted)
        self._signed = self._signed or opened.signer is not None
        return opened.payload


_TRUSTED = option(
    "--trusted-keys",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Public keys (PEM or JWKS): releases must be signed by one of them.",
)
_SIGNING = option(
    "--signing-key",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help=f"A private key (PEM) to sign the release with; its password in {_PASSWORD}.",
)


def trusting(command: Callable[..., Any]) -> Callable[..., Any]:
    """--trusted-keys; the command takes it as `sealing`."""

    @functools.wraps(command)
    def wrapper(*arguments: Any, trusted_keys: Path | None, **others: Any) -> Any:
        return command(*arguments, sealing=Sealing(None, _trusted(trusted_keys)), **others)

    return _TRUSTED(wrapper)


def signing(command: Callable[..., Any]) -> Callable[..., Any]:
    """--signing-key and --trusted-keys; the command takes them as `sealing`."""

    @functools.wraps(command)
    def wrapper(*arguments: Any, signing_key: Path | None, trusted_keys: Path | None, **others: Any) -> Any:
        password = os.environ.get(_PASSWORD)
        key = None
        if signing_key is not None:
            key = read_signing_key(signing_key.read_bytes(), password=password.encode() if password else None)
        trusted = _trusted(trusted_keys)
        if key is not None and trusted is not None and trusted.find(key.thumbprint) is None:
            message = (
                f"--signing-key: {key.thumbprint} is not among --trusted-keys; every reader would refuse its releases"
            )
            raise click.UsageError(message)
        return command(*arguments, sealing=Sealing(key, trusted), **others)

    return _SIGNING(_TRUSTED(wrapper))


def _trusted(path: Path | None) -> TrustedKeys | None:
    return None if path is None else read_trusted_keys(path.read_bytes())
