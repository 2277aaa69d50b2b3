"""Keys that come in from outside: a JWKS document, a JWK, PEM or certificates, to the entries that they would get.

They are read by the same rules as key-set files, and as strictly; mistakes have their places in the document. The
places are those of the YAML reader, which nearly all JSON is good for, and the document's top for the rest. What only a
whole key set shows (plans, kids, strength) is for `check`, on the file that would come of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from publisher.diagnostic import Diagnostic, Where
from publisher.fields import MISSING, WRONG_TYPE, Reading
from publisher.jwk import members
from publisher.jwksfile import read_json
from publisher.material import Material, read_material
from publisher.proof import Proof, ProofError, read_proof, verify
from publisher.secrets import private_key_places, private_members
from publisher.source import LIMIT_FILE_BYTES, Folder
from publisher.yamlfile import Plain, Value, locate
from publisher.yamltext import Writable

_NOWHERE = Folder(path="", tree=None, files={})


class RefusedError(Exception):
    """An edit that cannot be made. One line for people, without key material."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A key that comes in: what was read of it, and the fields of the entry that it would get."""

    material: Material
    fields: Mapping[str, Writable]
    start: datetime | None = None
    """From when its owner is to sign with it, where that was given to it here."""

    @property
    def kid(self) -> str:
        """Its kid: the thumbprint where it names none."""
        kid = self.fields.get("kid")
        return kid if isinstance(kid, str) else self.material.kid or self.material.jwk.thumbprint


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What a document gives. `keys` counts only where there are no diagnostics."""

    keys: tuple[Given, ...]
    diagnostics: tuple[Diagnostic, ...]


def read_jwks(data: bytes, file: str) -> Read:
    """The keys of a JWKS document, each as an entry of its own, or all mistakes with their places in the document."""
    loaded = read_json(data, file)
    if loaded.value is None:
        return Read(keys=(), diagnostics=(*loaded.diagnostics, *private_key_places(file, data)))
    reading = Reading(file=file)
    found: list[Given] = []
    if not isinstance(loaded.value, dict):
        reading.note(WRONG_TYPE, (), "this is no JWKS document", 'write {"keys": [...]} with a JWK for each key')
    else:
        found = _keys(loaded.value, reading)
    return _judged(data, loaded.value, reading, found)


def read_key(data: bytes, file: str, kid: str | None, alg: str | None) -> Read:
    """One key: a JWK in JSON, or PEM text of a public key or certificates; or all mistakes with their places."""
    if data.lstrip()[:1] == b"{":
        loaded = read_json(data, file)
        if not isinstance(loaded.value, dict):
            return Read(keys=(), diagnostics=(*loaded.diagnostics, *private_key_places(file, data)))
        reading = Reading(file=file)
        one = _from_jwk(loaded.value, (), reading, kid, alg)
        return _judged(data, loaded.value, reading, [] if one is None else [one])
    reading = Reading(file=file)
    form = "certificate" if b"-----BEGIN CERTIFICATE" in data else "pem"
    text = data[: LIMIT_FILE_BYTES + 1].decode("utf-8", "replace").replace("\r\n", "\n").strip() + "\n"
    material = read_material({form: text}, (), _NOWHERE, reading)
    if material is None:
        return _judged(data, "", reading, [])
    fields = {"kid": kid, "alg": alg, form: text}
    given = Given(material=material, fields={name: item for name, item in fields.items() if item is not None})
    return _judged(data, "", reading, [given])


def with_alg(given: Given, alg: str) -> Given:
    """The key with an algorithm, where it names none."""
    fields = dict(given.fields)
    kid = {"kid": fields.pop("kid")} if "kid" in fields else {}
    return replace(given, fields={**kid, "alg": alg, **fields})


def with_start(given: Given, start: datetime | None) -> Given:
    """The key announced: it signs from an instant on. As it is for None."""
    if start is None:
        return given
    signs = {"from": Plain(start.strftime("%Y-%m-%dT%H:%M:%SZ"))}
    return replace(given, fields={**given.fields, "signs": signs}, start=start)


def with_proofs(keys: Sequence[Given], texts: Sequence[str], tenant: str, now: datetime) -> tuple[Given, ...]:
    """The keys with these proofs, each at the key that it names. RefusedError for a bad, stale or needless proof."""
    made = list(keys)
    for text in texts:
        proof = fresh_proof(text, now)
        at = next((at for at, one in enumerate(made) if one.material.jwk.thumbprint == proof.thumbprint), None)
        if at is None:
            raise RefusedError("a proof is for none of these keys")
        try:
            verify(proof, tenant, made[at].material.jwk)
        except ProofError as error:
            raise RefusedError(f"{error.message}; {error.hint}") from None
        made[at] = replace(made[at], fields={**made[at].fields, "proof": text})
    return tuple(made)


def fresh_proof(text: str, now: datetime) -> Proof:
    """A proof that has not expired: the moment at which it comes in is the one to judge that. RefusedError."""
    try:
        proof = read_proof(text)
    except ProofError as error:
        raise RefusedError(f"{error.message}; {error.hint}") from None
    if proof.expires <= now:
        raise RefusedError("the proof has expired; make it anew, from `custom challenge`")
    return proof


def _keys(value: dict[str, Value], reading: Reading) -> list[Given]:
    for name in value:
        if name != "keys":
            reading.unknown(name, (), "this member is not one of a JWKS document", ["keys"])
    entries = value.get("keys")
    if entries is None:
        reading.note(MISSING, (), "`keys` is missing", 'write {"keys": [...]} with a JWK for each key')
        return []
    if not isinstance(entries, list):
        reading.note(WRONG_TYPE, ("keys",), "`keys` is not a list", "write a list of JWKs")
        return []
    found: list[Given] = []
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict):
            reading.note(WRONG_TYPE, ("keys", index), "this is not a JWK", "write a JSON object")
        elif (one := _from_jwk(entry, ("keys", index), reading, None, None)) is not None:
            found.append(one)
    return found


def _from_jwk(
    jwk: Mapping[str, Value], where: Where, reading: Reading, kid: str | None, alg: str | None
) -> Given | None:
    """The entry: `kid` and `alg` stand in it, and not in its JWK, unless what is asked for differs from that."""
    inner = Reading(file=reading.file)
    material = read_material({"jwk": jwk}, where, _NOWHERE, inner)
    for finding in inner.findings:
        place = (*where, *finding.where[len(where) + 1 :]) if len(finding.where) > len(where) else where
        reading.findings.append(replace(finding, where=place))
    if material is None:
        return None
    kid, alg = kid or material.kid, alg or material.alg
    said = {name: item for name, item in (("kid", kid), ("alg", alg)) if item is not None}
    inside = {"kid": material.kid, "alg": material.alg}
    differing = {name: item for name, item in inside.items() if item is not None and item != said[name]}
    # `check` tells that they differ.
    public = {**members(material.jwk), **differing, **material.extra}
    return Given(material=material, fields={**said, "jwk": public})


def _judged(data: bytes, value: Value, reading: Reading, keys: Sequence[Given]) -> Read:
    """With private members and private keys that stand where nothing is read, too. None of it is shown."""
    private_members(value, reading)
    diagnostics = locate(data, reading.findings)
    told = {one.line for one in diagnostics}
    diagnostics += [one for one in private_key_places(reading.file, data) if one.line not in told]
    return Read(keys=tuple(keys), diagnostics=tuple(sorted(diagnostics)))
