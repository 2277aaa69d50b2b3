"""A repository with two tenants, what is changed in it, and what `check` says of that against a base."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from keymaker import ec_key, entry, public_jwk, public_pem, rsa_key
from repos import Repo

from publisher.checking import Times
from publisher.cli.console import Console
from publisher.cli.load import Loaded, load
from publisher.cli.options import Asked
from publisher.diagnostic import Diagnostic

NOW = datetime(2026, 6, 1, tzinfo=UTC)
LEAST = "2026-06-01T01:15:00Z"
"""The least lead from `NOW`: propagation and an hour."""
ROOMY = "2026-06-03T00:00:00Z"
"""The lead of 48 hours from `NOW`."""
KEPT = "2026-06-02T00:05:00Z"
"""The token lifetime and the clock skew from `NOW`."""
MARK = "▸"

POLICY = """\
version: 1
algorithms: [RS256, PS256, ES256]
cache: {max_age: 300, stale_while_revalidate: 300}
token_lifetime: 24h
plans: {enterprise: {custom_keys: 10}, starter: {custom_keys: 3, token_lifetime: 1h}}
canonical_domain: "{tenant}.idp.example"
"""


def key(kid: str, number: int, more: str = "") -> str:
    """A custom or generated ES256 key's entry, with more lines of it."""
    return entry("ES256", kid=kid, jwk=public_jwk(ec_key(number))) + "".join(
        f"    {line}\n" for line in more.split("|") if line
    )


def keyset(*entries: str, tenant: str = "acme", domains: str = "a.acme.example, b.acme.example", more: str = "") -> str:
    """keyset.yaml of a tenant."""
    keys = f"custom_keys:\n{''.join(entries)}" if entries else ""
    return f"version: 1\ntenant: {tenant}\nplan: enterprise\ndomains: [{domains}]\n{more}{keys}"


def generated(*entries: str, more: str = "") -> str:
    """generated.yaml of a tenant."""
    return f"version: 1\n{more}generated_keys:\n{''.join(entries)}"


SIGNS = key("signs", 0)
OLD = key("old", 1, "publish: {until: 2026-08-01T00:00:00Z}|signs: {until: 2026-05-31T20:00:00Z}")
COMING = key("coming", 2, "publish: {from: 2026-07-01T00:00:00Z}|signs: {from: 2026-07-08T00:00:00Z}")
LOST = key("lost", 3, "revoked: {at: 2026-05-01T00:00:00Z, reason: stolen}")
PARTNER = entry("RS256", kid="partner", pem="partner.pem") + "    domains: [a.acme.example]\n"
MADE = key("made", 5)
ACME = keyset(SIGNS, OLD, COMING, LOST, PARTNER)
GLOBEX = keyset(key("theirs", 6), tenant="globex", domains="id.globex.example")
BASE: dict[str, str | None] = {
    "policy.yaml": POLICY,
    "acme/keyset.yaml": ACME,
    "acme/generated.yaml": generated(MADE),
    "acme/partner.pem": public_pem(rsa_key(0)),
    "globex/keyset.yaml": GLOBEX,
}
"""Keys in every phase, and one that was revoked."""


class World:
    """A repository whose key sets are changed and checked."""

    def __init__(self, path: Path, tree: dict[str, str | None] | None = None) -> None:
        self.repo = Repo(path)
        self.change(BASE if tree is None else tree)
        self.start = self.repo.commit("Add tenants")

    def change(self, tree: Mapping[str, str | None]) -> None:
        """Write files of the working tree; None removes one."""
        for path, content in tree.items():
            if content is None:
                (self.repo.path / "keysets" / path).unlink()
            else:
                self.repo.write(f"keysets/{path}", content)

    def commit(self, tree: Mapping[str, str | None], message: str = "Change key sets") -> str:
        self.change(tree)
        return self.repo.commit(message)

    def check(self, base: str | None = None, rev: str | None = None, now: datetime = NOW) -> Loaded:
        """What `check` finds, in this process."""
        return check(self.repo.path, base, rev, now)


def check(path: Path, base: str | None = None, rev: str | None = None, now: datetime = NOW) -> Loaded:
    """What `check` finds in a repository."""
    asked = Asked(repo=path, keysets="keysets", rev=rev, now=now, clock=now, jobs=1)
    console = Console(quiet=True)
    source = asked.tree_or_revision(console)
    return load(console, source, Times(served=now, checked=now), 1, lambda _: None, asked.against(source, base))


def said(found: Iterable[Diagnostic]) -> list[str]:
    """The diagnostics as they are printed."""
    return [str(one) for one in found]


def later(text: str, seconds: int) -> str:
    """An instant so much later."""
    return (datetime.fromisoformat(text) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
