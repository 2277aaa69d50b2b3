"""What an audit can find, by stable ids, and a finding as a value. Looking for them is in `audit` and `liveaudit`."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from publisher.diagnostic import Rule
from publisher.hazardrules import FOREIGN_OBJECT, STALE_WRITE

NO_HEAD = Rule(
    id="no-head",
    doc="HEAD.json names the last complete release. Without it nothing was ever published there, or the bucket was "
    "emptied, or HEAD was deleted. `repair` makes the state anew from what is live and from Git.",
)
HEAD_DAMAGED = Rule(
    id="head-damaged",
    doc="HEAD.json cannot be read, or the release that it names is not the one whose digest it holds. Publishing "
    "stops until `repair` has made the state anew.",
)
RELEASE_LOST = Rule(
    id="release-lost",
    doc="A release is missing where one must be, cannot be read, or is not signed by a trusted key. Of the last "
    "releases that stops publishing until `repair` has run; of older ones it is a gap in the history.",
)
CHAIN_BROKEN = Rule(
    id="chain-broken",
    doc="Each release names the one before it by the SHA-256 of its object. A release whose bytes do not fit that was "
    "changed after it was published, or another one was put in its place: somebody rewrites the history.",
)
UNFINISHED_PUBLISH = Rule(
    id="unfinished-publish",
    doc="There are releases above HEAD, and they are old: a publish was killed. The next one finishes what it began.",
)
UNFINISHED_DOMAIN = Rule(
    id="unfinished-domain",
    doc="The last publish could not write this domain's live document. The next one tries again.",
)
QUARANTINED = Rule(
    id="quarantined",
    doc="A tenant, or some of its domains, stay at what they served before, for a mistake in the files or a hazard.",
)
PURGE_PENDING = Rule(
    id="purge-pending",
    doc="Copies of a domain's old document were to be dropped from a CDN, and that is not done: a revoked key may "
    "still be served. `publish` with --cdn repeats it.",
)
SHARD_LOST = Rule(
    id="shard-lost",
    doc="A shard, which records what tenants serve and which keys they had, is missing or is not what its name says. "
    "`repair` makes it anew; what it alone recorded (revoked keys that left the files, first publications) is lost.",
)
SUMMARY_WRONG = Rule(
    id="summary-wrong",
    doc="What a release says of a shard is not what the shard holds, so that publishes would leave out tenants.",
)
LIVE_MISSING = Rule(
    id="live-missing",
    doc="A domain that serves a document has no live object: it answers 404 or 403. `repair` puts it back.",
)
LIVE_UNREADABLE = Rule(id="live-unreadable", doc="The store refuses to give a live object.")
LIVE_HEADERS = Rule(
    id="live-headers",
    doc="A live object has the right bytes and another Cache-Control or content type: CDNs keep it too long or too "
    "short, and verifiers refuse other types. `repair` writes it anew.",
)
LIVE_UNFINISHED = Rule(
    id="live-unfinished",
    doc="A publish that was killed has written this live object, and no complete release says so. The next publish "
    "brings the domain to what its commit wants.",
)
UNCLAIMED_OBJECT = Rule(
    id="unclaimed-object",
    doc="There is a live object for a domain that no tenant has: a CDN that maps Host to a path serves it. Find out "
    "who wrote it, and remove it.",
)
DOCUMENT_LOST = Rule(
    id="document-lost",
    doc="Every document is kept in documents/ by its SHA-256; this one is missing or holds other bytes. `repair` puts "
    "it back where the live object has it.",
)
EDGE_DIFFERS = Rule(
    id="edge-differs",
    doc="A CDN does not serve what the state says, though copies of what was before have run out.",
)
SCHEDULE_MISSED = Rule(
    id="schedule-missed",
    doc="A key's window began or ended, and no publish has brought that to the documents, for longer than "
    "policy.yaml's publish_interval: the schedule does not run, or fails.",
)
BEHIND_COMMIT = Rule(
    id="behind-commit",
    doc="What is released is not what the commit has: of a tenant, or the policy. A publish of that commit is to come.",
)

_RULES = (
    *(NO_HEAD, HEAD_DAMAGED, RELEASE_LOST, CHAIN_BROKEN, UNFINISHED_PUBLISH, UNFINISHED_DOMAIN, QUARANTINED),
    *(PURGE_PENDING, SHARD_LOST, SUMMARY_WRONG, LIVE_MISSING, LIVE_UNREADABLE, LIVE_HEADERS, LIVE_UNFINISHED),
    *(UNCLAIMED_OBJECT, DOCUMENT_LOST, EDGE_DIFFERS, SCHEDULE_MISSED, BEHIND_COMMIT, FOREIGN_OBJECT, STALE_WRITE),
)
FAULTS: Mapping[str, Rule] = MappingProxyType({rule.id: rule for rule in _RULES})
"""Everything that an audit can find, by its id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A finding. `about` is a domain, a tenant or an object; message and hint are lines for people."""

    rule: Rule
    about: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What is good to know, and no finding."""

    text: str
