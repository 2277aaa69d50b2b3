"""What is allowed. A rule has a stable id and a text; a module holds the rules on one subject and their check.

The checks take `now` for what is wrong only until a moment comes (a revocation in the future), never for what becomes
wrong by waiting: what a merge accepted cannot stop the fleet later. That is for `hazards`, domain by domain.
`CATALOGUE` holds every rule of the program, also those of the readers below (files, YAML, fields, keys), by id.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TypeAlias

from publisher import (
    certificate,
    characters,
    fields,
    keyset,
    material,
    policyfile,
    publickey,
    source,
    waiverfile,
    yamlfile,
)
from publisher.diagnostic import Finding, Rule
from publisher.keyset import KeySet
from publisher.policy import Policy
from publisher.rules import (
    algorithms,
    changes,
    consumers,
    domains,
    fleet,
    kids,
    limits,
    proofs,
    rotation,
    settings,
    strength,
    tenants,
    upstream,
    waivers,
    windows,
)

Check: TypeAlias = Callable[[KeySet, Policy, datetime], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (
    tenants.check,
    domains.check,
    algorithms.check,
    strength.check,
    kids.check,
    windows.check,
    proofs.check,
    limits.check,
    consumers.check_names,
    settings.check,
)
"""The checks on one tenant. Documents are checked by `limits.check_documents` and `consumers.check`, all tenants
together by `fleet`."""

_MODULES = (
    *(source, characters, yamlfile, fields, policyfile, waiverfile, publickey, certificate, material, keyset),
    *(
        tenants,
        domains,
        algorithms,
        strength,
        kids,
        windows,
        proofs,
        limits,
        consumers,
        settings,
        rotation,
        changes,
        fleet,
    ),
)

CATALOGUE: Mapping[str, Rule] = MappingProxyType({rule.id: rule for module in _MODULES for rule in module.RULES})

_WARNING = (settings, changes, upstream, waivers)

WARNINGS: Mapping[str, Rule] = MappingProxyType({rule.id: rule for module in _WARNING for rule in module.WARNINGS})
"""What `check` says and does not fail for: it comes by waiting, or may be meant."""
