"""Spellings of domains, and who may name them."""

import json

import pytest
from keymaker import entry, okp_key, public_jwk

from publisher.policy import Policy
from publisher.rules.domains import name_fault, unicode_name

from .trees import HEAD, lines, mistakes, rules

LABEL_63, LABEL_64 = "a" * 63, "a" * 64
LONGEST = f"{LABEL_63}.{LABEL_63}.{LABEL_63}.{'b' * 56}.test"
LABELS = "labels are 1-63 of a-z, 0-9 and inner hyphens"
ALONE = "write the host name alone"

GOOD = [
    "login.acme.example",
    "a.b",
    "1.example",
    "4711-x.acme.example",
    "xn--bcher-kva.example",
    "xn--bcher-kva.xn--vermgensberater-ctb",
    "a--b.example",
    "abc--d.example",
    f"{LABEL_63}.example",
    LONGEST,
]

BAD = [
    ("https://login.acme.example", "has a scheme", ALONE),
    ("HTTPS://login.acme.example:443/x", "has a scheme", ALONE),
    ("*.acme.example", "is a wildcard", "name each domain"),
    ("*", "is a wildcard", "name each domain"),
    ("192.0.2.1", "is an IP address", "write a host name"),
    ("2001:db8::1", "is an IP address", "write a host name"),
    ("[2001:db8::1]", "is an IP address", "write a host name"),
    ("::1", "is an IP address", "write a host name"),
    ("fe80::1%eth0", "is an IP address", "write a host name"),
    ("login.acme.example/", "has a path", ALONE),
    ("login.acme.example/.well-known", "has a path", ALONE),
    ("login.acme.example:443", "has a port or a user name", ALONE),
    ("[2001:db8::1]:443", "has a port or a user name", ALONE),
    ("ann@acme.example", "has a port or a user name", ALONE),
    ("login.acme.example.", "ends with a dot", "leave the dot out"),
    (".", "ends with a dot", "leave the dot out"),
    ("Login.acme.example", "is not in lower case", "write `login.acme.example`"),
    ("XN--BCHER-KVA.example", "is not in lower case", "write `xn--bcher-kva.example`"),
    ("bücher.example", "is not in A-labels", "write `xn--bcher-kva.example`"),
    ("faß.example", "is not in A-labels", "write `xn--fa-hia.example`"),
    ("login。example", "is not in A-labels", "write `login.example`"),
    ("☃.example", "is not in A-labels", "write its A-label form (xn--...)"),
    ("login", "has one label only", "write the whole host name, as login.acme.example"),
    ("localhost", "has one label only", "write the whole host name, as login.acme.example"),
    (f"{LABEL_64}.example", "is not a host name", LABELS),
    (".acme.example", "is not a host name", LABELS),
    ("login..example", "is not a host name", LABELS),
    ("-login.example", "is not a host name", LABELS),
    ("login-.example", "is not a host name", LABELS),
    ("login.example-", "is not a host name", LABELS),
    ("log_in.example", "is not a host name", LABELS),
    ("log in.example", "is not a host name", LABELS),
    ("login.example?x", "is not a host name", LABELS),
    ("login.example#x", "is not a host name", LABELS),
    ("login.example\\x", "is not a host name", LABELS),
    ("login,example.test", "is not a host name", LABELS),
    ("1.2.3", "ends with a number", "a top-level domain is letters alone (RFC 3696 section 2)"),
    ("login.0", "ends with a number", "a top-level domain is letters alone (RFC 3696 section 2)"),
    ("0x7f.0x1", "ends with a number", "a top-level domain is letters alone (RFC 3696 section 2)"),
    ("127.1", "ends with a number", "a top-level domain is letters alone (RFC 3696 section 2)"),
]

NOT_IDNA = [
    ("ab--cd.example", "ab--cd"),
    ("xn--.example", "xn--"),
    ("xn--a.example", "xn--a"),
    ("xn--zzzzzzzz.example", "xn--zzzzzzzz"),
    ("xn--abc-.example", "xn--abc-"),
    ("xn--login-.example", "xn--login-"),
    ("login.xn--n3h", "xn--n3h"),  # the snowman, which IDNA 2008 does not have
    ("xn--strae-oqa.xn--55qx5d--x", "xn--55qx5d--x"),
]


@pytest.mark.parametrize("domain", GOOD)
def test_good(domain: str) -> None:
    assert name_fault(domain) is None


@pytest.mark.parametrize(("domain", "what", "hint"), BAD)
def test_bad(domain: str, what: str, hint: str) -> None:
    fault = name_fault(domain)
    assert fault is not None
    assert fault[0].endswith(f" {what}")
    assert fault[1] == hint


@pytest.mark.parametrize(("domain", "label"), NOT_IDNA)
def test_a_labels_that_are_none(domain: str, label: str) -> None:
    fault = name_fault(domain)
    if label.endswith("-"):
        assert fault == (f"`{domain}` is not a host name", LABELS)
    else:
        assert fault == (f"`{domain}`: the label `{label}` is not valid in IDNA 2008", "encode the name again")


def test_too_long() -> None:
    domain = LONGEST.replace("bbbb.", "bbbbb.")
    assert (len(LONGEST), len(domain)) == (253, 254)
    assert name_fault(domain) == ("a value of 254 characters is longer than 253 characters", "RFC 1035 section 2.3.4")


def test_long_names_are_shown_where_they_look_like_names() -> None:
    long = "login-of-the-customers.identity.department.acme.example"
    assert len(long) > 40
    assert name_fault(long.title()) == (
        f"a value of {len(long)} characters is not in lower case",
        "write it in lower case",
    )
    assert name_fault(f"{long}.") == (f"`{long}.` ends with a dot", "leave the dot out")
    assert name_fault(f"{long}.bücher.example") == (
        f"a value of {len(long) + 15} characters is not in A-labels",
        f"write `{long}.xn--bcher-kva.example`",
    )
    digits = "0123456789abcdef" * 2
    assert name_fault(f"{digits}.{long}.") == (
        f"a value of {len(long) + 34} characters ends with a dot",
        "leave the dot out",
    )


def test_u_labels_are_shown_for_a_labels() -> None:
    assert unicode_name("xn--bcher-kva.example") == "bücher.example"
    assert unicode_name("login.acme.example") is None
    assert unicode_name("xn--a.example") is None


@pytest.mark.parametrize(
    ("domain", "refused"),
    [
        ("idp.example", True),
        ("acme.idp.example", True),
        ("a.b.idp.example", True),
        ("myidp.example", False),
        ("idp.example.com", False),
        ("idp2.example", False),
    ],
)
def test_under_the_canonical_domain(domain: str, refused: bool) -> None:
    found = mistakes(HEAD.replace("a.acme.example", domain), policy=Policy(canonical_suffix=".idp.example"))
    assert rules(found) == ["domain-canonical"] * refused


def test_places_hold_where_items_before_are_no_text() -> None:
    """Items that are left out do not move the place of those after them."""
    found = mistakes(HEAD.replace("a.acme.example", "no, [b], Login.example, good.example, good.example, login"))
    assert lines(found) == [
        '4:11: implicit-type: `no` is not text to YAML readers; quote it: "no"',
        "4:15: wrong-type: a list is not a host name; write a host name",
        "4:20: domain-name: `Login.example` is not in lower case; write `login.example`",
        "4:49: bad-value: `good.example` is named twice; name it once",
        "4:63: domain-name: `login` has one label only; write the whole host name, as login.acme.example",
    ]


def test_a_bad_list_of_domains_does_not_make_every_limited_key_wrong() -> None:
    limited = "custom_keys:\n  - {alg: EdDSA, domains: [a.acme.example], jwk: {}}\n"
    found = mistakes(HEAD.replace("[a.acme.example]", "a.acme.example") + limited)
    assert rules(found) == ["wrong-type", "missing-field"]


@pytest.mark.parametrize("count", [0, 1, 200])
def test_domains_of_a_key_are_compared_with_the_tenants(count: int) -> None:
    known = [f"d{number}.acme.example" for number in range(count)]
    head = HEAD.replace("[a.acme.example]", json.dumps(known))
    key = entry("EdDSA", kid="k", domains=["unknown.test"], jwk=public_jwk(okp_key()))
    found = mistakes(f"{head}custom_keys:\n{key}")
    assert rules(found) == ["key-domain"]
    assert len(str(found[0])) < 600
