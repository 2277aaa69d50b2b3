"""The sample key sets as plain files: every form is there, the keys are good, and the windows hold for a century.

Read with PyYAML and `cryptography` alone, so that a mistake of the project's own readers cannot hide one here.
"""

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import idna
import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from publisher.known_keys import KNOWN
from publisher.weakness import close_primes, ed25519_point_error, roca, small_factor, weierstrass_contains

KEYSETS = Path(__file__).parent.parent / "keysets"
PUBLIC_MEMBERS = {"RSA": {"kty", "n", "e"}, "EC": {"kty", "crv", "x", "y"}, "OKP": {"kty", "crv", "x"}}
SAMPLES_MADE = datetime(2026, 11, 1, tzinfo=UTC)
FAR = datetime(2125, 1, 1, tzinfo=UTC)

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


TENANTS = {path.parent: load(path) for path in sorted(KEYSETS.rglob("keyset.yaml"))}


def entries() -> Iterator[tuple[Path, str, dict[str, Any]]]:
    """Folder, `custom` or `generated`, entry."""
    for folder, keyset in TENANTS.items():
        yield from ((folder, "custom", entry) for entry in keyset.get("custom_keys", []))
        yield from ((folder, "generated", entry) for entry in load(folder / "generated.yaml")["generated_keys"])


def pem(folder: Path, text: str) -> bytes:
    return text.encode() if "\n" in text else (folder / text).read_bytes()


def chain(folder: Path, entry: dict[str, Any]) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(pem(folder, entry["certificate"]))


def key(folder: Path, entry: dict[str, Any]) -> PublicKey:
    if "pem" in entry:
        found = load_pem_public_key(pem(folder, entry["pem"]))
    elif "certificate" in entry:
        found = chain(folder, entry)[0].public_key()
    else:
        found = from_jwk(entry["jwk"])
    assert isinstance(found, rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey)
    return found


def from_jwk(jwk: dict[str, str]) -> PublicKey:
    if jwk["kty"] == "RSA":
        return rsa.RSAPublicNumbers(number(jwk["e"]), number(jwk["n"])).public_key()
    if jwk["kty"] == "OKP":
        assert jwk["crv"] == "Ed25519"
        return ed25519.Ed25519PublicKey.from_public_bytes(decode(jwk["x"]))
    curve = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1()}[jwk["crv"]]
    return ec.EllipticCurvePublicNumbers(number(jwk["x"]), number(jwk["y"]), curve).public_key()


def decode(text: str) -> bytes:
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    assert encode(data) == text
    return data


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(text: str) -> int:
    return int.from_bytes(decode(text), "big")


def kind(found: PublicKey) -> str:
    if isinstance(found, rsa.RSAPublicKey):
        return "RSA"
    return "Ed25519" if isinstance(found, ed25519.Ed25519PublicKey) else found.curve.name


def thumbprint(found: PublicKey) -> str:
    if isinstance(found, rsa.RSAPublicKey):
        n, e = found.public_numbers().n, found.public_numbers().e
        members = {"kty": "RSA", "n": encode(n.to_bytes(-(-n.bit_length() // 8))), "e": encode(e.to_bytes(3))}
    elif isinstance(found, ed25519.Ed25519PublicKey):
        members = {"kty": "OKP", "crv": "Ed25519", "x": encode(found.public_bytes_raw())}
    else:
        point, width = found.public_numbers(), -(-found.curve.key_size // 8)
        crv = {"secp256r1": "P-256", "secp384r1": "P-384"}[found.curve.name]
        members = {"kty": "EC", "crv": crv, "x": encode(point.x.to_bytes(width)), "y": encode(point.y.to_bytes(width))}
    text = json.dumps(members, sort_keys=True, separators=(",", ":"))
    return encode(hashlib.sha256(text.encode()).digest())


def window(entry: dict[str, Any]) -> list[datetime]:
    """The four instants, an open start as the year 1 and an open end as 9999."""
    publish, signs = entry.get("publish", {}), entry.get("signs", {})
    start = publish.get("from", datetime.min.replace(tzinfo=UTC))
    end = publish.get("until", datetime.max.replace(tzinfo=UTC))
    return [start, signs.get("from", start), signs.get("until", end), end]


# Files


def test_every_file_is_one_that_belongs_here() -> None:
    for path in KEYSETS.rglob("*"):
        assert not path.is_symlink()
        if path.is_file():
            assert path.suffix in {".yaml", ".pem"}, path
            assert "PRIVATE" not in path.read_text(encoding="utf-8"), path
    values = [
        (folder, entry[form]) for folder, _, entry in entries() for form in ("pem", "certificate") if form in entry
    ]
    assert {folder / text for folder, text in values if "\n" not in text} == set(KEYSETS.rglob("*.pem"))


def test_no_private_or_symmetric_member() -> None:
    for _, _, entry in entries():
        if "jwk" in entry:
            assert set(entry["jwk"]) == PUBLIC_MEMBERS[entry["jwk"]["kty"]]


def test_text_needs_no_quotes_that_are_missing() -> None:
    """`yaml.safe_load` applies the implicit types of YAML 1.1, so text that it takes for something else is no str."""
    for folder, _, entry in entries():
        jwk = entry.get("jwk", {})
        assert all(isinstance(value, str) for value in jwk.values()), folder
        assert isinstance(entry.get("kid", ""), str), folder
        assert isinstance(entry["alg"], str), folder


def test_policy_states_the_defaults() -> None:
    policy = load(KEYSETS / "policy.yaml")
    algorithms = [f"{family}{bits}" for family in ("RS", "PS", "ES") for bits in (256, 384, 512)]
    assert policy == {
        "version": 1,
        "algorithms": [*algorithms, "EdDSA"],
        "rsa": {"min_bits": 2048, "max_bits": 8192, "exponents": [65537]},
        "cache": {"max_age": 300, "stale_while_revalidate": 60, "stale_if_error": 86400},
        "publish_interval": "15m",
        "token_lifetime": "24h",
        "clock_skew": "5m",
        "rotation": {"every": "90d", "lead": "48h", "alg": "RS256", "at_most": "366d", "sync_within": "7d"},
        "limits": {"custom_keys": 10, "keys": 20, "document_bytes": 51200, "removals": 100},
        "require_proof": False,
        "retention": {"releases": "90d"},
        "consumers": [],
        "plans": {"free": {"custom_keys": 0}, "enterprise": {"custom_keys": 10}},
        "canonical_domain": "{tenant}.idp.example",
    }


# Forms


def test_six_tenants_show_every_form() -> None:
    forms = {form for _, _, entry in entries() for form in ("jwk", "pem", "certificate") if form in entry}
    assert forms == {"jwk", "pem", "certificate"}
    assert all(sum(form in entry for form in forms) == 1 for _, _, entry in entries())
    assert {kind(key(folder, entry)) for folder, _, entry in entries()} == {"RSA", "secp256r1", "secp384r1", "Ed25519"}
    inline = {form: {"\n" in entry[form] for _, _, entry in entries() if form in entry} for form in forms - {"jwk"}}
    assert inline == {"pem": {True, False}, "certificate": {True, False}}
    assert len(TENANTS) >= 6
    assert any(not keyset.get("custom_keys") for keyset in TENANTS.values())
    assert any(folder.parent != KEYSETS for folder in TENANTS)


def test_folders_are_named_after_their_tenants() -> None:
    for folder, keyset in TENANTS.items():
        assert keyset["tenant"] == folder.name
        assert keyset["version"] == load(folder / "generated.yaml")["version"] == 1
    assert len({folder.name for folder in TENANTS}) == len(TENANTS)


def test_domains_are_reserved_names_with_one_owner() -> None:
    domains = Counter(domain for keyset in TENANTS.values() for domain in keyset["domains"])
    assert max(domains.values()) == 1
    assert all(domain.endswith(".example") and not domain.endswith(".idp.example") for domain in domains)
    international = [domain for domain in domains if "xn--" in domain]
    assert international
    assert all(idna.encode(idna.decode(domain)).decode() == domain for domain in international)


def test_acme_has_two_domains_and_a_key_for_one_of_them() -> None:
    acme = TENANTS[KEYSETS / "acme"]
    assert acme["domains"] == ["login.acme.example", "auth.acme.example"]
    assert [entry["domains"] for entry in acme["custom_keys"] if "domains" in entry] == [["auth.acme.example"]]
    for folder, _, entry in entries():
        assert set(entry.get("domains", [])) <= set(TENANTS[folder]["domains"])


# Keys


def test_keys_are_strong() -> None:
    for folder, _, entry in entries():
        found = key(folder, entry)
        if isinstance(found, rsa.RSAPublicKey):
            numbers = found.public_numbers()
            assert (numbers.n.bit_length() in {2048, 3072}, numbers.e) == (True, 65537)
            assert (small_factor(numbers.n), close_primes(numbers.n), roca(numbers.n)) == (None, False, False)
        elif isinstance(found, ed25519.Ed25519PublicKey):
            assert ed25519_point_error(found.public_bytes_raw()) is None
        else:
            point = found.public_numbers()
            crv = {"secp256r1": "P-256", "secp384r1": "P-384"}[found.curve.name]
            assert weierstrass_contains(crv, point.x, point.y)


def test_algorithms_fit_their_keys() -> None:
    fits = {"RSA": ("RS", "PS"), "secp256r1": ("ES256",), "secp384r1": ("ES384",), "Ed25519": ("EdDSA",)}
    for folder, _, entry in entries():
        assert entry["alg"].startswith(fits[kind(key(folder, entry))])


def test_no_key_is_used_twice_or_published_elsewhere() -> None:
    thumbprints = [thumbprint(key(folder, entry)) for folder, _, entry in entries()]
    assert len(thumbprints) == len(set(thumbprints)) > 20
    assert not set(thumbprints) & set(KNOWN)


def test_kids_are_unique_in_a_tenant() -> None:
    for tenant in TENANTS:
        kids = [e.get("kid", thumbprint(key(folder, e))) for folder, _, e in entries() if folder == tenant]
        assert len(kids) == len(set(kids))


# Time


def test_windows_are_in_order_and_with_time_zone() -> None:
    for _, _, entry in entries():
        instants = window(entry)
        assert all(instant.tzinfo is not None for instant in instants)
        assert instants == sorted(instants)


def test_no_window_ends_or_starts_while_anybody_reads_this() -> None:
    for _, _, entry in entries():
        for instant in window(entry):
            assert instant < SAMPLES_MADE or datetime(2090, 1, 1, tzinfo=UTC) <= instant
        assert window(entry)[3] > FAR


def test_every_tenant_has_an_active_generated_key() -> None:
    active = {
        folder
        for folder, origin, entry in entries()
        if origin == "generated" and window(entry)[1] < SAMPLES_MADE and window(entry)[2] > FAR
    }
    assert active == set(TENANTS)


@pytest.mark.parametrize(
    ("phase", "origin"),
    [("pending", "custom"), ("announced", "generated"), ("retiring", "generated"), ("retiring", "custom")],
)
def test_every_phase_is_there(phase: str, origin: str) -> None:
    def of(entry: dict[str, Any]) -> str:
        publish_from, signs_from, signs_until, _ = window(entry)
        if publish_from > SAMPLES_MADE:
            return "pending"
        if signs_from > SAMPLES_MADE:
            return "announced"
        return "retiring" if signs_until < SAMPLES_MADE else "active"

    assert phase in {of(entry) for _, where, entry in entries() if where == origin}


def test_one_key_is_revoked_in_the_past_with_a_reason() -> None:
    revoked = [entry["revoked"] for _, _, entry in entries() if "revoked" in entry]
    assert len(revoked) == 1
    assert revoked[0]["at"] < SAMPLES_MADE
    assert revoked[0]["reason"]


def test_certificates_cover_the_window_and_chain_up() -> None:
    chains = [(entry, chain(folder, entry)) for folder, _, entry in entries() if "certificate" in entry]
    assert {len(certificates) for _, certificates in chains} == {1, 2}
    for entry, certificates in chains:
        for certificate, issuer in zip(certificates, [*certificates[1:], certificates[-1]], strict=True):
            certificate.verify_directly_issued_by(issuer)
            assert isinstance(certificate.signature_hash_algorithm, hashes.SHA256)
            assert certificate.not_valid_before_utc <= entry["publish"]["from"]
            assert certificate.not_valid_after_utc >= entry["publish"]["until"] > FAR
