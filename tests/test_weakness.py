"""Numeric tests of public keys: weak ones made here are found, good ones are not."""

import secrets
from math import gcd, isqrt, prod

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from publisher.weakness import (
    SMALL_FACTOR_BOUND,
    close_primes,
    ed448_point_error,
    ed25519_point_error,
    roca,
    small_factor,
    weierstrass_contains,
)

PRIMES_BELOW_168 = [p for p in range(2, 168) if all(p % d for d in range(2, p))]
P25519 = 2**255 - 19
D25519 = -121665 * pow(121666, -1, P25519) % P25519
P448 = 2**448 - 2**224 - 1
CURVES = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1(), "secp256k1": ec.SECP256K1()}
FIELDS = {
    "P-256": 2**256 - 2**224 + 2**192 + 2**96 - 1,
    "P-384": 2**384 - 2**128 - 2**96 + 2**32 - 1,
    "P-521": 2**521 - 1,
    "secp256k1": 2**256 - 2**32 - 977,
}


def next_prime(number: int) -> int:
    number |= 1
    while gcd(number, prod(PRIMES_BELOW_168)) != 1 or pow(2, number - 1, number) != 1:
        number += 2
    return number


def random_odd(bits: int) -> int:
    return secrets.randbits(bits) | 1 | 3 << bits - 2


@pytest.fixture(scope="module")
def good_moduli() -> list[int]:
    sizes = [2048] * 20 + [3072]
    return [rsa.generate_private_key(65537, bits).public_key().public_numbers().n for bits in sizes]


def test_good_rsa_keys_are_not_flagged(good_moduli: list[int]) -> None:
    for n in good_moduli:
        assert (small_factor(n), close_primes(n), roca(n)) == (None, False, False)


def test_random_odd_numbers_are_not_close_primes_or_roca() -> None:
    for n in (random_odd(2048) for _ in range(500)):
        assert not close_primes(n)
        assert not roca(n)


@pytest.mark.parametrize("factor", [2, 3, 167, 751, 997])
def test_small_factor_is_found(factor: int) -> None:
    assert small_factor(factor * next_prime(secrets.randbits(512))) == factor


def test_small_factor_is_the_smallest() -> None:
    assert small_factor(997 * 7 * 7 * 5) == 5
    assert small_factor(1009 * 1013) is None
    assert SMALL_FACTOR_BOUND > 752


@given(st.integers(min_value=1, max_value=1_000_000))
def test_small_factor_agrees_with_trial_division(n: int) -> None:
    assert small_factor(n) == next((d for d in range(2, SMALL_FACTOR_BOUND) if n % d == 0), None)


def test_neighbouring_primes_are_close() -> None:
    p = next_prime(random_odd(1024))
    q = next_prime(p + 2)
    assert close_primes(p * q)
    assert close_primes(p * p)


def test_primes_that_share_their_upper_half_are_close() -> None:
    p = next_prime(random_odd(512))
    assert close_primes(p * next_prime(p + secrets.randbits(255)))
    assert not close_primes(p * next_prime(p + (secrets.randbits(300) | 1 << 299)))


@pytest.mark.parametrize("bits", [128, 512, 1024])
def test_the_rounds_are_counted_exactly(bits: int) -> None:
    a = random_odd(bits)
    # (a - b)(a + b) is found in round a - ceil(sqrt(n)), which is about b*b / 2a: 99 is the hundredth
    b = isqrt(2 * a * 99 + a // 2) & ~1
    n = a * a - b * b
    assert a - isqrt(n) - 1 == 99
    assert close_primes(n, rounds=100)
    assert not close_primes(n, rounds=99)


@given(st.integers(min_value=4, max_value=10**9).map(lambda n: n | 1), st.integers(min_value=1, max_value=130))
def test_fermat_agrees_with_its_plain_form(n: int, rounds: int) -> None:
    root = isqrt(n)
    plain = root * root == n
    for a in range(root + 1, root + 1 + rounds):
        b = isqrt(a * a - n)
        plain = plain or (b * b == a * a - n and a - b > 1)
    assert close_primes(n, rounds) == plain


@pytest.mark.parametrize("bits", [1024, 2048, 4096])
def test_roca_form_is_found(bits: int) -> None:
    for _ in range(20):
        p, q = roca_number(bits // 2), roca_number(bits // 2)
        assert roca(p * q)
        assert roca(p)
        assert not roca(p * q + prod(PRIMES_BELOW_168[:5]))


def roca_number(bits: int) -> int:
    """k*M + (65537**a mod M), M the product of the first 71, 126 or 225 primes, as the paper's section 2 says."""
    count = {512: 71, 1024: 126, 2048: 225}[bits]
    primes = [p for p in range(2, 1500) if all(p % d for d in range(2, isqrt(p) + 1))][:count]
    product = prod(primes)
    k = secrets.randbits(bits - product.bit_length()) | 1 << bits - product.bit_length() - 1
    return k * product + pow(65537, secrets.randbits(200), product)


@pytest.mark.parametrize("prime", PRIMES_BELOW_168[1:])
def test_roca_looks_at_every_prime(prime: int) -> None:
    """All residues fit but that by one prime: 0 is never a power of 65537."""
    rest = prod(PRIMES_BELOW_168) // prime
    n = next(n for n in range(1, rest * prime, rest) if n % prime == 0)
    assert not roca(n)
    assert roca(1)


# Ed25519 and Ed448


def test_good_ed25519_keys_are_accepted() -> None:
    for _ in range(300):
        encoded = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes_raw()
        assert ed25519_point_error(encoded) is None


def test_good_ed448_keys_are_accepted() -> None:
    for _ in range(100):
        encoded = ed448.Ed448PrivateKey.generate().public_key().public_bytes_raw()
        assert ed448_point_error(encoded) is None


def encoded25519(y: int, sign: int = 0) -> bytes:
    return (y | sign << 255).to_bytes(32, "little")


def encoded448(y: int, sign: int = 0) -> bytes:
    return (y | sign << 455).to_bytes(57, "little")


@pytest.mark.parametrize("y", range(2, 60))
def test_ed25519_agrees_with_eulers_criterion(y: int) -> None:
    x_squared = (y * y - 1) * pow(D25519 * y * y + 1, -1, P25519) % P25519
    on_curve = pow(x_squared, (P25519 - 1) // 2, P25519) == 1
    for sign in (0, 1):
        assert ed25519_point_error(encoded25519(y, sign)) == (None if on_curve else "not a point of the curve")


@pytest.mark.parametrize("y", range(2, 60))
def test_ed448_agrees_with_eulers_criterion(y: int) -> None:
    x_squared = (y * y - 1) * pow(-39081 * y * y - 1, -1, P448) % P448
    on_curve = pow(x_squared, (P448 - 1) // 2, P448) == 1
    for sign in (0, 1):
        assert ed448_point_error(encoded448(y, sign)) == (None if on_curve else "not a point of the curve")


def test_the_eight_small_points_of_ed25519_are_refused() -> None:
    point = point_of_order_8()
    small = {multiply(times, point) for times in range(8)}
    assert len(small) == 8
    for x, y in small:
        assert ed25519_point_error(encoded25519(y, x & 1)) == "a point of small order"


def point_of_order_8() -> tuple[int, int]:
    """The order of edwards25519's base point, times a point of the curve that is no multiple of the base point."""
    base_order = 2**252 + 27742317777372353535851937790883648493
    for y in range(2, 100):
        x_squared = (y * y - 1) * pow(D25519 * y * y + 1, -1, P25519) % P25519
        root = pow(x_squared, (P25519 + 3) // 8, P25519)
        for x in (root, root * pow(2, (P25519 - 1) // 4, P25519) % P25519):
            point = multiply(base_order, (x, y))
            if x * x % P25519 == x_squared and multiply(4, point) != (0, 1):
                return point
    raise AssertionError("no point found")


def multiply(scalar: int, point: tuple[int, int]) -> tuple[int, int]:
    result = (0, 1)
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


def add(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    """RFC 8032 section 5.1.4."""
    (x1, y1), (x2, y2) = one, other
    k = D25519 * x1 * x2 * y1 * y2
    x = (x1 * y2 + x2 * y1) * pow(1 + k, -1, P25519) % P25519
    return x, (y1 * y2 + x1 * x2) * pow(1 - k, -1, P25519) % P25519


@pytest.mark.parametrize(("y", "sign"), [(1, 0), (P448 - 1, 0), (0, 0), (0, 1)])
def test_the_four_small_points_of_ed448_are_refused(y: int, sign: int) -> None:
    assert ed448_point_error(encoded448(y, sign)) == "a point of small order"


@pytest.mark.parametrize(
    "encoded",
    [
        encoded25519(P25519),
        encoded25519(P25519 + 1),
        encoded25519(P25519 + 3, 1),
        encoded25519(1, 1),
        encoded25519(P25519 - 1, 1),
        b"\xff" * 32,
    ],
)
def test_ed25519_that_is_not_canonical(encoded: bytes) -> None:
    assert ed25519_point_error(encoded) == "not in canonical form"


@pytest.mark.parametrize(
    "encoded", [encoded448(P448), encoded448(P448 + 4), encoded448(1, 1), encoded448(2**448), b"\xff" * 57]
)
def test_ed448_that_is_not_canonical(encoded: bytes) -> None:
    assert ed448_point_error(encoded) == "not in canonical form"


def test_wrong_lengths_are_named() -> None:
    assert ed25519_point_error(b"") == "0 bytes long and not 32"
    assert ed25519_point_error(bytes(33)) == "33 bytes long and not 32"
    assert ed448_point_error(bytes(56)) == "56 bytes long and not 57"


# The curves of ECDSA


@pytest.mark.parametrize("name", CURVES)
def test_points_of_the_curve_are_accepted_and_others_not(name: str) -> None:
    for _ in range(50):
        point = ec.generate_private_key(CURVES[name]).public_key().public_numbers()
        assert weierstrass_contains(name, point.x, point.y)
        assert not weierstrass_contains(name, point.x, point.y ^ 1)
        assert not weierstrass_contains(name, point.y, point.x)


@pytest.mark.parametrize("name", CURVES)
def test_agrees_with_cryptography_on_random_coordinates(name: str) -> None:
    point = ec.generate_private_key(CURVES[name]).public_key().public_numbers()
    for x, y in [(point.x, point.y), (point.x, point.y + 1), (secrets.randbits(200), secrets.randbits(200)), (0, 0)]:
        assert weierstrass_contains(name, x, y) == accepts(CURVES[name], x, y)


def accepts(curve: ec.EllipticCurve, x: int, y: int) -> bool:
    try:
        ec.EllipticCurvePublicNumbers(x, y, curve).public_key()
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("name", CURVES)
def test_coordinates_must_be_below_the_prime(name: str) -> None:
    p = FIELDS[name]
    point = ec.generate_private_key(CURVES[name]).public_key().public_numbers()
    assert weierstrass_contains(name, point.x, p - point.y)
    assert not weierstrass_contains(name, point.x + p, point.y)
    assert not weierstrass_contains(name, point.x, point.y + p)
    assert not weierstrass_contains(name, point.x, -point.y)
    assert not weierstrass_contains(name, -1, 0)


def test_an_unknown_curve_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        weierstrass_contains("P-224", 1, 1)
