"""The edges where private keys are kept. Only `cli` imports this package, and only `open_vault` from it.

`local` is a folder of encrypted files; `kms` is the AWS Key Management Service. boto3 is imported when it is asked for:
a local vault starts without its 150 ms.
"""

from pathlib import Path

from publisher.vault import Vault
from publisher.vaults.public import RSA_BITS, Passphrase

__all__ = ["open_vault"]

_WANTED = "write local:/absolute/folder or aws-kms:PREFIX"


def open_vault(
    address: str, *, passphrase: Passphrase | None = None, endpoint_url: str | None = None, bits: int = 2048
) -> Vault:
    """The vault at an address.

    - `local:/absolute/folder`: a folder of encrypted files, outside any Git repository; see `vaults.local`.
      `passphrase` is asked for when the first key is made, not to retire one.
    - `aws-kms:PREFIX`, or `aws-kms:` for the prefix `jwks`: AWS KMS; see `vaults.kms`. The prefix begins the names of
      the keys' aliases, and parts the keys of several publishers in one account. Credentials and region are the usual
      AWS settings; `endpoint_url` (http or https) names a server that speaks for AWS.

    `bits`: the size of new RSA keys, 2048, 3072 or 4096.

    Raises ValueError, in one line that says what to write, for anything else; VaultError where there are no
    credentials. Nothing is sent or written yet.
    """
    kind, colon, rest = address.partition(":")
    if not colon or kind not in ("local", "aws-kms"):
        raise ValueError(f"a vault is named by its kind and its place; {_WANTED}")
    if bits not in RSA_BITS:
        raise ValueError(f"RSA keys of {bits} bits are not made; write 2048, 3072 or 4096")
    if kind == "local":
        if endpoint_url is not None:
            raise ValueError("an endpoint URL goes with aws-kms: only; leave it out")
        if not rest.startswith("/") or "\0" in rest:
            raise ValueError("a local vault is named by an absolute path; write local:/absolute/folder")
        from publisher.vaults.local import LocalVault

        return LocalVault(Path(rest), passphrase=passphrase, bits=bits)
    from publisher.vaults.kms import open_kms

    return open_kms(rest, endpoint_url=endpoint_url, bits=bits)
