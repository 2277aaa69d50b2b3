"""Keys that people give to the `custom` commands: read from a file or standard input, with their algorithm."""

import sys
from pathlib import Path

from publisher.algorithm import algorithms_for, permission
from publisher.cli import editing
from publisher.cli.console import Console
from publisher.incoming import Given, Read, RefusedError, with_alg
from publisher.jwk import Jwk, kind
from publisher.source import LIMIT_FILE_BYTES


def input_of(file: Path) -> tuple[bytes, str]:
    """The bytes of a file or of standard input, no more than are taken, and the name for messages."""
    most = LIMIT_FILE_BYTES + 1
    if str(file) == "-":
        return sys.stdin.buffer.read(most), "-"
    with file.open("rb") as opened:
        return opened.read(most), str(file)


def sound(console: Console, read: Read) -> tuple[Given, ...]:
    """The keys; ends with the mistakes where there are any."""
    if read.diagnostics:
        editing.end_with(console, read.diagnostics, "the keys are not as they must be")
    return read.keys


def with_algorithm(given: Given, target: editing.Target) -> Given:
    """The key with the only algorithm that goes with it and is allowed, where it names none."""
    if "alg" in given.fields:
        return given
    allowed = _allowed(given.material.jwk, target)
    if len(allowed) != 1:
        raise RefusedError(
            f"name the algorithm with --alg: {', '.join(allowed) or 'the policy allows none for this key'}"
        )
    return with_alg(given, allowed[0])


def with_only_algorithm(given: Given, target: editing.Target) -> Given:
    """The key with the only algorithm that goes with it, where there is one and it names none: Auth0 asks for none."""
    if "alg" in given.fields or len(allowed := _allowed(given.material.jwk, target)) != 1:
        return given
    return with_alg(given, allowed[0])


def _allowed(jwk: Jwk, target: editing.Target) -> list[str]:
    fits = kind(jwk)
    return [alg for alg in algorithms_for(fits) if permission(alg, fits) in target.policy.algorithms]
