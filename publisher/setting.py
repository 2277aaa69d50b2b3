"""What all steps of one plan share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from publisher.policy import Policy
from publisher.releaselog import Tip
from publisher.shard import Claim
from publisher.waiver import Waivers


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What all steps of a plan share. `claims` are by domain, `allowed` the hazards waived by hand.

    `revoked` are thumbprints by tenant: keys that files revoke which a hold keeps back.
    """

    tip: Tip
    sequence: int
    policy: Policy
    cache: str
    now: datetime
    allowed: frozenset[str]
    copies: datetime
    """Until when copies of what is live can be used under former, longer cache terms; `now` where there are none."""
    claims: Mapping[str, Claim]
    revoked: Mapping[str, frozenset[str]] = field(default_factory=dict)
    waivers: Waivers = field(default_factory=Waivers)
