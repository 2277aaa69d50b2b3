"""Every rule by which a review objects to a change, by its id: for `explain`."""

from collections.abc import Mapping
from types import MappingProxyType

from publisher import allowedsigners, commitsigning, confinement, trespass
from publisher.diagnostic import Rule

_MODULES = (allowedsigners, commitsigning, confinement, trespass)

OBJECTIONS: Mapping[str, Rule] = MappingProxyType({rule.id: rule for module in _MODULES for rule in module.RULES})
