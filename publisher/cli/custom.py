"""`custom`: a tenant's own keys, as files in Git."""

import functools
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from publisher.cli import editing
from publisher.cli.challenging import challenge
from publisher.cli.console import Console
from publisher.cli.given import input_of, sound, with_algorithm, with_only_algorithm
from publisher.cli.options import Asked, option, pass_console, source_options
from publisher.conditions import conditions
from publisher.customkeys import add as added
from publisher.customkeys import custom_keys, digest, document, prove
from publisher.customkeys import delete as deleted
from publisher.customkeys import put as replaced
from publisher.incoming import (
    RefusedError,
    fresh_proof,
    read_jwks,
    read_key,
    with_proofs,
    with_start,
)
from publisher.proof import ProofError, verify
from publisher.timeline import phase


@click.group(short_help="Put, get, add and delete a tenant's own keys.")
def custom() -> None:
    """A tenant's own (custom) public keys, in its keyset.yaml.

    `put` and `get` take and give a JWKS document, as the body of Auth0's PUT /api/v2/keys/custom-signing. Edits are
    made in the working tree, after everything has been checked as `check` does, or not at all; comments, order and
    layout of what stays are kept. A comment right above an entry belongs to it. Revoked entries are the ledger, and
    stay.
    """


custom.add_command(challenge)

_FILE = click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True))
_PROOFS = option("--proof", "proofs", multiple=True, metavar="JWS", help="A key's proof; once for each key.")


def _edit(command: Callable[..., Any]) -> Callable[..., Any]:
    """What every edit takes: a tenant, the source's options but --rev, --if-match and --dry-run."""

    @functools.wraps(command)
    def wrapper(console: Console, *arguments: Any, asked: Asked, **settings: Any) -> Any:
        if asked.rev is not None:
            raise click.UsageError("edits are made in the working tree: leave --rev out")
        with editing.refusals(console):
            return command(console, *arguments, asked=asked, **settings)

    made: Callable[..., Any] = wrapper
    for decorate in (
        pass_console,
        option("--dry-run", is_flag=True, help="Show the diff and write nothing."),
        option("--if-match", metavar="DIGEST", help="Refuse if keyset.yaml is not the one that `get` named."),
        source_options,
    ):
        made = decorate(made)
    return made


@custom.command("put", short_help="Replace a tenant's custom keys by a JWKS document.")
@click.argument("tenant")
@_FILE
@_PROOFS
@_edit
def put(
    console: Console,
    asked: Asked,
    tenant: str,
    file: Path,
    proofs: tuple[str, ...],
    if_match: str | None,
    dry_run: bool,
) -> None:
    """Replace a tenant's custom keys by those of a JWKS document (FILE, or - for standard input), all or nothing.

    A key that is there already (same kid, same thumbprint) keeps its entry with its windows and comments; keys that
    the document does not name go; others come at the end. Without `alg` a key gets the only one that goes with it.
    """
    target = editing.find(console, asked.working_tree(), tenant)
    editing.guard(console, target, if_match)
    given = tuple(with_only_algorithm(one, target) for one in sound(console, read_jwks(*input_of(file))))
    keys = with_proofs(given, proofs, tenant, asked.now)
    edited = replaced(target.data, target.keyset, keys, _start(asked, target))
    editing.carry_out(console, asked, target, edited, f"Replace custom keys of {tenant}", dry_run=dry_run)


@custom.command("add", short_help="Add one key: a JWK, PEM or a certificate.")
@click.argument("tenant")
@_FILE
@option("--kid", help="Its kid.  [default: the JWK's own, or the thumbprint]")
@option("--alg", help="Its algorithm.  [default: the JWK's own, or the only one that goes with it]")
@_PROOFS
@_edit
def add(
    console: Console,
    asked: Asked,
    tenant: str,
    file: Path,
    kid: str | None,
    alg: str | None,
    proofs: tuple[str, ...],
    if_match: str | None,
    dry_run: bool,
) -> None:
    """Add one custom key from FILE (or - for standard input): a JWK, a PEM public key, or certificates in PEM.

    Where the tenant serves keys already, the entry says from when to sign with it: in a lead's time.
    """
    target = editing.find(console, asked.working_tree(), tenant)
    editing.guard(console, target, if_match)
    (key,) = sound(console, read_key(*input_of(file), kid, alg))
    key = with_algorithm(key, target)
    (key,) = with_proofs((key,), proofs, tenant, asked.now)
    edited = added(target.data, with_start(key, _start(asked, target)))
    editing.carry_out(console, asked, target, edited, f"Add custom key {key.kid} of {tenant}", dry_run=dry_run)


@custom.command("delete", short_help="Remove a tenant's custom keys, or one of them.")
@click.argument("tenant")
@option("--kid", help="This key alone.")
@_edit
def delete(console: Console, asked: Asked, tenant: str, kid: str | None, if_match: str | None, dry_run: bool) -> None:
    """Remove all custom keys of a tenant, or one. To revoke a key, mark its entry `revoked` instead."""
    target = editing.find(console, asked.working_tree(), tenant)
    editing.guard(console, target, if_match)
    edited = deleted(target.data, target.keyset, kid)
    what = "custom keys" if kid is None else f"custom key {kid}"
    editing.carry_out(console, asked, target, edited, f"Remove {what} of {tenant}", dry_run=dry_run)


@custom.command("prove", short_help="Write a proof of possession into a key's entry.")
@click.argument("tenant")
@click.argument("proof")
@_edit
def prove_(console: Console, asked: Asked, tenant: str, proof: str, if_match: str | None, dry_run: bool) -> None:
    """Write PROOF, a compact JWS, into the entry of the key that made it. See `custom challenge`."""
    target = editing.find(console, asked.working_tree(), tenant)
    editing.guard(console, target, if_match)
    found = fresh_proof(proof, asked.now)
    key = next((one for one in custom_keys(target.keyset) if one.jwk.thumbprint == found.thumbprint), None)
    if key is None:
        raise RefusedError("the proof is for none of this tenant's custom keys")
    try:
        verify(found, tenant, key.jwk)
    except ProofError as error:
        raise RefusedError(f"{error}; {error.hint}") from None
    edited = prove(target.data, key, proof)
    editing.carry_out(console, asked, target, edited, f"Prove custom key {key.kid} of {tenant}", dry_run=dry_run)


@custom.command("get", short_help="Print a tenant's custom keys as a JWKS document.")
@click.argument("tenant")
@source_options
@option("--digest", "as_digest", is_flag=True, help="Print the digest for --if-match instead.")
@pass_console
def get(console: Console, asked: Asked, tenant: str, as_digest: bool) -> None:
    """Print a tenant's custom keys (revoked ones are left out) as a JWKS document: what `put` takes.

    A note names the digest that --if-match takes: SHA-256 of keyset.yaml, as sha256sum prints it.
    """
    target = editing.find(console, asked.tree_or_revision(console), tenant)
    if as_digest:
        console.finding(digest(target.data))
        return
    if target.diagnostics:
        editing.end_with(console, target.diagnostics, f"{target.path} has mistakes")
    console.finding(document(target.keyset).decode("utf-8"))
    console.note(f"--if-match {digest(target.data)}")


def _start(asked: Asked, target: editing.Target) -> datetime | None:
    """From when a new key may sign; None for the first keys of a tenant, as nobody has documents without them.

    What is committed counts, where there is a commit: `check` compares with that.
    """
    now, served = asked.times.checked, target.keyset.keys
    base = asked.against(target.source)
    if base is not None and target.folder.path in base.folders:
        known = base.keysets.get(target.folder.name)
        served = () if known is None else known.keys
    if all(phase(key, now) in ("pending", "withdrawn", "revoked") for key in served):
        return None
    lead = conditions(target.policy, target.keyset.plan, target.keyset).lead
    return (now + lead + timedelta(minutes=1)).replace(second=0, microsecond=0)
