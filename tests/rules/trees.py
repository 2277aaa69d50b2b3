"""Key sets in files: a sound repository, changes to it that break a rule, and what `check` says of the result."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from keymaker import (
    certificate,
    certificate_pem,
    ec_key,
    entry,
    flow,
    okp_key,
    public_jwk,
    public_pem,
    rsa_key,
    x5c,
    x5t,
)

from publisher.checking import Times, check_folder
from publisher.cli.console import Console
from publisher.cli.load import Loaded, load
from publisher.diagnostic import Diagnostic
from publisher.policy import Policy
from publisher.source import File, Folder
from publisher.worktree import open_worktree

NOW = datetime(2026, 6, 1, tzinfo=UTC)
MARK = "▸"
"""Stands before the place that a diagnostic is to name."""

Make: TypeAlias = Callable[[Path], object]
Tree: TypeAlias = Mapping[str, str | bytes | Make]
"""What is where under the key sets' folder. A function makes what is no plain file (a link, say) at its path."""

_GATEWAY = ec_key(2)
_CHAIN = certificate(rsa_key(1), "x5c")

POLICY = """\
version: 1
algorithms: [RS256, PS256, ES256, ES384, EdDSA]
rsa: {min_bits: 2048, max_bits: 4096, exponents: [65537]}
cache: {max_age: 300}
token_lifetime: 24h
limits: {custom_keys: 10, keys: 10, document_bytes: 20000}
plans:
  enterprise: {custom_keys: 10}
  starter: {custom_keys: 1}
canonical_domain: "{tenant}.idp.example"
"""

KEYSET = f"""\
version: 1
tenant: acme
plan: enterprise
domains:
  - login.acme.example
  - auth.acme.example
custom_keys:
  - kid: own-ec
    alg: ES256
    jwk: {flow(public_jwk(ec_key(0)))}
    domains: [login.acme.example]
    publish: {{from: 2026-01-01T00:00:00Z, until: 2030-01-01T00:00:00Z}}
    signs: {{from: 2026-02-01T00:00:00Z, until: 2029-01-01T00:00:00Z}}
  - kid: own-rsa
    alg: RS256
    pem: partner.pem
  - kid: own-ed
    alg: EdDSA
    jwk: {flow(public_jwk(okp_key(0)))}
  - kid: own-cert
    alg: ES256
    certificate: gateway.pem
    publish: {{until: 2039-01-01T00:00:00Z}}
    signs: {{until: 2038-12-01T00:00:00Z}}
  - alg: RS256
    jwk:
      kty: RSA
      kid: own-x5c
      use: sig
      key_ops: [verify]
      n: {public_jwk(rsa_key(1))["n"]}
      e: AQAB
      x5c: ["{x5c(_CHAIN)[0]}"]
      x5t: "{x5t(_CHAIN)}"
      x5t#S256: "{x5t(_CHAIN, "x5t#S256")}"
    publish: {{until: 2039-01-01T00:00:00Z}}
    signs: {{until: 2038-12-01T00:00:00Z}}
{entry("ES256", kid="lost", jwk=public_jwk(ec_key(1)))}\
    revoked: {{at: 2026-05-01T00:00:00Z, reason: the laptop was stolen}}
"""

GENERATED = f"""\
version: 1
generated_keys:
{entry("RS256", kid="gen-now", pem=public_pem(rsa_key(2)))}\
{entry("ES384", kid="gen-next", jwk=public_jwk(ec_key(3, "P-384")))}\
    publish: {{from: 2026-07-01T00:00:00Z}}
    signs: {{from: 2026-08-01T00:00:00Z}}
"""

WAIVERS = """\
version: 1
waivers:
  - {rule: drops-active-key, tenant: acme, kid: own-ec, until: 2026-08-01T00:00:00Z, reason: the partner has moved on}
  - rule: foreign-object
    tenant: globex
    domain: id.globex.example
    until: 2026-08-30T00:00:00Z
    reason: "their old CDN wrote it: it is overwritten"
  - {rule: too-many-changes, until: 2026-06-08T00:00:00Z, reason: the merger}
"""

SOUND: Tree = {
    "policy.yaml": POLICY,
    "waivers.yaml": WAIVERS,
    "acme/keyset.yaml": KEYSET,
    "acme/generated.yaml": GENERATED,
    "acme/partner.pem": public_pem(rsa_key(0)),
    "acme/gateway.pem": certificate_pem(certificate(_GATEWAY)),
    "eu/globex/keyset.yaml": "version: 1\ntenant: globex\nplan: starter\ndomains: [id.globex.example]\n",
}
"""Two tenants, three domains, eight keys, every form of a key, and no mistake."""
COUNTS = "2 tenants, 3 domains, 8 keys"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A change to a file: `new` instead of `old`, which stands in it once. `new` may hold the mark."""

    old: str
    new: str
    file: str = "acme/keyset.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A mistake: what it is made of, where it is and what is said of it.

    Everything else about the files is as in `SOUND` with `around`, which has no mistake: the case's good neighbour.
    """

    rule: str
    says: str
    """`message; hint`, whole."""
    edits: tuple[Edit, ...] = ()
    add: Tree | None = None
    remove: tuple[str, ...] = ()
    place: str | None = None
    """`path:line:column`, where no mark shows it."""
    around: tuple[Edit, ...] = ()
    also: tuple[str, ...] = ()
    """Ids of rules that the same change breaks elsewhere."""

    def good(self) -> dict[str, str | bytes | Make]:
        """The files without the mistake."""
        return edited(SOUND, *self.around)

    def bad(self) -> tuple[dict[str, str | bytes | Make], str]:
        """The files with it, and `path:line:column` of its place."""
        tree = edited(self.good(), *self.edits)
        tree.update(self.add or {})
        tree = {path: content for path, content in tree.items() if path not in self.remove}
        marked = [path for path, content in tree.items() if isinstance(content, str) and MARK in content]
        assert len(marked) == (self.place is None)
        if self.place is not None:
            return tree, f"keysets/{self.place}"
        text = tree[marked[0]]
        assert isinstance(text, str)
        tree[marked[0]], line, column = unmarked(text)
        return tree, f"keysets/{marked[0]}:{line}:{column}"


def change(old: str, new: str, file: str = "acme/keyset.yaml") -> tuple[Edit, ...]:
    """One edit."""
    return (Edit(old=old, new=new, file=file),)


def edited(tree: Tree, *edits: Edit) -> dict[str, str | bytes | Make]:
    """The files after the edits."""
    made = dict(tree)
    for edit in edits:
        text = made[edit.file]
        assert isinstance(text, str)
        assert text.count(edit.old) == 1, edit.old
        made[edit.file] = text.replace(edit.old, edit.new)
    return made


def unmarked(text: str) -> tuple[str, int, int]:
    """The text without its one mark, and the mark's line and column, from 1."""
    before, after = text.split(MARK)
    return before + after, before.count("\n") + 1, len(before) - before.rfind("\n")


def write(folder: Path, tree: Tree) -> None:
    """Write the files into `folder`/keysets."""
    for path, content in tree.items():
        file = folder / "keysets" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str | bytes):
            file.write_bytes(content.encode() if isinstance(content, str) else content)
        else:
            content(file)


def check(folder: Path, now: datetime = NOW) -> Loaded:
    """What `check` finds in the working tree at `folder`."""
    times = Times(served=now, checked=now)
    return load(Console(quiet=True), open_worktree(folder, "keysets"), times, 1, lambda _: None)


def mistakes(
    keyset: str | bytes,
    generated: str | bytes | None = None,
    files: Mapping[str, str | bytes] | None = None,
    policy: Policy | None = None,
    now: datetime = NOW,
) -> list[Diagnostic]:
    """What is said of one tenant's files, `acme`, without a file system. Sorted."""
    given = {"keyset.yaml": keyset, **({} if generated is None else {"generated.yaml": generated}), **(files or {})}
    stored = {
        name: File(kind="file", data=data.encode() if isinstance(data, str) else data) for name, data in given.items()
    }
    folder = Folder(path="acme", tree=None, files=stored)
    return sorted(check_folder(folder, policy or Policy(), now).diagnostics)


def lines(found: list[Diagnostic]) -> list[str]:
    """`line:column: rule: message; hint` of each."""
    return [str(one).partition(":")[2] for one in found]


def of_entry(
    text: str, policy: Policy | None = None, files: Mapping[str, str | bytes] | None = None
) -> list[Diagnostic]:
    """What is said of a key set with this one custom key, written as by `keymaker.entry`."""
    return mistakes(f"{HEAD}custom_keys:\n{text}", policy=policy, files=files)


HEAD = "version: 1\ntenant: acme\nplan: enterprise\ndomains: [a.acme.example]\n"


def rules(found: list[Diagnostic]) -> list[str]:
    """The ids of the rules broken."""
    return [one.rule for one in found]
