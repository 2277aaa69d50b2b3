"""The hazards of one domain's step: their ids, and what `explain` says of them. Where they are found is `hazards`."""

from publisher.diagnostic import Rule

EMPTY_SET = Rule(
    id="empty-set",
    doc="A domain that serves keys would serve none: every token of it would be refused everywhere (zitadel#7714). "
    "A revocation passes: a compromised key is worse than none.",
)
FOREIGN_OBJECT = Rule(
    id="foreign-object",
    doc="The live document is not one that this program wrote, or was changed since: something else publishes there, "
    "or somebody edited it by hand. Waiving it overwrites what is there; `adopt` takes over what serves the same keys.",
)
STALE_WRITE = Rule(
    id="stale-write",
    doc="The live document is one of ours, but not the one that the state says: a publisher that was paused wrote it "
    "after another one had finished. It is repaired, and needs no waiver.",
)
DROPS_ACTIVE = Rule(
    id="drops-active-key",
    doc="A key leaves the document, or the document goes, while the key signs, going by what was published: tokens "
    "would be refused everywhere. End its signing first and keep it published for the tokens' lifetime; or revoke it. "
    "A new domain may not begin without it, either.",
)
DROPS_RETIRING = Rule(
    id="drops-retiring-key",
    doc="A key leaves the document, or the document goes, while tokens that it signed may be valid: until its "
    "signs.until, the longest token lifetime and the clock skew have passed (OpenID Connect Core 10.1.1).",
)
KID_REUSED = Rule(
    id="kid-reused",
    doc="A kid that the tenant published comes back with another key: verifiers that keep keys by kid refuse every "
    "token of it until their cache has run out (jwks-rsa-java#277).",
)
REVOKED_RETURNS = Rule(
    id="revoked-key-returns",
    doc="A key that was revoked would be published again: whoever stole it could mint tokens again.",
)
CHANGES_TENANT = Rule(
    id="domain-changes-tenant",
    doc="A domain passes from one tenant to another while copies of the old document may be used and tokens of the old "
    "tenant may be valid: the new keys would be trusted for the old tenant's tokens, and the other way round. The "
    "domain is withdrawn, and may be claimed when both have run out. No waiver takes it from a tenant that has it.",
)
SIGNS_EARLY = Rule(
    id="signs-before-published",
    doc="A key that files bring into a document signs before every verifier can have it, that is before the caches and "
    "the slowest named verifier have let go of the document without it (Nomad#23577, hydra#3408). It passes where the "
    "publish is merely late, then `generated signer` waits; where it takes the place of a revoked key; where other "
    "domains serve it; and for keys of an upstream, which signs when it likes.",
)
CONSUMER_LIMIT = Rule(
    id="consumer-limit",
    doc="A document would hold more keys or bytes than a verifier that `consumers` names takes (spire#4699). The files "
    "by themselves keep to that: a key stays past its window, as its tokens may be alive. The document waits for it.",
)
STEP_HAZARDS = (
    EMPTY_SET,
    FOREIGN_OBJECT,
    STALE_WRITE,
    DROPS_ACTIVE,
    DROPS_RETIRING,
    KID_REUSED,
    REVOKED_RETURNS,
    CHANGES_TENANT,
    SIGNS_EARLY,
    CONSUMER_LIMIT,
)
