"""`custom challenge`."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from publisher.algorithm import FITS
from publisher.cli import editing
from publisher.cli.console import Console
from publisher.cli.given import input_of, sound, with_algorithm
from publisher.cli.options import Asked, option, pass_console, source_options
from publisher.customkeys import custom_keys
from publisher.fields import Duration, Reading
from publisher.incoming import RefusedError, read_key
from publisher.jwk import Jwk, kind
from publisher.proof import LONGEST
from publisher.proof import challenge as text_of
from publisher.recipes import signing_commands
from publisher.rules.windows import instant


class DurationType(click.ParamType[timedelta]):
    """A duration as in policy.yaml."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """The duration, at most the longest of a proof."""
        found = value if isinstance(value, timedelta) else Reading(file="").read(Duration(most=LONGEST), value, ())
        if not isinstance(found, timedelta) or not found:
            self.fail(f"{value!r} is not a duration such as 30m, 24h or 7d, at most {LONGEST.days}d", param, ctx)
        return found


@click.command("challenge", short_help="Print what a key is to sign, to prove that the tenant has it.")
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
def challenge(
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
            text = text_of(tenant, jwk, algorithm, expires)
            console.finding(text if kid is not None or file is not None else f"{name}\t{text}")
    console.note(f"to come in before {instant(expires)}")


def _challenged(
    console: Console, target: editing.Target, kid: str | None, file: Path | None, alg: str | None
) -> list[tuple[str, Jwk, str]]:
    """Kid, key and algorithm of what a challenge is for. RefusedError where an algorithm is unknown."""
    if file is not None:
        (given,) = sound(console, read_key(*input_of(file), kid, alg))
        given = with_algorithm(given, target)
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
