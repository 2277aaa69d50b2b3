"""Forms of PEM, and the paths of files that hold them."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, PublicFormat
from keymaker import (
    base64_lines,
    certificate,
    certificate_pem,
    ec_key,
    entry,
    key_of,
    okp_key,
    private_pem,
    public_pem,
    rsa_key,
    thumbprint,
)

from publisher.keyset import read_keyset
from publisher.source import File, Folder

from .trees import HEAD, Tree, lines, mistakes, of_entry, rules, write
from .trees import check as check_tree

SPKI = Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
GOOD = {
    "RSA as SubjectPublicKeyInfo": ("RS256", public_pem(rsa_key())),
    "RSA as PKCS#1": ("RS256", public_pem(rsa_key(), PublicFormat.PKCS1)),
    "P-256": ("ES256", public_pem(ec_key())),
    "P-256 as a compressed point": ("ES256", ""),
    "P-521": ("ES512", public_pem(key_of("P-521"))),
    "Ed25519": ("EdDSA", public_pem(okp_key())),
    "with Windows line ends": ("RS256", public_pem(rsa_key()).replace("\n", "\r\n")),
    "without a last line end": ("RS256", public_pem(rsa_key()).rstrip()),
}
ONE = "give exactly one public key"
NAMED = "make it with `openssl pkey -pubout`; EC keys need a named curve"
PUBLIC_HALF = "give the public half (`openssl pkey -pubout`); treat this key as exposed and replace it"


def _sequence(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    size = len(body)
    length = bytes([size]) if size < 128 else bytes([0x81, size]) if size < 256 else b"\x82" + size.to_bytes(2, "big")
    return bytes([tag]) + length + body


def _integer(number: int) -> bytes:
    return _sequence(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def explicit_p256(*, b: int = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B) -> str:
    """A P-256 key with the curve's numbers in place of its name (RFC 3279 section 2.3.5); perhaps with another b."""
    p = 2**256 - 2**224 + 2**192 + 2**96 - 1
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    base = ec.derive_private_key(1, ec.SECP256R1()).public_key()
    point = Encoding.X962, PublicFormat.UncompressedPoint
    curve = _sequence(
        0x30,
        _integer(1),
        _sequence(0x30, bytes.fromhex("06072a8648ce3d0101"), _integer(p)),
        _sequence(0x30, _sequence(4, (p - 3).to_bytes(32, "big")), _sequence(4, b.to_bytes(32, "big"))),
        _sequence(4, base.public_bytes(*point)),
        _integer(order),
        _integer(1),
    )
    algorithm = _sequence(0x30, bytes.fromhex("06072a8648ce3d0201"), curve)
    key = _sequence(0x30, algorithm, _sequence(3, b"\0" + ec_key().public_key().public_bytes(*point)))
    return base64_lines("PUBLIC KEY", key)


def compressed_p256() -> str:
    """The same key with its point compressed (SEC 1 section 2.3.3)."""
    point = ec_key().public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    names = _sequence(0x30, bytes.fromhex("06072a8648ce3d0201"), bytes.fromhex("06082a8648ce3d030107"))
    return base64_lines("PUBLIC KEY", _sequence(0x30, names, _sequence(3, b"\0" + point)))


GOOD["P-256 as a compressed point"] = ("ES256", compressed_p256())

Says = tuple[str, str, str]
IS_CERTIFICATE: Says = ("key-pem", "this is a certificate", "write `certificate:` instead of `pem:`")
IS_NO_KEY: Says = ("key-pem", "this is not a public key in PEM", NAMED)
IS_PRIVATE: Says = ("private-key", "this is a private key", PUBLIC_HALF)
IS_OTHER: Says = ("key-type", "this is not an RSA, EC or Ed25519 key", "give a key that can sign tokens")
IS_CURVE: Says = ("key-curve", "the curve `brainpoolP256r1` is not a signature curve of JOSE", "use P-256")
IS_TEXT: Says = ("key-pem", "there is no PEM block (-----BEGIN PUBLIC KEY-----)", ONE)
DSA = dsa.generate_private_key(1024)  # noqa: S505 - it is refused
X25519 = x25519.X25519PrivateKey.generate()
BRAINPOOL = ec.generate_private_key(ec.BrainpoolP256R1())

BAD: dict[str, tuple[str, Says]] = {
    "a certificate": (certificate_pem(certificate(ec_key())), IS_CERTIFICATE),
    "a chain": (certificate_pem(*[certificate(ec_key())] * 2), IS_CERTIFICATE),
    "two keys": (public_pem(rsa_key()) * 2, ("key-pem", "there are 2 PEM blocks", ONE)),
    "no PEM": ("MIIBIjANBgkq\nhkiG9w0BAQEFAAOC\n", IS_TEXT),
    "text around it": (
        f"Partner's key, 2026\n{public_pem(rsa_key())}",
        ("key-pem", "there is text around the PEM block", "keep the block alone"),
    ),
    "a cut block": (public_pem(rsa_key())[:200] + "\n", IS_NO_KEY),
    "a wrong label": (public_pem(rsa_key()).replace("PUBLIC", "PUBLISHED"), IS_NO_KEY),
    "a request": (public_pem(rsa_key()).replace("PUBLIC KEY", "CERTIFICATE REQUEST"), IS_NO_KEY),
    "another curve's numbers": (explicit_p256(b=7), IS_NO_KEY),
    "DSA": (DSA.public_key().public_bytes(*SPKI).decode(), IS_OTHER),
    "X25519": (X25519.public_key().public_bytes(*SPKI).decode(), IS_OTHER),
    "brainpool": (BRAINPOOL.public_key().public_bytes(*SPKI).decode(), IS_CURVE),
    "PKCS#8": (private_pem(rsa_key()), IS_PRIVATE),
    "PKCS#8 with a passphrase": (private_pem(ec_key(), encrypted=True), IS_PRIVATE),
    "PKCS#1": (private_pem(rsa_key(), PrivateFormat.TraditionalOpenSSL), IS_PRIVATE),
    "SEC 1": (private_pem(ec_key(), PrivateFormat.TraditionalOpenSSL), IS_PRIVATE),
    "OpenSSH": (private_pem(okp_key(), PrivateFormat.OpenSSH), IS_PRIVATE),
    "both halves": (private_pem(rsa_key()) + public_pem(rsa_key()), IS_PRIVATE),
}
THUMBPRINTS = {"RS256": thumbprint(rsa_key()), "ES256": thumbprint(ec_key()), "EdDSA": thumbprint(okp_key())}


@pytest.mark.parametrize("name", GOOD)
def test_good_forms(name: str) -> None:
    alg, text = GOOD[name]
    for data in (text.encode(), text.replace("\r", "").encode()):
        keyset = f"{HEAD}custom_keys:\n  - alg: {alg}\n    pem: keys/partner.pem\n"
        files = {
            "keyset.yaml": File(kind="file", data=keyset.encode()),
            "keys/partner.pem": File(kind="file", data=data),
        }
        read = read_keyset(Folder(path="acme", tree=None, files=files))
        assert read.diagnostics == ()
        assert read.keyset is not None
        assert read.keyset.keys[0].kid == THUMBPRINTS.get(alg, thumbprint(key_of("P-521")))


@pytest.mark.parametrize("name", BAD)
def test_bad_forms(name: str) -> None:
    text, (rule, message, hint) = BAD[name]
    inline = of_entry(entry("RS256", pem=text))
    assert lines(inline) == [f"7:10: {rule}: {message}; {hint}"]
    in_file = mistakes(f"{HEAD}custom_keys:\n  - alg: RS256\n    pem: key.pem\n", files={"key.pem": text})
    assert lines([one for one in in_file if one.path == "acme/keyset.yaml"]) == [f"7:10: {rule}: {message}; {hint}"]
    assert [one.rule for one in in_file if one.path == "acme/key.pem"] == ["private-key"] * (rule == "private-key")


def test_numbers_of_a_known_curve_are_read_as_that_curve_or_refused() -> None:
    """Which of the two is up to the version of cryptography; never a third."""
    found = of_entry(entry("ES256", pem=explicit_p256()))
    assert lines(found) in ([], [f"7:10: key-pem: this is not a public key in PEM; {NAMED}"])


def test_certificate_fields_take_no_other_forms() -> None:
    for text, message in (
        (public_pem(rsa_key()), "certificate-encoding: this is a public key; write `pem:` instead of `certificate:`"),
        (
            "text\nof two lines\n",
            "certificate-encoding: this is not a PEM certificate; give -----BEGIN CERTIFICATE----- blocks",
        ),
        (private_pem(rsa_key()), f"private-key: this is a private key; {PUBLIC_HALF}"),
        (
            certificate_pem(certificate(ec_key())) + private_pem(ec_key()),
            f"private-key: this is a private key; {PUBLIC_HALF}",
        ),
    ):
        assert lines(of_entry(entry("ES256", certificate=text)))[0] == f"7:18: {message}"


FILES = {"partner.pem": public_pem(rsa_key()), "keys/partner.pem": "", "notes.txt": ""}
COPY = "put a copy of the file itself in the tenant's folder"
OUTSIDE = "does not lie in the tenant's folder; name a file beside keyset.yaml, as `partner.pem`"


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("partner.pem", None),
        ("../acme/partner.pem", OUTSIDE),
        ("keys/../partner.pem", OUTSIDE),
        ("./partner.pem", OUTSIDE),
        ("keys//partner.pem", OUTSIDE),
        ("keys/", OUTSIDE),
        ("/etc/passwd", OUTSIDE),
        ("..", OUTSIDE),
        ("keys\\\\partner.pem", OUTSIDE),
        ("C:\\\\partner.pem", OUTSIDE),
        ("partner.pme", "there is no file `partner.pme` in the tenant's folder; did you mean `partner.pem`?"),
        ("Partner.PEM", "there is no file `Partner.PEM` in the tenant's folder; did you mean `partner.pem`?"),
        (
            "other.key",
            "there is no file `other.key` in the tenant's folder; known here: partner.pem, keys/partner.pem, notes.txt",
        ),
        ("file:partner.pem", "there is no file `file:partner.pem` in the tenant's folder; did you mean `partner.pem`?"),
        (
            "partner.pem\\0.txt",
            "there is no file `partner.pem\\x00.txt` in the tenant's folder; did you mean `partner.pem`?",
        ),
    ],
)
def test_paths(path: str, says: str | None) -> None:
    keyset = f'{HEAD}custom_keys:\n  - alg: RS256\n    pem: "{path}"\n'
    shown = path.replace("\\\\", "\\")
    says = f"`{shown}` {says}" if says == OUTSIDE else says
    assert lines(mistakes(keyset, files=FILES)) == ([] if says is None else [f"7:10: key-path: {says}"])


def test_paths_to_what_is_no_file(tmp_path: Path) -> None:
    keyset = (
        HEAD + "custom_keys:\n" + "".join(f"  - {{alg: RS256, pem: {name}}}\n" for name in ("link.pem", "keys", "pipe"))
    )
    outside = tmp_path / "outside.pem"
    outside.write_text(public_pem(rsa_key()))
    tree: Tree = {
        "policy.yaml": "version: 1\n",
        "acme/keyset.yaml": keyset,
        "acme/link.pem": lambda path: path.symlink_to(outside),
        "acme/keys": lambda path: path.mkdir(),
    }
    write(tmp_path, tree)
    assert [str(one).removeprefix("keysets/acme/keyset.yaml:") for one in check_tree(tmp_path).diagnostics] == [
        f"6:23: key-path: `link.pem` is not a plain file (symlink); {COPY}",
        "7:23: key-path: there is no file `keys` in the tenant's folder; known here: link.pem",
        "8:23: key-path: there is no file `pipe` in the tenant's folder; known here: link.pem",
    ]


def test_a_file_of_another_tenant_is_out_of_reach(tmp_path: Path) -> None:
    keyset = HEAD + "custom_keys:\n  - {alg: RS256, pem: inner/partner.pem}\n"
    other = HEAD.replace("acme", "inner")
    write(
        tmp_path,
        {
            "policy.yaml": "version: 1\n",
            "acme/keyset.yaml": keyset,
            "acme/inner/keyset.yaml": other,
            "acme/inner/partner.pem": public_pem(rsa_key()),
        },
    )
    assert rules(list(check_tree(tmp_path).diagnostics)) == ["tenant-inside-tenant", "key-path"]
