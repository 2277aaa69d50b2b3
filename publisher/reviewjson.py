"""A review for programs: everything, as a JSON value with stable names. `version` grows when a name changes or goes.

Instants are RFC 3339 in UTC, null for an open end; durations are seconds, null for no bound.
"""

from datetime import timedelta
from typing import Any

from publisher.breakage import Break
from publisher.documentchange import Difference, DocumentChange, Named, Peak
from publisher.exposure import Exposure, Safe
from publisher.keychange import KeyChange, KeyFacts, Mints
from publisher.policychange import PolicyChange
from publisher.record import write_instant
from publisher.report import diagnostics_json
from publisher.review import Danger, PolicyReview, Refusal, Review, Setting, Side, TenantReview, Touched

VERSION = 1


def review_json(review: Review) -> dict[str, Any]:
    """The review as a JSON value."""
    return {
        "version": VERSION,
        "verdict": review.verdict,
        "base": _side(review.base),
        "head": _side(review.head),
        "as_of": write_instant(review.now),
        "store": review.store,
        "counts": _counts(review),
        "tenants": [_tenant(one) for one in review.tenants],
        "policy": None if review.policy is None else _policy(review.policy),
        "waivers": [
            {"change": one.what, "about": one.about, "until": write_instant(one.until), "reason": one.reason}
            for one in review.waivers
        ],
        "platform": list(review.platform),
        "others": list(review.others),
        "mistakes": diagnostics_json(review.mistakes),
        "warnings": diagnostics_json(review.warnings),
        "refusals": [_refusal(one) for one in review.refusals],
        "hazards": [_danger(one) for one in review.dangers],
        "notes": list(review.notes),
    }


def _counts(review: Review) -> dict[str, int]:
    """Over everything, tenants and all."""
    whats = [key.what for tenant in review.tenants for key in tenant.keys]
    dangers = review.all_dangers
    minting = {(one.tenant, key.shown.thumbprint) for one in review.tenants for key, _ in one.gains}
    return {
        "tenants": len(review.tenants),
        "keys_added": whats.count("added") + whats.count("unrevoked"),
        "keys_removed": whats.count("removed"),
        "keys_revoked": whats.count("revoked"),
        "keys_changed": whats.count("changed"),
        "keys_that_may_now_mint": len(minting),
        "hazards": sum(not one.waived for one in dangers),
        "hazards_waived": sum(one.waived for one in dangers),
        "mistakes": len(review.all_mistakes),
        "refusals": len(review.refusals),
        "weaker": 0 if review.policy is None else sum(one.weaker for one in review.policy.changes),
        "broken_consumers": sum(one.named for tenant in review.tenants for one in tenant.breaks),
    }


def _side(one: Side) -> dict[str, Any]:
    return {"label": one.label, "commit": one.commit}


def _tenant(one: TenantReview) -> dict[str, Any]:
    return {
        "tenant": one.tenant,
        "before": one.before,
        "after": one.after,
        "compared": one.read,
        "rank": one.rank,
        "settings": [_setting(it) for it in one.settings],
        "keys": [_change(it) for it in one.keys],
        "documents": [_document(it) for it in one.documents],
        "broken_consumers": [_break(it) for it in one.breaks],
        "hazards": [_danger(it) for it in one.dangers],
        "mistakes": diagnostics_json(one.mistakes),
        "warnings": diagnostics_json(one.warnings),
    }


def _setting(one: Setting) -> dict[str, Any]:
    return {"name": one.name, "before": one.before, "after": one.after}


def _change(one: KeyChange) -> dict[str, Any]:
    return {
        "what": one.what,
        "before": None if one.before is None else _key(one.before),
        "after": None if one.after is None else _key(one.after),
        "fields": list(one.fields),
        "may_now_mint": [_mints(it) for it in one.gains],
        "may_mint_no_more": [_mints(it) for it in one.loses],
        "safe_to_sign": None if one.safe is None else _safe(one.safe),
        "exposure": None if one.exposure is None else _exposure(one.exposure),
    }


def _key(key: KeyFacts) -> dict[str, Any]:
    window, revoked = key.window, key.revoked
    return {
        "kid": key.kid,
        "thumbprint": key.thumbprint,
        "alg": key.alg,
        "kind": key.kind,
        "origin": key.origin,
        "phase": key.phase,
        "publish": {"from": write_instant(window.publish_from), "until": write_instant(window.publish_until)},
        "signs": {"from": write_instant(window.signs_from), "until": write_instant(window.signs_until)},
        "domains": list(key.domains),
        "revoked": None if revoked is None else {"at": write_instant(revoked.at), "reason": revoked.reason},
    }


def _mints(one: Mints) -> dict[str, Any]:
    return {"domains": list(one.domains), "from": write_instant(one.start), "until": write_instant(one.until)}


def _safe(one: Safe) -> dict[str, Any]:
    return {
        "published": write_instant(one.published),
        "everywhere": write_instant(one.everywhere),
        "by_verifier": {name: write_instant(at) for name, at in one.verifiers.items()},
    }


def _exposure(one: Exposure) -> dict[str, Any]:
    return {
        "caches_seconds": one.caches.total_seconds(),
        "purged_seconds": one.purged.total_seconds(),
        "by_verifier_seconds": {name: _seconds(time) for name, time in one.verifiers.items()},
        "slowest_verifier_seconds": _seconds(one.slowest),
    }


def _seconds(time: timedelta | None) -> float | None:
    return None if time is None else time.total_seconds()


def _document(one: DocumentChange) -> dict[str, Any]:
    return {
        "what": one.what,
        "domains": list(one.domains),
        "canonical": one.canonical,
        "differences": [_difference(it) for it in one.differences],
        "peak_before": _peak(one.before),
        "peak_after": _peak(one.after),
    }


def _difference(one: Difference) -> dict[str, Any]:
    return {
        "from": write_instant(one.start),
        "until": write_instant(one.end),
        "keys_in": [_named(it) for it in one.keys_in],
        "keys_out": [_named(it) for it in one.keys_out],
        "phases_moved": [{"kid": it.kid, "before": it.before, "after": it.after} for it in one.moved],
        "unsigned": one.unsigned,
        "sha256_before": one.before,
        "sha256_after": one.after,
    }


def _named(one: Named) -> dict[str, Any]:
    return {"kid": one.kid, "thumbprint": one.thumbprint, "phase": one.phase}


def _peak(one: Peak) -> dict[str, Any]:
    return {"keys": one.keys, "bytes": one.bytes}


def _break(one: Break) -> dict[str, Any]:
    return {
        "consumer": one.consumer,
        "text": one.text,
        "kid": one.kid,
        "domains": list(one.domains),
        "from": write_instant(one.start),
        "named": one.named,
    }


def _danger(one: Danger) -> dict[str, Any]:
    return {
        "id": one.rule,
        "tenant": one.tenant,
        "domain": one.domain,
        "kid": one.kid,
        "message": one.message,
        "hint": one.hint,
        "waived": one.waived,
        "why": one.why,
        "waiver": one.waiver,
    }


def _refusal(one: Refusal) -> dict[str, Any]:
    return {"id": one.rule, "subject": one.subject, "message": one.message, "hint": one.hint}


def _policy(one: PolicyReview) -> dict[str, Any]:
    return {
        "changes": [_policy_change(it) for it in one.changes],
        "touched": [_touched(it) for it in one.touched],
        "all_cached": one.all_cached,
    }


def _policy_change(one: PolicyChange) -> dict[str, Any]:
    return {"field": one.field, "before": one.before, "after": one.after, "weaker": one.weaker, "why": one.why}


def _touched(one: Touched) -> dict[str, Any]:
    return {
        "tenant": one.tenant,
        "documents": one.documents,
        "times": [_setting(it) for it in one.times],
        "mistakes": diagnostics_json(one.mistakes),
    }
