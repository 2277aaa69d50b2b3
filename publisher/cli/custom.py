"""`custom`: a tenant's own keys, as files in Git."""

import functools
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from publisher.algorithm import FITS, algorithms_for, permission
from publisher.cli import editing
from publisher.cli.console import Console
from publisher.cli.options import Asked, option, pass_console, source_options
from publisher.conditions import conditions
from publisher.customkeys import add as added
from publisher.customkeys import custom_keys, digest, document, prove
from publisher.customkeys import delete as deleted
from publisher.customkeys import put as replaced
from publisher.fields import Duration, Reading
from publisher.incoming import (
    Given,
    Read,
    RefusedError,
    fresh_proof,
    read_jwks,
    read_key,
    with_alg,
    with_proofs,
    with_start,
)
from publisher.jwk import Jwk, kind
from publisher.proof import LONGEST, ProofError, challenge, verify
from publisher.recipes import signing_commands
from publisher.rules.windows import instant
from publisher.source import LIMIT_FILE_BYTES
from publisher.timeline import phase


@click.group(short_help="Put, get, add and delete a tenant's own keys.")
def custom() -> None:
    """A tenant's own (custom) public keys, in its keyset.yaml.

    `put` and `get` take and give a JWKS document, as the body of Auth0's PUT /api/v2/keys/custom-signing. Edits are
    made in the working tree, after everything has been checked as `check` does, or not at all; comments, order and
    layout of what stays are kept. A comment right above an entry belongs to it. Revoked entries are the ledger, and
    stay.
    """


class DurationType(click.ParamType[timedelta]):
    """A duration as in policy.yaml."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """The duration, at most the longest of a proof."""
        found = value if isinstance(value, timedelta) else Reading(file="").read(Duration(most=LONGEST), value, ())
        if not isinstance(found, timedelta) or not found:
            self.fail(f"{value!r} is not a duration such as 30m, 24h or 7d, at most {LONGEST.days}d", param, ctx)
        return found


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
    the document does not name go; others come at the end.
    """
    target = editing.find(console, asked.working_tree(), tenant)
    editing.guard(console, target, if_match)
    keys = with_proofs(_sound(console, read_jwks(*_input(file))), proofs, tenant, asked.now)
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
    (key,) = _sound(console, read_key(*_input(file), kid, alg))
    key = _with_algorithm(key, target)
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


@custom.command("challenge", short_help="Print what a key is to sign, to prove that the tenant has it.")
@click.argument("tenant")
@source_options
@option("--kid", help="Of this key alone.")
@option(
    "--key",
    "file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True),
    help="Of a key that is not in the key set yet: a JWK, PEM or a certificate.",
)
@option("--alg", help="The algorithm to sign with.  [default: the key's own]")
@option("--valid", type=DurationType(), default="7d", show_default=True, help="How long the proof may come in.")
@option("--how", is_flag=True, help="Print commands that sign, a tool and a tab before each, instead.")
@pass_console
def challenge_(
    console: Console,
    asked: Asked,
    tenant: str,
    kid: str | None,
    file: Path | None,
    alg: str | None,
    valid: timedelta,
    how: bool,
) -> None:
    """Print what a custom key is to sign: the first two parts of a compact JWS over tenant, thumbprint and expiry.

    One line for --kid or --key; else a line with kid, tab and text for each key that has no proof. Sign the text
    without a line's end (--how shows commands for openssl, Python and Node.js), and write the proof, TEXT.SIGNATURE,
    with `custom prove`, or with --proof of `custom add` and `custom put`:

    \b
    TEXT=$(jwks-publisher custom challenge acme --kid acme-2026)
    SIGNATURE=$(printf %s "$TEXT" | openssl dgst -sha256 -sign key.pem |
        openssl enc -base64 -A | tr '+/' '-_' | tr -d '=')     # RS256
    jwks-publisher custom prove acme "$TEXT.$SIGNATURE"

    The expiry bounds when a proof may come in. A key that was merged with it stays proven.
    """
    target = editing.find(console, asked.tree_or_revision(console), tenant)
    expires = (asked.now + valid).replace(microsecond=0)
    with editing.refusals(console):
        keys = _challenged(console, target, kid, file, alg)
    for name, jwk, algorithm in keys:
        if how:
            for tool, line in signing_commands(algorithm).items():
                console.finding(f"{tool}\t{line}")
        else:
            text = challenge(tenant, jwk, algorithm, expires)
            console.finding(text if kid is not None or file is not None else f"{name}\t{text}")
    console.note(f"to come in before {instant(expires)}")


def _challenged(
    console: Console, target: editing.Target, kid: str | None, file: Path | None, alg: str | None
) -> list[tuple[str, Jwk, str]]:
    """Kid, key and algorithm of what a challenge is for. RefusedError where an algorithm is unknown."""
    if file is not None:
        (given,) = _sound(console, read_key(*_input(file), kid, alg))
        given = _with_algorithm(given, target)
        found = [(given.kid, given.material.jwk, str(given.fields["alg"]))]
    else:
        keys = [key for key in custom_keys(target.keyset) if (key.kid == kid if kid is not None else not key.proof)]
        if kid is not None and not keys:
            raise click.UsageError(f"there is no custom key of the kid {kid!r} that is not revoked")
        found = [(key.kid, key.jwk, alg or key.alg) for key in keys]
    for _, jwk, algorithm in found:
        if kind(jwk) not in FITS.get(algorithm, ()):
            raise RefusedError(f"the algorithm does not go with a {kind(jwk)} key; see `check`")
    return found


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


def _input(file: Path) -> tuple[bytes, str]:
    """The bytes of a file or of standard input, no more than are taken, and the name for messages."""
    most = LIMIT_FILE_BYTES + 1
    if str(file) == "-":
        return sys.stdin.buffer.read(most), "-"
    with file.open("rb") as opened:
        return opened.read(most), str(file)


def _sound(console: Console, read: Read) -> tuple[Given, ...]:
    """The keys; ends with the mistakes where there are any."""
    if read.diagnostics:
        editing.end_with(console, read.diagnostics, "the keys are not as they must be")
    return read.keys


def _with_algorithm(given: Given, target: editing.Target) -> Given:
    """The key with the only algorithm that goes with it and is allowed, where it names none."""
    if "alg" in given.fields:
        return given
    allowed = _allowed(given.material.jwk, target)
    if len(allowed) != 1:
        raise RefusedError(
            f"name the algorithm with --alg: {', '.join(allowed) or 'the policy allows none for this key'}"
        )
    return with_alg(given, allowed[0])


def _allowed(jwk: Jwk, target: editing.Target) -> list[str]:
    fits = kind(jwk)
    return [alg for alg in algorithms_for(fits) if permission(alg, fits) in target.policy.algorithms]
