"""Where the private halves of generated keys live, as the publisher sees it: what makes keys and retires them.

The implementations are in `vaults/`, which only `cli` imports. No private half ever passes through this interface: who
signs tokens reads it from the vault, or has the vault sign.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Protocol


class VaultError(Exception):
    """A vault failed or refused. One line for people, with what to do, and never key material or a passphrase."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The public half of a key pair, and where the private one is."""

    jwk: Mapping[str, str]
    """The public members alone, `kty` first; no `kid`, `use` or `alg`."""
    handle: str
    """`local:THUMBPRINT` or `aws-kms:ARN`: printable ASCII without blanks, and no secret."""


class Vault(Protocol):
    """Private keys by tenant. Every method raises `VaultError`; transient faults have been retried by then."""

    @property
    def name(self) -> str:
        """The vault's address as people write it."""
        ...

    def make(self, tenant: str, alg: str, used: AbstractSet[str]) -> Made:
        """A key of the tenant for `alg` whose RFC 7638 thumbprint (SHA-256, base64url) is not in `used`.

        It is one that an earlier run made and nobody used, where there is one, else a new one: so a run that is killed
        before it writes down what it got wastes no key, and the same request again gives the same key. `used` holds
        every key of the tenant that any revision or release is known to have held, revoked and withdrawn ones too. A
        vault notes which of its keys it has found there, and gives them to nobody again; of others it cannot know.

        The private half is kept for good when this returns. Processes at once may get the same key, or each its own.
        """
        ...

    def retire(self, tenant: str, handle: str) -> None:
        """The private half of a key of the tenant's is needed no more: put it away, or have it deleted after a while.

        Nothing happens where it is gone or being deleted already. VaultError for the handle of another kind of vault,
        and for a key that is not the tenant's: handles come from files that people can edit.
        """
        ...
