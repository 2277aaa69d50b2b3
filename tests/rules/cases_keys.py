"""Golden cases of what is a key: JWK members, PEM, certificates, files."""

import hashlib
import re

from keymaker import (
    base64url,
    certificate,
    decoded,
    ec_key,
    flow,
    okp_key,
    private_jwk,
    private_pem,
    public_jwk,
    public_pem,
    rsa_key,
    x5c,
    x5t,
)

from .trees import KEYSET, MARK, Case, change

RSA, EC, ED = public_jwk(rsa_key(1)), public_jwk(ec_key(0)), public_jwk(okp_key(0))
CERTIFICATE = certificate(rsa_key(1), "x5c")
EXPOSED = "publish the public half only; treat this key as exposed and replace it"
X5T = x5t(CERTIFICATE)
assert KEYSET.count(RSA["n"]) == KEYSET.count(EC["x"]) == KEYSET.count(ED["x"]) == 1
X5C = f'["{x5c(CERTIFICATE)[0]}"]'
HEX_X5T = base64url(hashlib.sha1(decoded(x5c(CERTIFICATE)[0].replace("+", "-").replace("/", "_"))).hexdigest().encode())  # noqa: S324


def _replaced(members: dict[str, str], marked: str, **changes: str) -> str:
    """The members in one line, some changed, with the mark before the value of one of them."""
    return re.sub(rf"(?<=[{{ ]){marked}: ", rf"\g<0>{MARK}", flow({**members, **changes}))


def _off_curve() -> str:
    return base64url((int.from_bytes(decoded(EC["y"]), "big") ^ 1).to_bytes(32, "big"))


JWK = (
    Case(
        rule="private-key",
        edits=change(flow(EC), flow(private_jwk(ec_key(0))).replace("d: ", "▸d: ")),
        says=f"`d` is a member of private keys; {EXPOSED}",
    ),
    Case(
        rule="private-key",
        edits=change("    alg: EdDSA\n", f"    alg: EdDSA\n    ▸d: {flow(private_jwk(okp_key(0))['d'])}\n"),
        says=f"`d` is a member of private keys; {EXPOSED}",
    ),
    Case(
        rule="private-key",
        edits=change("pem: partner.pem", "pem: ▸partner.pem"),
        add={"acme/partner.pem": private_pem(rsa_key(0))},
        says="this is a private key; give the public half (`openssl pkey -pubout`); "
        "treat this key as exposed and replace it",
        also=("private-key",),
    ),
    Case(
        rule="private-key",
        add={"acme/unused.txt": "The old one was:\n  ▸" + private_pem(ec_key(0))},
        says="a private key begins here; remove it; treat the key as exposed and replace it",
    ),
    Case(
        rule="symmetric-key",
        edits=change(flow(ED), f"{{kty: ▸oct, k: {flow(private_jwk(okp_key(0))['d'])}}}"),
        says="`oct` is a symmetric key: a secret that would be published; "
        "give a public RSA, EC or OKP key; treat this one as exposed",
        also=("private-key",),
    ),
    Case(
        rule="key-type",
        edits=change(flow(ED), _replaced(ED, "kty", kty="AKP")),
        says="`AKP` is not a public key type here; write RSA, EC or OKP",
    ),
    Case(
        rule="key-curve",
        edits=change(flow(ED), _replaced(ED, "crv", crv="X25519")),
        says="`X25519` is not a signature curve of OKP; did you mean `Ed25519`?",
    ),
    Case(
        rule="key-curve",
        edits=change(flow(EC), _replaced(EC, "crv", crv="P256")),
        says="`P256` is not a signature curve of EC; did you mean `P-256`?",
    ),
    Case(
        rule="base64url",
        edits=change(flow(EC), _replaced(EC, "x", x=EC["x"] + "=")),
        says="`x` is not canonical base64url; remove the padding `=`",
    ),
    Case(
        rule="key-integer",
        edits=change("e: AQAB", "e: ▸AAEAAQ"),
        says="`e` begins with a zero byte; write it as AQAB",
    ),
    Case(
        rule="key-coordinate",
        edits=change(flow(EC), _replaced(EC, "y", y=base64url(decoded(EC["y"])[:31]))),
        says="`y` has 31 bytes, and P-256 takes 32; pad with zero bytes on the left, before base64url",
    ),
    Case(
        rule="key-point",
        edits=change(flow(EC), _replaced(EC, "x", y=_off_curve())),
        says="the point (x, y) is not on P-256; copy x and y again from the key",
    ),
    Case(
        rule="key-point",
        edits=change(flow(ED), _replaced(ED, "x", x=base64url(bytes(32)))),
        says="not an Ed25519 public key: a point of small order; copy it again from the key",
    ),
    Case(
        rule="key-use",
        edits=change("use: sig", "use: ▸enc"),
        says="`enc` is not the use of a signing key; leave this key out if it is for encryption, or write `use: sig`",
    ),
    Case(
        rule="key-use",
        edits=change("key_ops: [verify]", "key_ops: ▸[verify, encrypt]"),
        says="`key_ops` is not exactly verify; write `key_ops: [verify]`",
    ),
    Case(
        rule="key-url",
        edits=change("      use: sig\n", "      use: sig\n      ▸x5u: https://acme.example/cert\n"),
        says="`x5u` makes verifiers fetch keys from elsewhere; remove it; give `x5c` if a certificate is needed",
    ),
    Case(
        rule="unknown-field",
        edits=change("      use: sig\n", "      use: sig\n      ▸issuer: https://acme.example\n"),
        says="`issuer` is not a member that is published; remove it",
    ),
    Case(
        rule="key-disagrees",
        edits=change("  - alg: RS256\n    jwk:", "  - kid: ▸own-key\n    alg: RS256\n    jwk:"),
        says="the entry's kid `own-key` is not its JWK's `own-x5c`; keep one of the two",
    ),
    Case(
        rule="key-disagrees",
        edits=change("  - alg: RS256\n    jwk:\n", "  - alg: ▸PS256\n    jwk:\n      alg: RS256\n"),
        says="the entry's alg `PS256` is not its JWK's `RS256`; keep one of the two",
    ),
    Case(
        rule="key-form",
        edits=change("  - kid: own-rsa\n", "  - ▸kid: own-rsa\n    certificate: gateway.pem\n"),
        says="the entry gives `pem` and `certificate`; give exactly one of `jwk`, `pem`, `certificate`",
    ),
    Case(
        rule="key-form",
        edits=change("  - kid: own-rsa\n    alg: RS256\n    pem: partner.pem\n", "  - ▸kid: own-rsa\n    alg: RS256\n"),
        says="the entry gives no key; give exactly one of `jwk`, `pem`, `certificate`",
    ),
    Case(
        rule="kid-format",
        edits=change("kid: own-rsa", 'kid: ▸"own rsa "'),
        says="`own rsa ` is not a kid; write 1-255 printable ASCII characters, none of them a space at an end",
    ),
    Case(
        rule="kid-format",
        edits=change("kid: own-x5c", "kid: ▸größe"),
        says="`größe` is not a kid; write 1-255 printable ASCII characters, none of them a space at an end",
    ),
    Case(
        rule="alg-missing",
        edits=change("  - kid: own-ed\n    alg: EdDSA\n", "  - ▸kid: own-ed\n"),
        says="`alg` is missing; add `alg:` with one of EdDSA, Ed25519",
    ),
)

FILES = (
    Case(
        rule="key-pem",
        edits=change("pem: partner.pem", "pem: ▸gateway.pem"),
        says="this is a certificate; write `certificate:` instead of `pem:`",
    ),
    Case(
        rule="key-pem",
        edits=change("pem: partner.pem", "pem: ▸partner.pem"),
        add={"acme/partner.pem": public_pem(rsa_key(0)) + public_pem(rsa_key(1))},
        says="there are 2 PEM blocks; give exactly one public key",
    ),
    Case(
        rule="key-path",
        edits=change("pem: partner.pem", "pem: ▸../eu/globex/partner.pem"),
        says="`../eu/globex/partner.pem` does not lie in the tenant's folder; name a file beside keyset.yaml, "
        "as `partner.pem`",
    ),
    Case(
        rule="key-path",
        edits=change("pem: partner.pem", "pem: ▸partners.pem"),
        says="there is no file `partners.pem` in the tenant's folder; did you mean `partner.pem`?",
    ),
    Case(
        rule="certificate-encoding",
        edits=change(X5C, f'[▸"{base64url(decoded(X5C[2:-2].replace("+", "-").replace("/", "_")))}"]'),
        says="this is not a DER certificate in standard base64; use A-Z a-z 0-9 + / and padding alone",
    ),
    Case(
        rule="certificate-encoding",
        edits=change("certificate: gateway.pem", "certificate: ▸gateway.pem"),
        add={"acme/gateway.pem": public_pem(ec_key(2))},
        says="this is a public key; write `pem:` instead of `certificate:`",
    ),
    Case(
        rule="certificate-chain",
        edits=change(X5C, f'["{x5c(CERTIFICATE)[0]}", ▸"{x5c(certificate(ec_key(9), "another"))[0]}"]'),
        says="certificate 1 of the chain is not issued by the next one; put the leaf first and each issuer right after",
    ),
    Case(
        rule="certificate-thumbprint",
        edits=change(f'x5t: "{X5T}"', f"x5t: ▸{flow(HEX_X5T)}"),
        says=f"`x5t` is the base64url of the digest in hexadecimal, not of its 20 bytes; write {X5T}",
    ),
    Case(
        rule="certificate-thumbprint",
        edits=change(f"      x5c: {X5C}\n      x5t: ", "      ▸x5t: "),
        says="`x5t` stands without `x5c`, so nothing shows that it is right; add `x5c`, or remove `x5t`",
        also=("certificate-thumbprint",),
    ),
    Case(
        rule="certificate-key",
        edits=change(X5C, f'[▸"{x5c(certificate(rsa_key(3)))[0]}"]'),
        says="the first certificate holds another key than this JWK; put the certificate of this key first",
        also=("certificate-thumbprint",),
    ),
)

CASES = (*JWK, *FILES)
