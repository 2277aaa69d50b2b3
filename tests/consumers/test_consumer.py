"""The functions on one verifier: its limits, and how soon it learns and forgets keys."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keymaker import ec_key, public_jwk, rsa_key

from publisher.algorithm import CURVES, FITS
from publisher.consumer import (
    FOREVER,
    UNKNOWN_REFRESH,
    Entry,
    Fault,
    entries,
    faults,
    forgets_within,
    learns_within,
    slowest,
)
from publisher.consumers import AWS_ALB, CONSUMERS, GO_JOSE, OCI_API_GATEWAY, PYTHON_JOSE, named

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TIMES = [
    ("jose", 5 * MINUTE, MINUTE / 2, 10 * MINUTE),
    ("jwks-rsa", 5 * MINUTE, 0 * MINUTE, 10 * MINUTE),
    ("jwks-rsa-java", 5 * MINUTE, MINUTE, 10 * HOUR),
    ("pyjwt", 5 * MINUTE, 0 * MINUTE, 5 * MINUTE),
    ("nimbus", 5 * MINUTE, MINUTE / 2, 5 * MINUTE),
    ("spring", 5 * MINUTE, MINUTE / 2, 5 * MINUTE),
    ("spring-reactive", 5 * MINUTE, 0 * MINUTE, None),
    ("go-oidc", 5 * MINUTE, 0 * MINUTE, None),
    ("aws-jwt-verify", 5 * MINUTE, 0 * MINUTE, None),
    ("keyfunc", 5 * MINUTE, 5 * MINUTE, HOUR),
    ("lestrrat-jwx", 5 * MINUTE, HOUR, HOUR),
    ("lestrrat-jwx", DAY, DAY, DAY),
    ("envoy", 5 * MINUTE, 10 * MINUTE, 10 * MINUTE),
    ("istio", 5 * MINUTE, 20 * MINUTE, 20 * MINUTE),
    ("microsoft-identity", 5 * MINUTE, 5 * MINUTE, 12 * HOUR),
    ("mod-auth-openidc", 5 * MINUTE, 0 * MINUTE, HOUR),
    ("aws-api-gateway", 5 * MINUTE, 0 * MINUTE, HOUR),
    ("confluent-cloud", MINUTE, 5 * MINUTE, 5 * MINUTE),
    ("confluent-cloud", 10 * MINUTE, 10 * MINUTE, 10 * MINUTE),
    ("confluent-cloud", 10 * DAY, 7 * DAY, 7 * DAY),
    ("aws-alb", 5 * MINUTE, UNKNOWN_REFRESH, None),
    ("ruby-jwt", 5 * MINUTE, 0 * MINUTE, None),
]
NAMES = st.sets(st.sampled_from(sorted(CONSUMERS)))
MAX_AGES = st.timedeltas(timedelta(0), DAY)


@pytest.mark.parametrize(("name", "max_age", "learns", "forgets"), TIMES)
def test_how_soon_a_new_key_is_known_and_a_removed_one_is_not(
    name: str, max_age: timedelta, learns: timedelta, forgets: timedelta | None
) -> None:
    assert learns_within(CONSUMERS[name], max_age) == learns
    assert forgets_within(CONSUMERS[name], max_age) == forgets


@given(names=NAMES, max_age=MAX_AGES)
def test_the_slowest_learns_last_and_nobody_learns_later_than_it_forgets(names: set[str], max_age: timedelta) -> None:
    consumers = named(names)
    found = slowest(consumers, max_age)
    assert all(learns_within(one, max_age) <= found for one in consumers)
    assert found < FOREVER
    assert slowest([], max_age) == timedelta(0)
    for one in consumers:
        forgets = forgets_within(one, max_age)
        assert forgets is None or learns_within(one, max_age) <= forgets


def test_constants_are_of_algorithms_and_kinds_that_there_are() -> None:
    kinds = {"RSA", *CURVES}
    for name, one in CONSUMERS.items():
        assert one.name == name
        assert (one.algorithms or set()) <= FITS.keys()
        assert (one.kinds or set()) | one.refuses <= kinds
        assert one.kinds is None or not one.kinds & one.refuses
        assert any(not list(faults([entry], 100, [one])) for entry in _each())
    assert [one.name for one in named(["pyjwt", "nobody", "envoy"])] == ["envoy", "pyjwt"]


def _each() -> list[Entry]:
    return [Entry(kid="k", alg=alg, kind=kind, bits=2048) for alg, kinds in FITS.items() for kind in kinds]


@pytest.mark.parametrize(("count", "size", "told"), [
    (10, 150_000, []), (11, 150_000, ["keys"]), (10, 150_001, ["bytes"]), (11, 150_001, ["keys", "bytes"]),
])  # fmt: skip
def test_limits_of_keys_and_bytes_are_the_most_that_is_taken(count: int, size: int, told: list[str]) -> None:
    keys = [Entry(kid=f"k{number}", alg="RS256", kind="RSA", bits=2048) for number in range(count)]
    assert [fault.what for fault in faults(keys, size, [AWS_ALB])] == told


def test_the_worst_of_a_key_is_told_for_each_verifier() -> None:
    keys = [Entry(kid="k1", alg="ES256K", kind="secp256k1"), Entry(kid="ec", alg="ES256", kind="P-256")]
    assert list(faults(keys, 500, [GO_JOSE, PYTHON_JOSE, AWS_ALB])) == [
        Fault(
            consumer="go-jose",
            what="whole-set",
            index=0,
            text="refuses every document with a key of secp256k1, as `k1` is",
        ),
        Fault(
            consumer="python-jose",
            what="order",
            index=0,
            text="tries keys in turn, and fails at `k1` for tokens of `ec` after it",
        ),
        Fault(consumer="aws-alb", what="algorithm", index=0, text="refuses tokens of `k1`: it knows no ES256K"),
        Fault(consumer="aws-alb", what="algorithm", index=1, text="refuses tokens of `ec`: it knows no ES256"),
    ]


@given(data=st.data())
def test_a_document_of_some_keys_has_no_fault_where_one_of_all_has_none(data: st.DataObject) -> None:
    """What `rules.consumers` rests on when it asks for all keys of a tenant at once."""
    few = data.draw(st.lists(st.sampled_from(_each()), min_size=1, max_size=2))  # so that some have no fault
    drawn = data.draw(st.lists(st.sampled_from(few), max_size=12))
    keys = [replace(entry, kid=f"k{number}") for number, entry in enumerate(drawn)]
    some = data.draw(st.permutations(keys))[: data.draw(st.integers(0, len(keys)))]
    for one in CONSUMERS.values():
        if not list(faults(keys, 60_000, [one])):
            assert list(faults(some, 50_000, [one])) == []


@pytest.mark.parametrize(("bits", "told"), [(4096, []), (4097, ["algorithm"])])
def test_rsa_keys_may_be_too_long(bits: int, told: list[str]) -> None:
    found = list(faults([Entry(kid="r", alg="RS512", kind="RSA", bits=bits)], 900, [OCI_API_GATEWAY]))
    assert [fault.what for fault in found] == told
    assert all(fault.text == "refuses tokens of `r`: it knows no RSA keys over 4096 bits" for fault in found)


def test_keys_of_a_document_in_its_bytes() -> None:
    rsa = {"kid": "r", "alg": "RS256", **public_jwk(rsa_key(0, 2056))}
    foreign = [{"kty": "AKP", "kid": 7}, {"kty": "RSA", "n": "a"}, {}]
    body = json.dumps({"keys": [rsa, public_jwk(ec_key(0)), *foreign]}).encode()
    assert entries(body) == (
        Entry(kid="r", alg="RS256", kind="RSA", bits=2056),
        Entry(kid="", alg="", kind="P-256"),
        Entry(kid="7", alg="", kind="AKP"),
        Entry(kid="", alg="", kind="RSA"),
        Entry(kid="", alg="", kind=""),
    )
    for broken in (b"", b"[]", b"{}", b'{"keys": {}}', b'{"keys": [1]}', b"\xff"):
        with pytest.raises(ValueError):
            entries(broken)


def test_a_key_is_named_by_its_kid_though_that_is_as_long_as_a_thumbprint() -> None:
    kid = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    (found,) = faults([Entry(kid=kid, alg="ES256", kind="P-256", bits=0)], 300, [AWS_ALB])
    assert f"`{kid}`" in found.text
