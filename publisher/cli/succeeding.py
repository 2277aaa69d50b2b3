"""What the `generated` commands share: a tenant's generated.yaml, new keys from a vault, and edits that are checked."""

import functools
import os
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from publisher import generatedfile
from publisher.checking import check_folder
from publisher.cli import editing
from publisher.cli.console import Console
from publisher.cli.options import ENV, Asked, option
from publisher.conditions import Conditions, conditions
from publisher.diagnostic import Diagnostic, clean
from publisher.fleet import source_policy
from publisher.generatedfile import Content
from publisher.keyset import KeySet, read_keyset
from publisher.policy import Policy
from publisher.rotate import New
from publisher.source import GENERATED, File, Folder
from publisher.state import thumbprint
from publisher.vault import Vault, VaultError
from publisher.yamlfile import Value

_PASSPHRASE = f"{ENV}VAULT_PASSPHRASE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A tenant whose generated keys are edited. `data` is generated.yaml, None where there is none yet."""

    folder: Folder
    keyset: KeySet
    policy: Policy
    holds: Conditions
    content: Content
    data: bytes | None

    @property
    def path(self) -> str:
        """generated.yaml, relative to the repository."""
        return f"{self.folder.path}/{GENERATED}"

    @property
    def thumbprints(self) -> frozenset[str]:
        """Of all keys that the files name, the ledger among them."""
        return frozenset(key.jwk.thumbprint for key in self.keyset.keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultAt:
    """Where new private halves go. `address` is None where none is named."""

    address: str | None
    endpoint_url: str | None
    passphrase: Path | None
    bits: int

    def open(self) -> Vault:
        """The vault; a usage error where the address is none."""
        from publisher.vaults import open_vault

        if self.address is None:
            raise click.UsageError(
                f"give --vault (or {ENV}VAULT), as local:/absolute/folder or aws-kms: - it keeps the private half"
            )
        try:
            return open_vault(self.address, passphrase=self._secret, endpoint_url=self.endpoint_url, bits=self.bits)
        except ValueError as error:
            raise click.UsageError(f"--vault: {error}") from None

    def _secret(self) -> bytes:
        if self.passphrase is not None:
            return self.passphrase.read_bytes().rstrip(b"\r\n")
        secret = os.environb.get(_PASSPHRASE.encode())  # bytes that are no text are a passphrase, too
        if secret is None:
            raise VaultError(f"the vault's passphrase is missing; give it in {_PASSPHRASE} or --vault-passphrase-file")
        return secret


def vault_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--vault and what belongs to it; the command takes them as `vault`."""

    @functools.wraps(command)
    def wrapper(
        *arguments: Any,
        vault: str | None,
        vault_endpoint_url: str | None,
        vault_passphrase_file: Path | None,
        bits: str,
        **others: Any,
    ) -> Any:
        place = VaultAt(
            address=vault, endpoint_url=vault_endpoint_url, passphrase=vault_passphrase_file, bits=int(bits)
        )
        return command(*arguments, vault=place, **others)

    made: Callable[..., Any] = wrapper
    for decorate in (
        option("--bits", type=click.Choice(["2048", "3072", "4096"]), default="2048", help="Size of new RSA keys."),
        option(
            "--vault-passphrase-file",
            type=click.Path(path_type=Path, exists=True, dir_okay=False),
            help=f"A file with a local vault's passphrase, or {_PASSPHRASE} has it.",
        ),
        option("--vault-endpoint-url", metavar="URL", help="A server that speaks for AWS KMS."),
        option("--vault", metavar="VAULT", help="Where private halves are kept: local:/absolute/folder or aws-kms:."),
    ):
        made = decorate(made)
    return made


def find(console: Console, asked: Asked, tenant: str) -> Line:
    """The tenant. A usage error where there is none; ends with the mistakes where its files have some."""
    if asked.rev is not None:
        raise click.UsageError("edits are made in the working tree: leave --rev out")
    target = editing.find(console, asked.working_tree(), tenant)
    if target.diagnostics:
        editing.end_with(console, target.diagnostics, f"{target.folder.path} has mistakes")
    if not _is_plain(target.folder):
        console.error(f"{target.folder.path}/{GENERATED} is no plain file, or too large: nothing was done")
        raise click.exceptions.Exit(1)
    return line_of(target.folder, target.keyset, policy_of(console, asked))


def policy_of(console: Console, asked: Asked) -> Policy:
    """The working tree's policy; ends with the mistakes where it has some."""
    policy, problems = source_policy(asked.working_tree())
    if problems:
        editing.end_with(console, problems, "policy.yaml has mistakes")
    return policy


def line_of(folder: Folder, keyset: KeySet, policy: Policy) -> Line:
    """A tenant whose files could be read."""
    file = folder.files.get(GENERATED)
    data = None if file is None else file.data
    return Line(
        folder=folder,
        keyset=keyset,
        policy=policy,
        holds=conditions(policy, keyset.plan, keyset),
        content=generatedfile.read(data or b""),
        data=data,
    )


def readable(console: Console, folder: Folder, policy: Policy) -> Line | None:
    """A tenant for a command over all of them; None where its files cannot be read, which is told."""
    read = read_keyset(folder)
    if read.keyset is not None and not read.diagnostics and _is_plain(folder):
        return line_of(folder, read.keyset, policy)
    console.error(f"{clean(folder.path)} has mistakes, and is left out; see `check`")
    return None


def _is_plain(folder: Folder) -> bool:
    """Whether generated.yaml is a file that can be read, or not there yet."""
    return GENERATED not in folder.files or folder.files[GENERATED].kind == "file"


def maker(line: Line, vault: Vault, alg: str, used: AbstractSet[str]) -> Callable[[], New]:
    """What makes a new key of the tenant, or takes the one that an earlier run made and did not write down."""

    def make() -> New:
        made = vault.make(line.keyset.tenant, alg, used)
        fields: dict[str, Value] = dict(made.jwk)
        kid = thumbprint(fields)
        return New(kid=kid, fields={"kid": kid, "alg": alg, "jwk": fields, "vault": made.handle})

    return make


def with_data(line: Line, data: bytes) -> Folder:
    """The tenant's folder with this generated.yaml."""
    return replace(line.folder, files={**line.folder.files, GENERATED: File(kind="file", data=data)})


def mistakes(line: Line, data: bytes, asked: Asked) -> tuple[Diagnostic, ...]:
    """What `check` would say of the tenant by itself with this generated.yaml."""
    return check_folder(with_data(line, data), line.policy, asked.times.checked).diagnostics


def retire(line: Line, vault: Callable[[], Vault], handles: Iterable[str | None]) -> None:
    """Have the vault put away the private halves of keys that are over, before their entries go."""
    named = [handle for handle in handles if handle is not None]
    if named:
        opened = vault()
        for handle in named:
            opened.retire(line.keyset.tenant, handle)
