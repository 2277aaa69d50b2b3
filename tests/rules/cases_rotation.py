"""Golden cases of the rules about rotation: windows of keys that follow each other, and the times that are set for it.

The sound policy keeps documents for 300 s and 60 s more, so that caches let go within 11 minutes; tokens live for 24 h,
clocks differ by 5 minutes, and the lead is the default's 48 h.
"""

from keymaker import ec_key, entry, public_jwk

from .trees import Case, Edit, change

GLOBEX = "eu/globex/keyset.yaml"
GENERATED = "acme/generated.yaml"
_DOMAINS = "domains: [id.globex.example]\n"
_PLAN = "plan: enterprise\n"
_LIFETIME = "token_lifetime: 24h\n"


def _globex(*more: str) -> tuple[Edit, ...]:
    """The tenant with one key, which has these further fields."""
    key = entry("ES256", kid="g", jwk=public_jwk(ec_key(41))) + "".join(f"    {line}\n" for line in more)
    return change(_DOMAINS, f"{_DOMAINS}custom_keys:\n{key}", GLOBEX)


def _own(text: str) -> tuple[Edit, ...]:
    """A line in the tenant's own file."""
    return change(_PLAN, f"{_PLAN}{text}\n")


def _policy(text: str) -> tuple[Edit, ...]:
    """A line in the policy."""
    return change(_LIFETIME, f"{_LIFETIME}{text}\n", "policy.yaml")


def _plan(text: str) -> tuple[Edit, ...]:
    """More of a plan."""
    return change("starter: {custom_keys: 1}", f"starter: {{custom_keys: 1, {text}}}", "policy.yaml")


WINDOWS = (
    Case(
        rule="lead-too-short",
        around=change("from: 2026-08-01T00:00:00Z", "from: 2026-07-03T00:00:00Z", GENERATED),
        edits=change("from: 2026-07-03T00:00:00Z", "from: ▸2026-07-02T23:59:59Z", GENERATED),
        says="it signs from 2026-07-02T23:59:59Z on, published since 2026-07-01T00:00:00Z; "
        "signs.from must be 2026-07-03T00:00:00Z or later",
    ),
    Case(
        rule="lead-too-short",
        around=change("signs: {from: 2026-08-01T00:00:00Z}", "signs: {from: 2026-07-03T00:00:00Z}", GENERATED),
        edits=change("    signs: {from: 2026-07-03T00:00:00Z}\n", "", GENERATED)
        + change("  - kid: gen-next", "  - ▸kid: gen-next", GENERATED),
        says="it signs from 2026-07-01T00:00:00Z on, published since 2026-07-01T00:00:00Z; "
        "signs.from must be 2026-07-03T00:00:00Z or later",
    ),
    Case(
        rule="lead-too-short",
        around=_own("rotation: {lead: 31d}"),
        edits=change("lead: 31d", "lead: 32d")
        + change("signs: {from: 2026-08-01", "signs: {from: ▸2026-08-01", GENERATED),
        says="it signs from 2026-08-01T00:00:00Z on, published since 2026-07-01T00:00:00Z; "
        "signs.from must be 2026-08-02T00:00:00Z or later",
    ),
    Case(
        rule="retention-too-short",
        around=change("until: 2029-01-01T00:00:00Z", "until: 2029-12-30T23:55:00Z"),
        edits=change("until: 2029-12-30T23:55:00Z", "until: 2029-12-30T23:55:01Z")
        + change("until: 2030-01-01T00:00:00Z", "until: ▸2030-01-01T00:00:00Z"),
        says="tokens that it signs until 2029-12-30T23:55:01Z can be alive when it is gone; "
        "let publish.until be 2030-01-01T00:00:01Z or later, or signs.until 2029-12-30T23:55:00Z or earlier",
    ),
    Case(
        rule="retention-too-short",
        around=change(", until: 2029-01-01T00:00:00Z", ", until: 2029-12-30T23:55:00Z"),
        edits=change(", until: 2029-12-30T23:55:00Z", "")
        + change("until: 2030-01-01T00:00:00Z", "until: ▸2030-01-01T00:00:00Z"),
        says="it signs until it is gone, and its last tokens live on; "
        "write signs.until 2029-12-30T23:55:00Z or earlier; or signs.until 2030-01-01T00:00:00Z with publish.until "
        "2030-01-02T00:05:00Z",
    ),
    Case(
        rule="retention-too-short",
        around=change("until: 2029-01-01T00:00:00Z", "until: 2029-12-31T22:55:00Z") + _own("token_lifetime: 1h"),
        edits=change("token_lifetime: 1h\n", "") + change("until: 2030-01-01T00", "until: ▸2030-01-01T00"),
        says="tokens that it signs until 2029-12-31T22:55:00Z can be alive when it is gone; "
        "let publish.until be 2030-01-01T23:00:00Z or later, or signs.until 2029-12-30T23:55:00Z or earlier",
    ),
    Case(
        rule="document-empty",
        around=_globex("signs: {until: 2026-05-01T00:00:00Z}"),
        edits=change("    signs: {until", "    publish: {until: ▸2026-07-01T00:00:00Z}\n    signs: {until", GLOBEX),
        says="`id.globex.example` has no key from 2026-07-01T00:00:00Z on; "
        "publish another key by then, or keep this one longer",
    ),
    Case(
        rule="no-active-key",
        around=_globex("publish: {from: 2026-01-01T00:00:00Z}"),
        edits=change("    publish: {from", "    signs: {until: ▸2027-01-01T00:00:00Z}\n    publish: {from", GLOBEX),
        says="no key of `id.globex.example` signs from 2027-01-01T00:00:00Z on; "
        "let another key sign from then on, or this one for longer",
    ),
    Case(
        rule="no-active-key",
        around=change("  - kid: gen-next", "    signs: {until: 2026-08-01T00:00:00Z}\n  - kid: gen-next", GENERATED),
        edits=change("until: 2026-08-01T00:00:00Z", "until: ▸2026-07-31T23:59:59Z", GENERATED),
        says="no generated key of `login.acme.example` signs from 2026-07-31T23:59:59Z on; "
        "let another key sign from then on, or this one for longer",
    ),
)

LEADS = (
    Case(
        rule="lead-under-caches",
        around=_policy("rotation: {lead: 71m}"),
        edits=change("lead: 71m", "lead: ▸70m", "policy.yaml"),
        says="the lead of 70m is under the caches, verifiers and clocks that it has to outlast; write 71m or more",
    ),
    Case(
        rule="lead-under-caches",
        around=_policy("rotation: {lead: 1471m}\nconsumers: [istio, joserfc]"),
        edits=change("lead: 1471m", "lead: ▸24h", "policy.yaml"),
        says="the lead of 24h is under the caches, verifiers and clocks that it has to outlast; write 1471m or more",
    ),
    Case(
        rule="lead-under-caches",
        around=_policy("rotation: {lead: 71m}")
        + change("max_age: 300", "max_age: 300, stale_if_error: 5", "policy.yaml"),
        edits=change("max_age: 300", "max_age: 301", "policy.yaml") + change("lead: 71m", "lead: ▸71m", "policy.yaml"),
        says="the lead of 71m is under the caches, verifiers and clocks that it has to outlast; write 4262s or more",
    ),
    Case(
        rule="lead-under-caches",
        around=_policy("rotation: {lead: 2h}") + _plan("rotation: {lead: 2h}"),
        edits=change("1, rotation: {lead: 2h}", "1, rotation: {lead: ▸1h}", "policy.yaml"),
        says="the lead of 1h is under the caches, verifiers and clocks that it has to outlast; write 71m or more",
    ),
)

BOUNDS = (
    Case(
        rule="rotation-bounds",
        around=_own("rotation: {lead: 48h}"),
        edits=change("lead: 48h", "lead: ▸47h"),
        says="the lead of 47h is under the plan's 48h; a tenant may only lengthen it",
    ),
    Case(
        rule="rotation-bounds",
        around=_own("rotation: {every: 366d}"),
        edits=change("every: 366d", "every: ▸367d"),
        says="rotation every 367d is over the policy's 366d; rotate more often",
    ),
    Case(
        rule="rotation-bounds",
        around=_own("rotation: {every: 30d, lead: 29d}") + _policy("rotation: {lead: 71m}"),
        edits=change("lead: 29d", "lead: 30d") + change("every: 30d", "every: ▸30d"),
        says="rotation every 30d leaves no time for the lead of 30d; write more",
    ),
    Case(
        rule="rotation-bounds",
        around=_own("rotation: {alg: PS256}"),
        edits=change("alg: PS256}", "alg: ▸PS512}"),
        says="new keys would have an algorithm that the policy does not allow; name one of `algorithms`",
    ),
    Case(
        rule="rotation-bounds",
        around=_own("token_lifetime: 24h"),
        edits=change("token_lifetime: 24h", "token_lifetime: ▸25h"),
        says="the token lifetime of 25h is over the plan's 24h; shorten it, or choose another plan",
    ),
    Case(
        rule="rotation-bounds",
        around=_policy("rotation: {every: 30d, at_most: 30d}"),
        edits=change("every: 30d", "every: ▸31d", "policy.yaml"),
        says="rotation every 31d is over the policy's 30d; rotate more often",
    ),
    Case(
        rule="rotation-bounds",
        around=_plan("rotation: {lead: 48h}"),
        edits=change("lead: 48h", "lead: ▸47h", "policy.yaml"),
        says="the lead of 47h is under the policy's 48h; a plan may only lengthen it",
    ),
    Case(
        rule="rotation-bounds",
        around=_plan("rotation: {alg: ES256}"),
        edits=change("alg: ES256}", "alg: ▸ES512}", "policy.yaml"),
        says="new keys would have an algorithm that the policy does not allow; name one of `algorithms`",
    ),
    Case(
        rule="rotation-bounds",
        around=_plan("token_lifetime: 24h"),
        edits=change("1, token_lifetime: 24h", "1, token_lifetime: ▸2d", "policy.yaml"),
        says="the token lifetime of 48h is over the policy's 24h; shorten it, or raise the policy's",
    ),
)

CASES = (*WINDOWS, *LEADS, *BOUNDS)
