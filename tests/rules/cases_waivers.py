"""Golden cases of the rules about waivers. The time is 2026-06-01."""

from .trees import Case, Edit

_BY_KID = "tenant: acme, kid: own-ec, until: 2026-08-01T00:00:00Z"
_WHOLE = "{rule: too-many-changes, until: 2026-06-08T00:00:00Z"


def _edit(old: str, new: str) -> tuple[Edit, ...]:
    return (Edit(old=old, new=new, file="waivers.yaml"),)


CASES = (
    Case(
        rule="waiver-hazard",
        edits=_edit("{rule: drops-active-key", "{rule: ▸drops-activ-key"),
        says="`drops-activ-key` is no hazard; did you mean `drops-active-key`?",
    ),
    Case(
        rule="waiver-hazard",
        edits=_edit("{rule: drops-active-key", "{rule: ▸kid-twice"),
        says="`kid-twice` is no hazard; known here: empty-set, foreign-object, stale-write, drops-active-key, "
        "drops-retiring-key, kid-reused, revoked-key-returns, domain-changes-tenant, signs-before-published, "
        "consumer-limit, not-a-descendant, clock-behind, clock-ahead, too-many-changes",
    ),
    Case(
        rule="waiver-hazard",
        edits=_edit("- rule: foreign-object", "- rule: ▸stale-write"),
        says="`stale-write` needs no waiver; remove this one: it is repaired without",
    ),
    Case(
        rule="waiver-too-broad",
        edits=_edit("{rule: too-many-changes", "{rule: ▸clock-behind"),
        says="`clock-behind` is not waived ahead of time; "
        "remove it; when it happens, look into it, and then give --allow clock-behind",
    ),
    Case(
        rule="waiver-too-broad",
        edits=_edit(_BY_KID, "tenant: acme, kid: own-ec, until: ▸2026-08-30T00:00:01Z"),
        says="it would hold for more than 90 days; write 2026-08-30T00:00:00Z or sooner",
    ),
    Case(
        rule="waiver-too-broad",
        edits=_edit(_WHOLE, "{rule: too-many-changes, until: ▸2026-06-08T00:00:01Z"),
        says="it would hold for more than 7 days; write 2026-06-08T00:00:00Z or sooner",
    ),
    Case(
        rule="waiver-too-broad",
        edits=_edit("- {rule: drops-active-key, tenant: acme,", "- ▸{rule: drops-active-key,"),
        says="it names no tenant; add `tenant:`, the one that it is for",
    ),
    Case(
        rule="waiver-too-broad",
        edits=_edit(
            "- {rule: drops-active-key, tenant: acme, kid: own-ec,", "- ▸{rule: drops-active-key, tenant: acme,"
        ),
        says="it names no key and no domain; add `kid:` or `domain:`, the one that it is for",
    ),
    Case(
        rule="waiver-too-broad",
        edits=_edit(
            "- rule: foreign-object\n    tenant: globex\n    domain: id.globex.example\n",
            "- ▸rule: foreign-object\n    tenant: globex\n",
        ),
        says="it names no key and no domain; add `domain:`, the one that it is for",
    ),
    Case(
        rule="waiver-too-broad",
        edits=_edit("kid: own-ec", 'kid: ▸"*"'),
        says="`*` would be for more than one kid; name each",
    ),
    Case(
        rule="waiver-too-broad",
        edits=_edit("domain: id.globex.example", 'domain: ▸"*.globex.example"'),
        says="`*.globex.example` would be for more than one domain; name each",
    ),
    Case(
        rule="waiver-target",
        edits=_edit("kid: own-ec, until", "kid: own-ec, domain: login.acme.example, until")
        + _edit("- {rule: drops-active-key", "- ▸{rule: drops-active-key"),
        says="it names a kid and a domain; keep one of the two",
    ),
    Case(
        rule="waiver-target",
        edits=_edit("domain: id.globex.example", "▸kid: own-ec"),
        says="`foreign-object` concerns a domain, and no single key; write `domain:` instead",
    ),
    Case(
        rule="waiver-target",
        edits=_edit("  - rule: foreign-object\n", "  - ▸rule: foreign-object\n    kid: own-ec\n"),
        says="it names a kid and a domain; remove `kid:`",
    ),
    Case(
        rule="waiver-too-broad",
        edits=_edit("{rule: drops-active-key", "{rule: ▸revoked-key-returns"),
        says="`revoked-key-returns` is not waived ahead of time; "
        "remove it; when it happens, look into it, and then give --allow revoked-key-returns",
    ),
    Case(
        rule="waiver-target",
        edits=_edit("{rule: too-many-changes,", "{rule: too-many-changes, ▸tenant: acme,"),
        says="`too-many-changes` concerns a whole publish, and no tenant; remove `tenant`",
    ),
    Case(
        rule="waiver-twice",
        edits=_edit(
            "  - {rule: too-many",
            "  - ▸{rule: drops-active-key, tenant: acme, kid: own-ec, until: 2026-07-01T00:00:00Z, reason: again}\n"
            "  - {rule: too-many",
        ),
        says="there is a waiver for the same above; keep one of the two",
    ),
    Case(
        rule="bad-value",
        edits=_edit("version: 1", "version: ▸2"),
        says="2 is out of bounds; write 1",
    ),
    Case(
        rule="missing-field",
        edits=_edit(
            "- {rule: too-many-changes, until: 2026-06-08T00:00:00Z, reason: the merger}",
            "- ▸{rule: too-many-changes, until: 2026-06-08T00:00:00Z}",
        ),
        says="`reason` is missing; add `reason:` (why it is accepted)",
    ),
)
