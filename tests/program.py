"""The program as a user runs it: a process of its own, with real standard streams and signals."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


def installed(program: Path) -> Path:
    """A program that `make test-stores` installs. Without it the test is skipped, and fails under that target."""
    if not program.exists():
        missing = f"{program.name} is not installed: make test-stores"
        if os.environ.get("REQUIRE_STORES"):
            pytest.fail(missing)
        pytest.skip(missing)
    return program


def command(*arguments: str) -> list[str]:
    """The command line that starts the program of this checkout."""
    return [sys.executable, "-W", "error", "-m", "publisher", *arguments]


def environment(**settings: str) -> dict[str, str]:
    """This process's environment without any setting of the program or of a cloud, and with the given ones."""
    ours = ("JWKS_PUBLISHER", "AWS_", "AZURE_", "GOOGLE_", "GIT_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", **settings}


def run(*arguments: str, cwd: Path, **settings: str) -> Ran:
    """Run a command to its end."""
    done = subprocess.run(
        command(*arguments),
        cwd=cwd,
        env=environment(**settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )
    return Ran(code=done.returncode, out=done.stdout.decode(), err=done.stderr.decode())
