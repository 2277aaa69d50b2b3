"""The key of one entry: from its `jwk`, `pem` or `certificate` to a `Jwk`, perhaps with a certificate chain."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from publisher import certificate
from publisher.certificate import Chain
from publisher.diagnostic import Rule, Where, quote
from publisher.fields import UNKNOWN, ListOf, Reading, Text, suggest
from publisher.jwk import Jwk
from publisher.publickey import PRIVATE, PRIVATE_MEMBERS, from_public_key, parse
from publisher.source import Folder
from publisher.yamlfile import Value

ONE_FORM = Rule(id="key-form", doc="A key is given once: as `jwk`, `pem` or `certificate`, exactly one of them.")
USE = Rule(
    id="key-use",
    doc="`use` is sig and `key_ops` holds nothing but verify (RFC 7517 sections 4.2 and 4.3): the document's public "
    "keys verify tokens, and a key for encryption among them makes verifiers try or refuse it.",
)
URL = Rule(
    id="key-url",
    doc="x5u and jku make verifiers fetch key material from elsewhere, past every review (RFC 8725 section 3.10).",
)
AGREES = Rule(
    id="key-disagrees",
    doc="`kid` and `alg` may stand in the entry or in its JWK; where they stand in both they are equal.",
)
PEM = Rule(
    id="key-pem",
    doc="`pem` is one public key in PEM (SubjectPublicKeyInfo, `BEGIN PUBLIC KEY`, or PKCS#1).",
)
PATH = Rule(
    id="key-path",
    doc="A file that an entry names lies in the tenant's own folder, is a plain file there and no symlink: otherwise "
    "one tenant's key would hang on a file that others may change.",
)
RULES = (ONE_FORM, USE, URL, AGREES, PEM, PATH)

FORMS = ("jwk", "pem", "certificate")
_METADATA = ("kty", "use", "key_ops", "alg", "kid", "x5c", "x5t", "x5t#S256", "n", "e", "crv", "x", "y")
_NOT_MEMBERS = {
    "ext": "remove it: it is for WebCrypto alone",
    "keys": "this is a JWK Set: give each of its keys an entry of its own",
}
_TEXT = Text(max_length=8192)
_NAME = Text(what="a name", max_length=255)
_NAMES = ListOf(item=_NAME, most=16)
_CERTIFICATES = ListOf(item=Text(what="a base64 certificate", max_length=16_384), most=certificate.MAX_CHAIN)
# What a reviewer reads beside a block may say anything of it, so nothing stands there (RFC 7468 allows it).
_BLOCKS = re.compile(rb"(?:\s*-----BEGIN ([A-Z0-9 ]+)-----[A-Za-z0-9+/=\s]+-----END \1-----)+\s*")
_BEGIN = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----")


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """A key, what its JWK says of kid and alg, and which certificate members the document is to carry."""

    jwk: Jwk
    kid: str | None = None
    alg: str | None = None
    chain: Chain | None = None
    extra: Mapping[str, Any]
    """x5c, x5t and x5t#S256 as they go into the document."""


def read_material(entry: Mapping[str, Any], where: Where, folder: Folder, reading: Reading) -> Material | None:
    """The key that an entry's fields give. Notes what is wrong; None if anything is."""
    given = [form for form in FORMS if form in entry]
    if len(given) != 1:
        if given or reading.is_clean(where):
            have = " and ".join(f"`{form}`" for form in given) or "no key"
            reading.note(ONE_FORM, where, f"the entry gives {have}", "give exactly one of `jwk`, `pem`, `certificate`")
        return None
    form = given[0]
    place = (*where, form)
    if form == "jwk":
        return _from_jwk(entry[form], place, reading)
    text: str = entry[form]
    data = text.encode() if "-----BEGIN" in text or "\n" in text else _file(text, place, folder, reading)
    if data is None:
        return None
    return _from_pem(data, place, reading) if form == "pem" else _from_certificate(data, place, reading)


def _from_jwk(value: Mapping[str, Value], where: Where, reading: Reading) -> Material | None:
    jwk = parse(value, where, reading)
    _metadata_names(value, where, reading)
    names = {name: reading.read(_NAME, value[name], (*where, name)) for name in ("kid", "alg", "use") if name in value}
    if names.get("use") not in (None, "sig"):
        hint = "leave this key out if it is for encryption, or write `use: sig`"
        reading.note(USE, (*where, "use"), f"{quote(names['use'])} is not the use of a signing key", hint)
        return None
    if "key_ops" in value:
        operations = reading.read(_NAMES, value["key_ops"], (*where, "key_ops"))
        if operations is not None and operations != ("verify",):
            reading.note(USE, (*where, "key_ops"), "`key_ops` is not exactly verify", "write `key_ops: [verify]`")
    chain, extra = _chain_members(value, jwk, where, reading)
    if jwk is None:
        return None
    return Material(jwk=jwk, kid=names.get("kid"), alg=names.get("alg"), chain=chain, extra=extra)


def _metadata_names(value: Mapping[str, Value], where: Where, reading: Reading) -> None:
    for name in value:
        if name in ("x5u", "jku"):
            message = f"`{name}` makes verifiers fetch keys from elsewhere"
            reading.note(URL, (*where, name), message, "remove it; give `x5c` if a certificate is needed", at_key=True)
        elif name not in _METADATA and name not in PRIVATE_MEMBERS and not reading.is_full:
            near = suggest(name, _METADATA)
            hint = _NOT_MEMBERS.get(name) or (near if near.startswith("did you") else "remove it")
            message = f"{quote(name)} is not a member that is published"
            reading.note(UNKNOWN, (*where, name), message, hint, at_key=True)


def _chain_members(
    value: Mapping[str, Value], jwk: Jwk | None, where: Where, reading: Reading
) -> tuple[Chain | None, dict[str, Any]]:
    thumbprints = [name for name in ("x5t", "x5t#S256") if name in value]
    if "x5c" not in value:
        for name in thumbprints:
            message = f"`{name}` stands without `x5c`, so nothing shows that it is right"
            reading.note(certificate.THUMBPRINT, (*where, name), message, f"add `x5c`, or remove `{name}`", at_key=True)
        return None, {}
    items = reading.read(_CERTIFICATES, value["x5c"], (*where, "x5c"))
    if items is None or not reading.is_clean((*where, "x5c")):
        return None, {}
    found = certificate.read_x5c(items, (*where, "x5c"), reading)
    if found is None:
        return None, {}
    chain, public = found
    leaf = from_public_key(public, (*where, "x5c", 0), reading)
    if jwk is not None and leaf is not None and leaf.thumbprint != jwk.thumbprint:
        message = "the first certificate holds another key than this JWK"
        reading.note(certificate.KEY, (*where, "x5c", 0), message, "put the certificate of this key first")
    extra: dict[str, Any] = {"x5c": chain.x5c}
    for name in thumbprints:
        given, right = reading.read(_TEXT, value[name], (*where, name)), chain.x5t if name == "x5t" else chain.x5t_s256
        fault = None if given is None else certificate.thumbprint_fault(name, given, right)
        if fault is not None:
            reading.note(certificate.THUMBPRINT, (*where, name), fault[0], fault[1])
        extra[name] = right
    return chain, extra


def _from_pem(data: bytes, where: Where, reading: Reading) -> Material | None:
    labels = _BEGIN.findall(data.decode("ascii", "replace"))
    if any("PRIVATE" in label for label in labels):
        _note_private(where, reading)
        return None
    if "CERTIFICATE" in labels:
        reading.note(PEM, where, "this is a certificate", "write `certificate:` instead of `pem:`")
        return None
    if len(labels) != 1:
        blocks = (
            f"there are {len(labels)} PEM blocks" if labels else "there is no PEM block (-----BEGIN PUBLIC KEY-----)"
        )
        reading.note(PEM, where, blocks, "give exactly one public key")
        return None
    try:
        key = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm):
        message = "this is not a public key in PEM"
        reading.note(PEM, where, message, "make it with `openssl pkey -pubout`; EC keys need a named curve")
        return None
    if _BLOCKS.fullmatch(data) is None:
        reading.note(PEM, where, "there is text around the PEM block", "keep the block alone")
        return None
    jwk = from_public_key(key, where, reading)
    return None if jwk is None else Material(jwk=jwk, extra={})


def _from_certificate(data: bytes, where: Where, reading: Reading) -> Material | None:
    if any("PRIVATE" in label for label in _BEGIN.findall(data.decode("ascii", "replace"))):
        _note_private(where, reading)
        return None
    if b"-----BEGIN PUBLIC KEY-----" in data:
        reading.note(certificate.ENCODING, where, "this is a public key", "write `pem:` instead of `certificate:`")
        return None
    found = certificate.read_pem(data, where, reading)
    if found is None:
        return None
    if _BLOCKS.fullmatch(data) is None:
        message = "there is text around the certificates"
        reading.note(certificate.ENCODING, where, message, "keep the -----BEGIN CERTIFICATE----- blocks alone")
        return None
    chain, public = found
    if any(b"PRIVATE KEY-----" in base64.b64decode(one) for one in chain.x5c):
        _note_private(where, reading)
        return None
    jwk = from_public_key(public, where, reading)
    if jwk is None:
        return None
    return Material(jwk=jwk, chain=chain, extra={"x5c": chain.x5c, "x5t#S256": chain.x5t_s256})


def _note_private(where: Where, reading: Reading) -> None:
    hint = "give the public half (`openssl pkey -pubout`); treat this key as exposed and replace it"
    reading.note(PRIVATE, where, "this is a private key", hint)


def _file(name: str, where: Where, folder: Folder, reading: Reading) -> bytes | None:
    """The bytes of a file in the tenant's folder."""
    parts = name.split("/")
    if name.startswith("/") or "\\" in name or any(part in ("", ".", "..") for part in parts):
        message = f"{quote(name)} does not lie in the tenant's folder"
        reading.note(PATH, where, message, "name a file beside keyset.yaml, as `partner.pem`")
        return None
    file = folder.files.get(name)
    if file is not None and file.kind == "file":
        return file.data
    if file is not None:
        message = f"{quote(name)} is not a plain file ({file.kind})"
        reading.note(PATH, where, message, "put a copy of the file itself in the tenant's folder")
    else:
        others = [other for other in folder.files if not other.endswith(".yaml")]
        hint = suggest(name, others) if others else f"add it to {folder.path}, and to the commit"
        reading.note(PATH, where, f"there is no file {quote(name)} in the tenant's folder", hint)
    return None
