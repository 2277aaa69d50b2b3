"""A tenant's key set: what keyset.yaml and generated.yaml say, as values. What is allowed is judged in `rules/`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeAlias

from publisher.algorithm import algorithms_for
from publisher.certificate import Chain
from publisher.diagnostic import Diagnostic, Finding, Rule, Where, quote
from publisher.fields import Reading, Shape
from publisher.jwk import Jwk, kind
from publisher.material import AGREES, Material, read_material
from publisher.policy import Rotation
from publisher.publickey import PRIVATE
from publisher.secrets import private_key_places, private_members
from publisher.shapes import GENERATED, KEYSET
from publisher.source import Folder
from publisher.yamlfile import Value, load, locate

KID = Rule(
    id="kid-format",
    doc="A kid is text of 1-255 printable ASCII characters without spaces at its ends. Numbers make joserfc refuse the "
    "whole set; others end up in logs, headers and URLs.",
)
ALG_MISSING = Rule(
    id="alg-missing",
    doc="Every key names its algorithm: Envoy refuses OKP keys without one, and a key without `alg` can be tried with "
    "algorithms that its owner never meant (RFC 8725 section 3.1).",
)
RULES = (KID, ALG_MISSING)

ALWAYS = datetime.min.replace(tzinfo=UTC)
"""An open start."""
NEVER = datetime.max.replace(tzinfo=UTC)
"""An open end."""

Origin: TypeAlias = Literal["custom", "generated"]

_KID = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?")
_TIMES = ("publish", "signs", "revoked", "domains")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The four instants of a key; open ones are `ALWAYS` and `NEVER`. Ends are not included."""

    publish_from: datetime
    signs_from: datetime
    signs_until: datetime
    publish_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked:
    """When the key was compromised, and why it was revoked."""

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One entry of a key list. `file` and `where` are its place, for findings."""

    kid: str
    alg: str
    jwk: Jwk
    chain: Chain | None
    extra: Mapping[str, Any]
    origin: Origin
    window: Window
    revoked: Revoked | None
    domains: tuple[str, ...] | None
    file: str
    where: Where
    kid_at: tuple[str, ...] = ("kid",)
    """Where in the entry its kid stands; so `alg_at`."""
    alg_at: tuple[str, ...] = ("alg",)
    proof: str | None = None
    """The proof of possession as it stands; empty where it could not be read."""
    vault: str | None = None
    """Where the private half is, of a generated key."""

    def finding(self, rule: Rule, message: str, hint: str, *path: str | int) -> Finding:
        """A finding at this entry, or at a field of it."""
        return Finding(rule=rule, file=self.file, where=(*self.where, *path), message=message, hint=hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """The key set that the generated keys follow. `synced` is when it was last read without a fault; None for never."""

    url: str
    synced: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySet:
    """One tenant. `keys` are the entries that could be read, custom ones first, in the files' order.

    An entry with a mistake may be among them, as far as it could be read, so that every rule is applied at once.
    `consumers` are the names of verifiers, known or not, beside those of the policy and of its plan.
    """

    tenant: str
    plan: str
    domains: tuple[str, ...]
    keys: tuple[Key, ...]
    folder: str
    file: str
    custom_entries: int
    consumers: frozenset[str] = frozenset()
    rotation: Rotation = field(default_factory=Rotation)
    token_lifetime: timedelta | None = None
    upstream: Upstream | None = None

    def finding(self, rule: Rule, message: str, hint: str, *path: str | int) -> Finding:
        """A finding in keyset.yaml."""
        return Finding(rule=rule, file=self.file, where=path, message=message, hint=hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What a folder says. `keyset` is None where keyset.yaml itself cannot be read."""

    keyset: KeySet | None
    diagnostics: tuple[Diagnostic, ...]


def is_kid(text: str) -> bool:
    """Whether it is 1-255 printable ASCII characters without spaces at its ends."""
    return _KID.fullmatch(text) is not None


def read_keyset(folder: Folder) -> Read:
    """Read a tenant's folder: every mistake that its files show by themselves."""
    file, generated_file = f"{folder.path}/keyset.yaml", f"{folder.path}/generated.yaml"
    own, platform = Reading(file=file), Reading(file=generated_file)
    diagnostics: list[Diagnostic] = []
    said = {name: _load(folder, name, diagnostics) for name in ("keyset.yaml", "generated.yaml")}
    values = _shape(KEYSET, said["keyset.yaml"], own)
    generated = _shape(GENERATED, said["generated.yaml"], platform) or {}
    keys = _keys((values or {}).get("custom_keys", ()), "custom", folder, own)
    keys += _keys(generated.get("generated_keys", ()), "generated", folder, platform)
    if not own.is_clean(("domains",)):
        keys = [replace(key, domains=None) for key in keys]  # whether they are the tenant's own cannot be told
    keyset = None
    if values is not None:
        keyset = KeySet(
            tenant=values.get("tenant", folder.name),
            plan=values.get("plan", ""),
            domains=values.get("domains", ()),
            keys=tuple(keys),
            folder=folder.path,
            file=file,
            custom_entries=len(values.get("custom_keys", ())),
            consumers=frozenset(values.get("consumers", ())),
            rotation=Rotation(**values.get("rotation", {})),
            token_lifetime=values.get("token_lifetime"),
            upstream=_upstream(generated.get("upstream")),
        )
    for name, reading in (("keyset.yaml", own), ("generated.yaml", platform)):
        if reading.findings:
            private_members(said[name] or "", reading)
            diagnostics.extend(locate(folder.files[name].data, reading.findings))
    diagnostics.extend(_private_keys(folder, diagnostics))
    return Read(keyset=keyset, diagnostics=tuple(diagnostics))


def _load(folder: Folder, name: str, diagnostics: list[Diagnostic]) -> Value | None:
    file = folder.files.get(name)
    if file is None or file.kind != "file":
        return None  # `source` has named a file that is there but cannot be read
    loaded = load(file.data, f"{folder.path}/{name}")
    diagnostics.extend(loaded.diagnostics)
    return loaded.value


def _shape(shape: Shape, value: Value | None, reading: Reading) -> dict[str, Any] | None:
    return None if value is None else reading.shape(shape, value, ())


def _upstream(values: Mapping[str, Any] | None) -> Upstream | None:
    return None if values is None or "url" not in values else Upstream(url=values["url"], synced=values.get("synced"))


def _private_keys(folder: Folder, diagnostics: list[Diagnostic]) -> list[Diagnostic]:
    """Where private keys begin in any file of the folder, but for those that are told already, there or a line before.

    A PEM text begins on the line after its field.
    """
    told = {(one.path, one.line + more) for one in diagnostics if one.rule == PRIVATE.id for more in (0, 1)}
    places = (
        place
        for name, content in folder.files.items()
        for place in private_key_places(f"{folder.path}/{name}", content.data)
    )
    return [place for place in places if (place.path, place.line) not in told]


def _keys(entries: tuple[Mapping[str, Any] | None, ...], origin: Origin, folder: Folder, reading: Reading) -> list[Key]:
    found = []
    for index, values in enumerate(entries):
        where: Where = (f"{origin}_keys", index)
        material = None if values is None else read_material(values, where, folder, reading)
        if values is None or material is None:
            continue
        kid = _kid(values, material, where, reading)
        alg = _alg(values, material, where, reading)
        proof = values.get("proof") if reading.is_clean((*where, "proof")) else ""
        if not all(reading.is_clean((*where, name)) for name in _TIMES):
            values, material = {}, replace(material, chain=None)  # so that no rule judges by half of a window
        key = _key(kid, alg, values, material, origin, reading.file, where)
        found.append(key if proof is None else replace(key, proof=proof))
    return found


def _key(
    kid: str, alg: str, values: Mapping[str, Any], material: Material, origin: Origin, file: str, where: Where
) -> Key:
    revoked = values.get("revoked")
    return Key(
        kid=kid,
        alg=alg,
        jwk=material.jwk,
        chain=material.chain,
        extra=material.extra,
        origin=origin,
        window=_window(values.get("publish", {}), values.get("signs", {})),
        revoked=None if revoked is None else Revoked(**revoked),
        domains=values.get("domains"),
        file=file,
        where=where,
        kid_at=("kid",) if material.kid is None or "kid" in values else ("jwk", "kid"),
        alg_at=("alg",) if material.alg is None or "alg" in values else ("jwk", "alg"),
        vault=values.get("vault"),
    )


def _window(publish: Mapping[str, datetime], signs: Mapping[str, datetime]) -> Window:
    """The four instants; a key signs all the time that it is published, where it does not say otherwise."""
    start, end = publish.get("from", ALWAYS), publish.get("until", NEVER)
    return Window(
        publish_from=start,
        signs_from=signs.get("from", start),
        signs_until=signs.get("until", end),
        publish_until=end,
    )


def _kid(values: Mapping[str, Any], material: Material, where: Where, reading: Reading) -> str:
    """The key's kid; the thumbprint stands in for one that is no kid, which is noted."""
    entry, inner = values.get("kid"), material.kid
    if entry is not None and inner is not None and entry != inner:
        message = f"the entry's kid {quote(entry)} is not its JWK's {quote(inner)}"
        reading.note(AGREES, (*where, "kid"), message, "keep one of the two")
    kid: str = entry if entry is not None else inner if inner is not None else material.jwk.thumbprint
    if is_kid(kid):
        return kid
    place = (*where, "kid") if entry is not None else (*where, "jwk", "kid")
    message = f"{quote(kid)} is not a kid"
    reading.note(KID, place, message, "write 1-255 printable ASCII characters, none of them a space at an end")
    return material.jwk.thumbprint


def _alg(values: Mapping[str, Any], material: Material, where: Where, reading: Reading) -> str:
    """The key's algorithm; one that fits stands in for a missing one, which is noted."""
    entry, inner = values.get("alg"), material.alg
    if entry is not None and inner is not None and entry != inner:
        message = f"the entry's alg {quote(entry)} is not its JWK's {quote(inner)}"
        reading.note(AGREES, (*where, "alg"), message, "keep one of the two")
    alg: str | None = entry if entry is not None else inner
    if alg is not None:
        return alg
    fitting = algorithms_for(kind(material.jwk))
    if reading.is_clean((*where, "alg")) and reading.is_clean((*where, "jwk", "alg")):
        reading.note(ALG_MISSING, where, "`alg` is missing", f"add `alg:` with one of {', '.join(fitting)}")
    return fitting[0]
