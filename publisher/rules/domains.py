"""Domains: host names that a verifier's URL can hold, and whose they are."""

import ipaddress
import itertools
import re
from collections.abc import Iterator
from datetime import datetime

import idna

from publisher.diagnostic import Finding, Rule, clean, quote
from publisher.fields import suggest
from publisher.keyset import KeySet
from publisher.policy import Policy
from publisher.yamlfile import MAX_MISTAKES

NAME = Rule(
    id="domain-name",
    doc="A domain is a host name in lower case with at least two labels, international ones as A-labels (RFC 1123 "
    "section 2.1, RFC 5890): no scheme, port, path, wildcard, IP address or trailing dot. One spelling each, so "
    "that one domain has one owner and one object.",
)
CANONICAL = Rule(
    id="domain-canonical",
    doc="No custom domain lies under the platform's canonical domain: it could take another tenant's document, and the "
    "set with custom keys is for custom domains only.",
)
KEY_DOMAIN = Rule(
    id="key-domain",
    doc="A key is limited to domains of its own tenant; a generated one also to the tenant's canonical domain.",
)
RULES = (NAME, CANONICAL, KEY_DOMAIN)

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}\.)+{_LABEL}", re.ASCII)
# What is shown whatever its length: labels that are no keys, which have capitals, or 32 and more hexadecimal digits.
_SHOWN = re.compile(r"(?!.*[0-9a-f]{32})(?:[a-z0-9*-]{1,40}\.)+[a-z0-9-]{1,40}\.?", re.ASCII)


def check(keyset: KeySet, policy: Policy, now: datetime) -> Iterator[Finding]:
    """Findings on the list of domains and on the domains that keys are limited to."""
    suffix = policy.canonical_suffix
    for domain in keyset.domains:
        fault = name_fault(domain)
        if fault is not None:
            yield keyset.finding(NAME, fault[0], fault[1], "domains", domain)
        elif suffix is not None and (domain.endswith(suffix) or domain == suffix[1:]):
            message = f"{_shown(domain)} lies under the platform's own {suffix[1:]}"
            yield keyset.finding(CANONICAL, message, "name a domain of the tenant's own", "domains", domain)
    yield from itertools.islice(_key_domains(keyset, policy.canonical_domain(keyset.tenant)), MAX_MISTAKES)


def _key_domains(keyset: KeySet, canonical: str | None) -> Iterator[Finding]:
    for key in keyset.keys:
        if key.domains == ():
            message = "the key is limited to no domain at all, and so is published nowhere"
            yield key.finding(KEY_DOMAIN, message, "name a domain, or leave `domains` out", "domains")
        for domain in key.domains or ():
            if domain not in keyset.domains and (key.origin != "generated" or domain != canonical):
                # Only what is a host name is named: anything else may be a key in the wrong place.
                known = [one for one in keyset.domains if len(one) <= 80 and _SHOWN.fullmatch(one)]
                message = f"{_shown(domain)} is not a custom domain of this tenant"
                yield key.finding(KEY_DOMAIN, message, suggest(domain, known), "domains", domain)


def name_fault(domain: str) -> tuple[str, str] | None:
    """What is wrong with a domain, and the hint; None where it is a host name as `NAME` wants it."""
    if _HOST.fullmatch(domain) and len(domain) <= 253 and "--" not in domain and _ends_in_letters(domain):
        return None  # by far the most
    shown = _shown(domain)
    for found, what, hint in _shape_faults(domain):
        if found:
            return f"{shown} {what}", hint
    return _idna_fault(domain, shown)


def unicode_name(domain: str) -> str | None:
    """The domain with U-labels, where it has an A-label; None otherwise."""
    if "xn--" not in domain:
        return None
    try:
        return clean(idna.decode(domain))
    except idna.IDNAError:
        return None


def _shape_faults(domain: str) -> Iterator[tuple[bool, str, str]]:
    yield "://" in domain, "has a scheme", "write the host name alone"
    yield "*" in domain, "is a wildcard", "name each domain"
    yield _is_address(domain), "is an IP address", "write a host name"
    yield "/" in domain, "has a path", "write the host name alone"
    yield ":" in domain or "@" in domain, "has a port or a user name", "write the host name alone"
    yield domain.endswith("."), "ends with a dot", "leave the dot out"
    yield domain != domain.lower(), "is not in lower case", _lower_hint(domain)
    yield not domain.isascii(), "is not in A-labels", _a_label_hint(domain)
    yield "." not in domain, "has one label only", "write the whole host name, as login.acme.example"
    yield len(domain) > 253, "is longer than 253 characters", "RFC 1035 section 2.3.4"
    yield _HOST.fullmatch(domain) is None, "is not a host name", "labels are 1-63 of a-z, 0-9 and inner hyphens"
    yield not _ends_in_letters(domain), "ends with a number", "a top-level domain is letters alone (RFC 3696 section 2)"


def _ends_in_letters(domain: str) -> bool:
    """Browsers read `1.0x7f` as an address too (WHATWG URL, ends-in-a-number checker)."""
    last = domain.rpartition(".")[2]
    return last.isalpha() or last.startswith("xn--")


def _is_address(domain: str) -> bool:
    try:
        ipaddress.ip_address(domain.strip("[]").partition("%")[0])
    except ValueError:
        return False
    return True


def _a_label_hint(domain: str) -> str:
    try:
        label = idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        return "write its A-label form (xn--...)"
    return f"write {_shown(label)}" if _is_shown(label) else "write its A-label form (xn--...)"


def _lower_hint(domain: str) -> str:
    return f"write {_shown(domain.lower())}" if _is_shown(domain) else "write it in lower case"


def _shown(domain: str) -> str:
    """As `quote`, but host names have any length."""
    return f"`{domain}`" if _SHOWN.fullmatch(domain) else quote(domain)


def _is_shown(domain: str) -> bool:
    return _shown(domain).startswith("`")


def _idna_fault(domain: str, shown: str) -> tuple[str, str] | None:
    """RFC 5891: every label with `--` at its third place is a valid A-label, and its U-label encodes back to it."""
    for label in domain.split("."):
        if label[2:4] != "--":
            continue
        try:
            if not label.startswith("xn--") or idna.encode(idna.decode(label)).decode("ascii") != label:
                raise idna.IDNAError("not an A-label")
        except idna.IDNAError:
            return f"{shown}: the label {quote(label)} is not valid in IDNA 2008", "encode the name again"
    return None
