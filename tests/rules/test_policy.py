"""The policy: its bounds and defaults, and the limits that it sets to key sets."""

from datetime import timedelta
from pathlib import Path

import pytest
from keymaker import ec_key, entry, public_jwk, rsa_key

from publisher.policy import Cache, Plan, Policy
from publisher.policyfile import read_policy

from .trees import HEAD, MARK, check, mistakes, of_entry, rules, unmarked, write

INTEGER = "an integer from {} to {}"


DURATION = "a duration such as 300, 5m, 24h or 14d"
PLAN = "a plan's name (lower-case letters, digits, -)"
PATTERN = 'is not a pattern for canonical domains; write it as "{tenant}.idp.example"'
ALGORITHMS = "RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, ES256K, EdDSA, Ed25519, Ed448"
BITS, KEYS, REMOVALS = INTEGER.format(2048, 8192), INTEGER.format(0, 100), INTEGER.format(0, 10_000_000)

MISTAKES = [
    ("rsa: {min_bits: ▸1024}", f"bad-value: 1024 is out of bounds; write {BITS}"),
    ("rsa: {max_bits: ▸16384}", f"bad-value: 16384 is out of bounds; write {BITS}"),
    (
        "rsa: {min_bits: ▸4096, max_bits: 3072}",
        "bad-value: min_bits is over max_bits; lower min_bits or raise max_bits",
    ),
    ("rsa: {exponents: ▸[]}", "bad-value: RSA exponents are odd, and one at least; write [65537]"),
    ("rsa: {exponents: ▸[4, 65537]}", "bad-value: RSA exponents are odd, and one at least; write [65537]"),
    ("rsa: {exponents: [▸1]}", f"bad-value: 1 is out of bounds; write {INTEGER.format(3, 2**32 - 1)}"),
    ("rsa: {exponents: [3, ▸3]}", "bad-value: `3` is named twice; name it once"),
    ("rsa: {exponents: ▸65537}", "wrong-type: `65537` is not a list; write a list"),
    ("rsa: ▸2048", "wrong-type: `2048` is not a mapping; write a mapping"),
    ("limits: {custom_keys: ▸101}", f"bad-value: 101 is out of bounds; write {KEYS}"),
    ("limits: {custom_keys: ▸-1}", f"wrong-type: `-1` is not {KEYS}; write {KEYS}"),
    ("limits: {keys: ▸0}", f"bad-value: 0 is out of bounds; write {INTEGER.format(1, 100)}"),
    ("limits: {document_bytes: ▸1023}", f"bad-value: 1023 is out of bounds; write {INTEGER.format(1024, 1048576)}"),
    ("limits: {removals: ▸10000001}", f"bad-value: 10000001 is out of bounds; write {INTEGER.format(0, 10000000)}"),
    ("limits: {removals: ▸10%}", f"wrong-type: `10%` is not {REMOVALS}; write {REMOVALS}"),
    ("retention: {releases: ▸11y}", f"wrong-type: `11y` is not {DURATION}; write {DURATION}"),
    ("retention: {documents: ▸3661d}", "bad-value: `3661d` is too long; at most 316224000 seconds"),
    ("retention: {▸shards: 1d}", "unknown-field: `shards` is not a field here; known here: releases, documents"),
    ("cache: {max_age: ▸2d}", "bad-value: `2d` is too long; at most 86400 seconds"),
    ("cache: {stale_if_error: ▸8d}", "bad-value: `8d` is too long; at most 604800 seconds"),
    ("clock_skew: ▸61m", "bad-value: `61m` is too long; at most 3600 seconds"),
    ("token_lifetime: ▸2y", f"wrong-type: `2y` is not {DURATION}; write {DURATION}"),
    ("algorithms: ▸[]", "bad-value: no algorithm is allowed; name at least one, or leave the field out"),
    ("algorithms: [▸none]", f"policy-algorithm: `none` would let every reader mint tokens; known here: {ALGORITHMS}"),
    ("algorithms: [RS256, ▸RS255]", "policy-algorithm: `RS255` is not known; did you mean `RS256`?"),
    ("algorithms: [▸no]", 'implicit-type: `no` is not text to YAML readers; quote it: "no"'),
    ("plans: {▸Gold: {custom_keys: 1}}", f"bad-value: `Gold` is not {PLAN}; write {PLAN}"),
    (
        "plans: {gold: ▸{}}",
        "missing-field: `custom_keys` is missing; add `custom_keys:` (most custom keys on this plan)",
    ),
    ("▸plan: x", "unknown-field: `plan` is not a field here; did you mean `plans`?"),
    ("canonical_domain: ▸idp.example", f"policy-canonical-domain: `idp.example` {PATTERN}"),
    ('canonical_domain: ▸"{tenant}.example"', f"policy-canonical-domain: `{{tenant}}.example` {PATTERN}"),
    ('canonical_domain: ▸"x.{tenant}.idp.test"', f"policy-canonical-domain: `x.{{tenant}}.idp.test` {PATTERN}"),
]


def read(text: str) -> tuple[Policy, list[str]]:
    policy, found = read_policy(f"version: 1\n{text}".encode(), "policy.yaml")
    return policy, [str(one).removeprefix("policy.yaml:") for one in sorted(found)]


def test_defaults() -> None:
    policy, found = read("")
    assert found == []
    assert policy == Policy()
    assert policy.algorithms == {
        *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
    }
    assert (policy.rsa_min_bits, policy.rsa_max_bits, policy.rsa_exponents) == (2048, 8192, frozenset({65537}))
    assert policy.cache == Cache(
        max_age=timedelta(seconds=300),
        stale_while_revalidate=timedelta(seconds=60),
        stale_if_error=timedelta(seconds=86_400),
    )
    assert (policy.plans, policy.max_custom_keys, policy.canonical_suffix) == (
        {"enterprise": Plan(custom_keys=10)},
        10,
        None,
    )
    assert (policy.max_removals, policy.releases_kept, policy.documents_kept) == (100, timedelta(90), None)


def test_everything_given() -> None:
    policy, found = read(
        "algorithms: [ES256K, Ed448]\n"
        "rsa: {min_bits: 3072, max_bits: 4096, exponents: [3, 65537]}\n"
        "cache: {max_age: 10m, stale_while_revalidate: 0, stale_if_error: 7d}\n"
        "publish_interval: 1h\ntoken_lifetime: 30d\nclock_skew: 60\n"
        "limits: {custom_keys: 5, keys: 10, document_bytes: 10240, removals: 0}\n"
        "retention: {releases: 30d, documents: 3660d}\n"
        "plans: {free: {custom_keys: 0}, pro: {custom_keys: 3, consumers: [envoy]}}\n"
        "consumers: [aws-alb, pyjwt]\n"
        'canonical_domain: "{tenant}.idp.example"\n'
    )
    assert found == []
    assert policy == Policy(
        algorithms=frozenset({"ES256K", "Ed448"}),
        generated_alg="ES256K",
        rsa_min_bits=3072,
        rsa_max_bits=4096,
        rsa_exponents=frozenset({3, 65537}),
        cache=Cache(max_age=timedelta(minutes=10), stale_while_revalidate=timedelta(0), stale_if_error=timedelta(7)),
        publish_interval=timedelta(hours=1),
        token_lifetime=timedelta(30),
        clock_skew=timedelta(minutes=1),
        max_custom_keys=5,
        max_keys=10,
        max_document_bytes=10240,
        max_removals=0,
        releases_kept=timedelta(30),
        documents_kept=timedelta(3660),
        plans={"free": Plan(custom_keys=0), "pro": Plan(custom_keys=3, consumers=frozenset({"envoy"}))},
        consumers=frozenset({"aws-alb", "pyjwt"}),
        canonical_suffix=".idp.example",
    )


@pytest.mark.parametrize(("text", "says"), MISTAKES, ids=range(len(MISTAKES)))
def test_mistakes(text: str, says: str) -> None:
    policy_text, line, column = unmarked(text)
    assert read(policy_text + "\n")[1] == [f"{line + 1}:{column}: {says}"]


def test_places_hold_where_items_before_are_no_text() -> None:
    assert [one.partition(" ")[0] for one in read("algorithms: [no, [], RS999, RS256]")[1]] == [
        "2:14:",
        "2:18:",
        "2:22:",
    ]


def test_a_pattern_and_the_longest_name_make_a_domain() -> None:
    suffix = f".{'a' * 63}.{'b' * 63}.{'c' * 56}.test"
    assert len("t" * 63 + suffix) == 253
    assert read(f'canonical_domain: "{{tenant}}{suffix}"\n')[1] == []
    assert len(read(f'canonical_domain: "{{tenant}}.x{suffix}"\n')[1]) == 1


@pytest.mark.parametrize("text", ["", "# nothing", "[]", "version: 1\n---\n", "\tversion: 1", "version: &a 1"])
def test_a_broken_policy_is_told_once_and_replaced_by_the_defaults(text: str, tmp_path: Path) -> None:
    write(tmp_path, {"policy.yaml": text, "acme/keyset.yaml": HEAD.replace("enterprise", "gold")})
    loaded = check(tmp_path)
    assert [one.path for one in loaded.diagnostics] == ["keysets/policy.yaml"]
    assert loaded.tenants == 1
    assert loaded.policy == Policy(plans=None)


def test_a_policy_that_is_a_folder_is_told_once(tmp_path: Path) -> None:
    write(tmp_path, {"policy.yaml/x": "", "acme/keyset.yaml": HEAD})
    assert rules(list(check(tmp_path).diagnostics)) == ["not-a-file", "policy-missing"]


def _custom(count: int, more: str = "") -> str:
    entries = "".join(
        entry("ES256", kid=f"k{number}", jwk=public_jwk(ec_key(number))) + more for number in range(count)
    )
    return f"{HEAD}custom_keys:\n{entries}" if count else HEAD


@pytest.mark.parametrize(("count", "plan", "most", "over"), [
    (10, 10, 10, False), (11, 10, 20, True), (11, 20, 10, True), (0, 0, 10, False), (1, 0, 10, True),
])  # fmt: skip
def test_custom_keys_are_bounded_by_plan_and_policy(count: int, plan: int, most: int, over: bool) -> None:
    found = mistakes(_custom(count), policy=Policy(plans={"enterprise": Plan(custom_keys=plan)}, max_custom_keys=most))
    assert rules(found) == ["too-many-custom-keys"] * over
    if over:
        assert found[0].message == f"{count} custom keys are more than the plan `enterprise` takes ({min(plan, most)})"


@pytest.mark.parametrize(
    ("more", "counts"),
    [
        ("    revoked: {at: 2026-01-01T00:00:00Z, reason: lost}\n", False),
        ("    publish: {until: 2026-06-01T00:00:00Z}\n", False),
        ("    publish: {until: 2026-06-01T00:00:01Z}\n    signs: {until: 2026-05-01T00:00:00Z}\n", True),
        ("    publish: {from: 2027-01-01T00:00:00Z}\n", True),
    ],
)
def test_past_and_revoked_keys_do_not_count(more: str, counts: bool) -> None:
    found = mistakes(_custom(2, more), policy=Policy(plans={"enterprise": Plan(custom_keys=1)}))
    assert rules(found) == ["too-many-custom-keys"] * counts


def test_an_unknown_or_empty_plan_is_a_mistake() -> None:
    assert rules(mistakes(HEAD.replace("enterprise", "gold"))) == ["plan-unknown"]
    assert rules(mistakes(HEAD.replace("enterprise", '""'))) == ["missing-field"]
    found = mistakes(HEAD, policy=Policy(plans={}))
    assert [one.hint for one in found] == ["there is none like it here"]


def test_generated_keys_do_not_count_for_the_plan_but_for_the_document() -> None:
    entries = "".join(entry("ES256", kid=f"g{number}", jwk=public_jwk(ec_key(50 + number))) for number in range(3))
    generated = f"version: 1\ngenerated_keys:\n{entries}"
    policy = Policy(plans={"enterprise": Plan(custom_keys=2)}, max_keys=5)
    assert mistakes(_custom(2), generated, policy=policy) == []
    found = mistakes(_custom(2), generated, policy=Policy(plans={"enterprise": Plan(custom_keys=2)}, max_keys=4))
    (one,) = found
    assert (one.rule, one.line, one.column) == ("document-keys", 4, 11)
    assert one.message == "`a.acme.example` holds 5 keys from the start"
    assert one.hint == "the policy takes 4: withdraw keys earlier, or limit them to domains"


def test_keys_that_follow_each_other_do_not_add_up() -> None:
    past = {"publish": {"until": "2027-01-01T00:00:00Z"}, "signs": {"until": "2026-05-01T00:00:00Z"}}
    later = {"publish": {"from": "2027-01-01T00:00:00Z"}, "signs": {"from": "2027-01-03T00:00:00Z"}}
    first = entry("ES256", kid="a", jwk=public_jwk(ec_key(0)), **past)
    second = entry("ES256", kid="b", jwk=public_jwk(ec_key(1)), **later)
    text = f"{HEAD}custom_keys:\n{first}{second}"
    assert mistakes(text, policy=Policy(max_keys=1)) == []
    overlap = text.replace('publish: {from: "2027', 'publish: {from: "2026')
    found = mistakes(overlap, policy=Policy(max_keys=1))
    assert [one.message for one in found] == ["`a.acme.example` holds 2 keys from 2026-01-01T00:00:00Z on"]


@pytest.mark.parametrize(("bits", "refused"), [(2047, True), (2048, False), (3072, False), (3080, True)])
def test_rsa_sizes(bits: int, refused: bool) -> None:
    policy = Policy(rsa_min_bits=2048, rsa_max_bits=3072)
    found = of_entry(entry("RS256", jwk=public_jwk(rsa_key(0, bits))), policy)
    assert rules(found) == ["rsa-size"] * refused
    assert MARK not in str(found)
