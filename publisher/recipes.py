"""Shell commands that sign a challenge with a private key in PEM: for openssl, Python (PyJWT) and Node.js.

Each prints the signature as the third part of a compact JWS. `$TEXT` is the challenge, `key.pem` the private key, which
no command of this program ever asks for.
"""

from collections.abc import Mapping

from publisher.algorithm import CURVES, FITS

_BASE64URL = "openssl enc -base64 -A | tr '+/' '-_' | tr -d '='"
_PYTHON = (
    "python3 -c 'import base64, jwt, sys; a = jwt.get_algorithm_by_name(sys.argv[1]); "
    'k = a.prepare_key(open("key.pem").read()); '
    'print(base64.urlsafe_b64encode(a.sign(sys.argv[2].encode(), k)).rstrip(b"=").decode())\''
)


def signing_commands(alg: str) -> Mapping[str, str]:
    """Tool -> one line for a POSIX shell. `alg` is a known signature algorithm."""
    digest = None if "RSA" not in FITS[alg] and not alg.startswith("ES") else f"sha{alg.removesuffix('K')[-3:]}"
    python = "EdDSA" if digest is None else alg
    return {
        "openssl": f"{_openssl(alg, digest)} | {_BASE64URL}",
        "python": f'{_PYTHON} {python} "$TEXT"',
        "node": _node(alg, digest),
    }


def _openssl(alg: str, digest: str | None) -> str:
    if digest is None:  # openssl 3.0 signs no stream with these keys
        return 'printf %s "$TEXT" > text && openssl pkeyutl -sign -rawin -inkey key.pem -in text'
    options = " -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest" if alg.startswith("PS") else ""
    signed = f'printf %s "$TEXT" | openssl dgst -{digest}{options} -sign key.pem'
    if not alg.startswith("ES"):
        return signed
    # openssl writes r and s as two DER integers; JWS has both in full width (RFC 7518 section 3.4).
    width = 2 * CURVES[FITS[alg][0]][1]
    halves = f'awk -F: \'/INTEGER/ {{s = $NF; while (length(s) < {width}) s = "0" s; printf "%s", s}}\''
    return f"{signed} | openssl asn1parse -inform DER | {halves} | basenc -d --base16"


def _node(alg: str, digest: str | None) -> str:
    key = 'key: fs.readFileSync("key.pem")'
    if alg.startswith("PS"):
        key += ", padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: crypto.constants.RSA_PSS_SALTLEN_DIGEST"
    elif alg.startswith("ES"):
        key += ', dsaEncoding: "ieee-p1363"'
    name = "null" if digest is None else f'"{digest}"'
    script = f'crypto.sign({name}, Buffer.from(process.argv[1]), {{{key}}}).toString("base64url")'
    return f"node -p '{script}' \"$TEXT\""
