"""Tests on the numbers of a public key: RSA moduli that are easy to factor, points that are no public key.

Every function takes plain numbers or bytes, knows nothing of JWK, and needs nothing but the standard library: the
tests run on every key of every tenant, and a library call by ASN.1 costs more than each of them. They find known
faults of key makers; that nothing is found does not say that a key is strong.
"""

from collections.abc import Iterator
from functools import cache
from math import gcd, isqrt, prod

SMALL_FACTOR_BOUND = 1000
"""Prime factors below this are looked for. NIST SP 800-89 section 5.3.3 (and the CA/Browser Forum's Baseline
Requirements, section 6.1.6) ask for none below 752."""

FERMAT_ROUNDS = 100
"""Rounds of Fermat's method: what the CA/Browser Forum's Baseline Requirements, section 6.1.1.3, ask certificate
authorities to try (CVE-2022-26320, https://fermatattack.secvuln.info)."""

_PRIMES = tuple(p for p in range(2, SMALL_FACTOR_BOUND) if all(p % d for d in range(2, isqrt(p) + 1)))
_PRIMORIAL = prod(_PRIMES)

_ROCA_PRIMES = tuple(p for p in _PRIMES if 3 <= p <= 167)
_GENERATOR = 65537

_SIEVE_MODULI = (64, 63, 65, 11, 17, 19, 23, 31)
"""Pairwise coprime, with few squares each: one number in 2,000 is a square modulo all of them."""
_SIEVE_PRODUCT = prod(_SIEVE_MODULI)


def small_factor(n: int) -> int | None:
    """The smallest prime factor of n (positive) below SMALL_FACTOR_BOUND, or None.

    One gcd with the product of the small primes; only where it is not 1 is the prime looked for.
    """
    common = gcd(n, _PRIMORIAL)
    return None if common == 1 else next(p for p in _PRIMES if common % p == 0)


def close_primes(n: int, rounds: int = FERMAT_ROUNDS) -> bool:
    """Whether Fermat's method splits n (positive, odd) within that many rounds; so also whether n is a square.

    Round i, from 0, asks whether a*a - n is a square for a = ceil(sqrt(n)) + i (Knuth, The Art of Computer
    Programming volume 2, section 4.5.4, algorithms C and D). Squares modulo small numbers rule out nearly all rounds
    at once, as bits of one integer, so that few square roots are taken.
    """
    root = isqrt(n)
    if root * root == n:
        return True
    start = root + 1
    n_small, start_small = n % _SIEVE_PRODUCT, start % _SIEVE_PRODUCT
    left = (1 << rounds) - 1
    for modulus, masks in _sieve(rounds):
        left &= masks[n_small % modulus] >> start_small % modulus
    while left:
        a = start + (left & -left).bit_length() - 1
        left &= left - 1
        square = a * a - n
        b = isqrt(square)
        if b * b == square and a - b > 1:
            return True
    return False


@cache
def _sieve(rounds: int) -> tuple[tuple[int, tuple[int, ...]], ...]:
    """For each modulus m and each n modulo m: bit a is set where a*a - n is a square modulo m, for a < m + rounds."""
    return tuple((m, tuple(_square_differences(m, n, m + rounds) for n in range(m))) for m in _SIEVE_MODULI)


def _square_differences(modulus: int, n: int, length: int) -> int:
    squares = {a * a % modulus for a in range(modulus)}
    period = sum(1 << a for a in range(modulus) if (a * a - n) % modulus in squares)
    return sum(period << at for at in range(0, length, modulus))


def roca(n: int) -> bool:
    """Whether n has the fingerprint of the Infineon library's RSA keys (CVE-2017-15361, "ROCA").

    Their primes are k*M + (65537**a mod M), M a product of the first primes, so n modulo each of these primes is a
    power of 65537 (Nemec, Sýs, Švenda, Klinec, Matyáš: "The Return of Coppersmith's Attack", ACM CCS 2017, section
    3; the primes 3 to 167 as in crocs-muni/roca, java/BrokenKey.java). One random modulus in 2**27.8 has it too.
    """
    return all(members >> n % p & 1 for p, members in _ROCA_SUBGROUPS)


def _subgroups() -> Iterator[tuple[int, int]]:
    for p in _ROCA_PRIMES:
        yield p, sum(1 << power for power in {pow(_GENERATOR, exponent, p) for exponent in range(p - 1)})


_ROCA_SUBGROUPS = tuple(sorted(_subgroups(), key=lambda subgroup: subgroup[1].bit_count() / subgroup[0]))
"""Each prime with the subgroup that 65537 generates, as bits, the most telling first: a good key leaves after one or
two divisions."""


_P25519 = 2**255 - 19
_D25519 = -121665 * pow(121666, -1, _P25519) % _P25519
_P448 = 2**448 - 2**224 - 1
_D448 = -39081

_ORDER_8_Y = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_LOW_ORDER_Y25519 = frozenset((0, 1, _P25519 - 1, _ORDER_8_Y, _P25519 - _ORDER_8_Y))
_LOW_ORDER_Y448 = frozenset((0, 1, _P448 - 1))

_NOT_CANONICAL = "not in canonical form"
_NOT_ON_CURVE = "not a point of the curve"
_LOW_ORDER = "a point of small order"


def ed25519_point_error(encoded: bytes) -> str | None:
    """Why these 32 bytes are no Ed25519 public key, as a few words that follow "is"; None where they are one.

    Refused: y not below the prime, or x = 0 with the sign bit set (RFC 8032 section 5.1.3), a y without x on the
    curve, and the eight points of the small subgroup, whose signatures anybody can make (RFC 8032 section 8.9, RFC
    7748 section 6.1). A sum of a good point and a small one is accepted: to tell takes a scalar multiplication.
    """
    if len(encoded) != 32:
        return f"{len(encoded)} bytes long and not 32"
    number = int.from_bytes(encoded, "little")
    y, sign = number & (1 << 255) - 1, number >> 255
    if y >= _P25519 or (sign and y in (1, _P25519 - 1)):
        return _NOT_CANONICAL
    if y in _LOW_ORDER_Y25519:
        return _LOW_ORDER
    square = y * y % _P25519
    # x*x = u/v, a square exactly where u*v is one
    return None if _jacobi((square - 1) * (_D25519 * square + 1) % _P25519, _P25519) == 1 else _NOT_ON_CURVE


def ed448_point_error(encoded: bytes) -> str | None:
    """The same for the 57 bytes of an Ed448 public key (RFC 8032 section 5.2.3); the small subgroup has four points."""
    if len(encoded) != 57:
        return f"{len(encoded)} bytes long and not 57"
    number = int.from_bytes(encoded, "little")
    y, sign = number & (1 << 455) - 1, number >> 455
    if y >= _P448 or (sign and y in (1, _P448 - 1)):
        return _NOT_CANONICAL
    if y in _LOW_ORDER_Y448:
        return _LOW_ORDER
    square = y * y % _P448
    return None if _jacobi((square - 1) * (_D448 * square - 1) % _P448, _P448) == 1 else _NOT_ON_CURVE


def _jacobi(a: int, n: int) -> int:
    """The Jacobi symbol (a/n) for 0 <= a < n, n odd (Menezes and others, Handbook of Applied Cryptography, 2.149).

    A fifth of the time of Euler's criterion by pow at 255 bits. The sign is bit 1 of `flips`.
    """
    flips = 0
    while a > 1:
        if not a & 1:
            twos = (a & -a).bit_length() - 1
            a >>= twos
            if twos & 1:  # (2/n) = -1 for n = 3, 5 modulo 8
                flips ^= n ^ n >> 1
        flips ^= a & n  # reciprocity: -1 where both are 3 modulo 4
        a, n = n % a, a
    if a != 1 and n != 1:
        return 0
    return -1 if flips & 2 else 1


_WEIERSTRASS = {
    "P-256": (
        2**256 - 2**224 + 2**192 + 2**96 - 1,
        -3,
        0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
    ),
    "P-384": (
        2**384 - 2**128 - 2**96 + 2**32 - 1,
        -3,
        0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF,
    ),
    "P-521": (
        2**521 - 1,
        -3,
        0x051953EB9618E1C9A1F929A21A0B68540EEA2DA725B99B315F3B8B489918EF109E156193951EC7E937B1652C0BD3BB1BF073573DF883D2C34F1EF451FD46B503F00,
    ),
    "secp256k1": (2**256 - 2**32 - 977, 0, 7),
}
"""p, a and b of y*y = x*x*x + a*x + b modulo p: NIST SP 800-186 section 3.2.1 (to which FIPS 186-5 refers), SEC 2
version 2.0 section 2.4.1; all of cofactor 1, so that every point but infinity has the group's full order."""


def weierstrass_negative(crv: str, y: int) -> int:
    """The second coordinate of a point's negative, whose private key is the group's order less the point's."""
    return _WEIERSTRASS[crv][0] - y


def weierstrass_contains(crv: str, x: int, y: int) -> bool:
    """Whether (x, y) is a point of the curve with this JWK name (RFC 7518 section 6.2.1.1, RFC 8812 section 3.1).

    Coordinates outside 0 <= x, y < p are not (NIST SP 800-56A revision 3, section 5.6.2.3.3). Raises KeyError for
    other names than P-256, P-384, P-521 and secp256k1.
    """
    p, a, b = _WEIERSTRASS[crv]
    return 0 <= x < p and 0 <= y < p and (y * y - (x * x + a) * x - b) % p == 0
