"""A tenant's name."""

import re
from collections.abc import Iterator
from datetime import datetime

from publisher.diagnostic import Finding, Rule, quote
from publisher.keyset import KeySet
from publisher.policy import Policy

NAME = Rule(
    id="tenant-name",
    doc="A tenant is named as its folder, by a lower-case DNS label (RFC 1123 section 2.1): the name goes into its "
    "canonical domain, and a folder that was copied must not speak for another tenant. `--` at the third place is for "
    "A-labels alone (RFC 5891 section 4.2.3.1).",
)
RULES = (NAME,)

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)


def name_is_label(name: str) -> bool:
    """Whether it is a lower-case DNS label, and no A-label."""
    return _LABEL.fullmatch(name) is not None and name[2:4] != "--"


def check(keyset: KeySet, policy: Policy, now: datetime) -> Iterator[Finding]:
    """Findings on the name."""
    folder = keyset.folder.rsplit("/", 1)[-1]
    if not name_is_label(keyset.tenant):
        hint = "write lower-case letters, digits and inner hyphens, at most 63"
        yield keyset.finding(NAME, f"{quote(keyset.tenant)} is not a tenant's name", hint, "tenant")
    elif keyset.tenant != folder:
        message = f"the tenant {quote(keyset.tenant)} is not named as its folder {quote(folder)}"
        yield keyset.finding(NAME, message, "rename one of the two", "tenant")
