"""`generated` in this process, on tenants of a repository, as of an instant that is given.

The instants are years ahead of the clock, so that what is judged as yet to come goes by `--now` alone.
"""

import asyncio
import contextlib
import io
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from keymaker import ec_key, flow, public_jwk, thumbprint
from program import Ran
from publishing import publish
from repos import Repo

from publisher.checking import Times
from publisher.cli import _run
from publisher.cli.console import Console
from publisher.diagnostic import Diagnostic
from publisher.fleet import source_policy
from publisher.fleet import tenants as all_tenants
from publisher.keyset import Key, KeySet, read_keyset
from publisher.publication import Outcome
from publisher.source import Folder
from publisher.state import get_live
from publisher.stores import open_store
from publisher.worktree import open_worktree

NOW = datetime(2030, 1, 1, tzinfo=UTC)
HOUR, DAY, LEAD = timedelta(hours=1), timedelta(days=1), timedelta(hours=48)
# FACTS, section 3, by the default policy: the longest token lifetime and the clock skew; then, so that a late publish
# and caches have had their time, max-age twice, stale-while-revalidate and the publish interval.
RETENTION = timedelta(hours=24, minutes=5) + timedelta(seconds=300 + 300 + 60) + timedelta(minutes=15)
POLICY = """\
version: 1
rotation: {alg: ES256}
canonical_domain: "{tenant}.idp.example"
plans:
  enterprise: {custom_keys: 10}
  quick: {custom_keys: 0, rotation: {every: 30d, alg: EdDSA}}
"""


def run(*arguments: str) -> Ran:
    """Run the command line in this process: the exit code, and what it prints."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with (
        patch.object(sys, "argv", ["jwks-publisher", *arguments]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        code = _run(Console())
    return Ran(code=code, out=_text(out), err=_text(err))


def _text(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


def at(moment: datetime) -> str:
    """As the files write it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Tenants in a working tree, and the vault of their keys. `more` is what each command is given."""

    repo: Repo
    vault: Path
    more: tuple[str, ...] = field(default=())

    def tenant(
        self, name: str = "acme", generated: str | bytes | None = None, keyset: str = "", plan: str = ""
    ) -> None:
        """A tenant; `keyset` are further fields of its keyset.yaml."""
        folder = f"keysets/{name}"
        own = f"version: 1\ntenant: {name}\nplan: {plan or 'enterprise'}\ndomains: [login.{name}.example]\n{keyset}"
        self.repo.write(f"{folder}/keyset.yaml", own)
        if generated is not None:
            self.repo.write(f"{folder}/generated.yaml", generated)

    def do(self, command: str, *arguments: str, now: datetime = NOW, vault: bool = True) -> Ran:
        """`generated COMMAND`, as of `now`."""
        given = ("--now", at(now), "--repo", str(self.repo.path), "--jobs", "1", *self.more)
        kept = ("--vault", f"local:{self.vault}") if vault and command in ("rotate", "revoke") else ()
        return run("generated", command, *arguments, *given, *kept)

    def done(self, command: str, *arguments: str, now: datetime = NOW) -> str:
        """The same, which must succeed; what it says."""
        ran = self.do(command, *arguments, now=now)
        assert ran.code == 0, (ran.out, ran.err)
        return ran.out

    def file(self, name: str = "acme") -> Path:
        return self.repo.path / f"keysets/{name}/generated.yaml"

    def text(self, name: str = "acme") -> str:
        return self.file(name).read_bytes().decode()

    def keyset(self, name: str = "acme") -> KeySet:
        folders = [one for one in self.source().folders() if isinstance(one, Folder) and one.name == name]
        read = read_keyset(folders[0])
        assert read.diagnostics == ()
        assert read.keyset is not None
        return read.keyset

    def made(self, name: str = "acme") -> list[Key]:
        """The tenant's generated keys, in the file's order."""
        return [key for key in self.keyset(name).keys if key.origin == "generated"]

    def source(self) -> Any:
        return open_worktree(self.repo.path, "keysets")

    def mistakes(self, now: datetime = NOW) -> list[Diagnostic]:
        """What `check` says of all tenants' own files, as of `now`."""
        policy, problems = source_policy(self.source())
        made = all_tenants(self.source().folders(), policy, Times(served=now, checked=now))
        return [*problems, *(found for one in made for found in getattr(one, "diagnostics", [one]))]

    def json(self, command: str, *arguments: str, now: datetime = NOW, code: int = 0) -> dict[str, Any]:
        """What a command prints as JSON."""
        ran = self.do(command, *arguments, "--format", "json", now=now)
        assert ran.code == code, (ran.out, ran.err)
        found: dict[str, Any] = json.loads(ran.out)
        return found

    def publish(self, now: datetime, *allowed: str, **more: Any) -> Outcome:
        """Commit all, and publish it as of `now` to the world's store."""
        self.repo.commit()
        return asyncio.run(publish(open_store(self.store), self.repo, now=now, allowed=allowed, **more))

    @property
    def store(self) -> str:
        return f"file://{self.vault.parent}/store"

    def served(self, domain: str = "login.acme.example") -> list[str]:
        """The kids of a live document."""
        live = asyncio.run(get_live(open_store(self.store), domain))
        return [] if live is None else list(live.thumbprints())

    def signer(self, now: datetime, *more: str, code: int = 0) -> dict[str, Any]:
        """What an issuer is told, by the store."""
        return self.json("signer", "acme", "--store", self.store, *more, now=now, code=code)

    def private_halves(self, name: str = "acme") -> list[str]:
        """The thumbprints of the keys in the vault that are not retired."""
        return sorted(path.stem for path in (self.vault / name).glob("*.pem"))


def kid(number: int) -> str:
    """The kid that the program gives to a key of `keymaker`."""
    return thumbprint(ec_key(number))


def entry(number: int, *, name: str = "", **times: str) -> str:
    """A generated key as its entry, a field a line: `publish="from: ..."`; `revoked` and others as they are."""
    lines = [f"  - kid: {name or kid(number)}", "    alg: ES256", f"    jwk: {flow(public_jwk(ec_key(number)))}"]
    lines += [f"    {field}: {{{text}}}" for field, text in times.items()]
    return "\n".join(lines) + "\n"


def generated(*entries: str) -> str:
    return f"version: 1\ngenerated_keys:\n{''.join(entries)}"


def signing_since(number: int, since: datetime) -> str:
    """A key that signs since then, published two days before."""
    return entry(number, publish=f"from: {at(since - 2 * DAY)}", signs=f"from: {at(since)}")


def active(keys: Iterable[Key], now: datetime) -> list[str]:
    """The kids of those that sign by the files."""
    return [key.kid for key in keys if key.revoked is None and key.window.signs_from <= now < key.window.signs_until]
