"""Three typical reviews: a tenant's new key, a dangerous change with a new policy, a rotation of many tenants."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from publisher.breakage import Break
from publisher.diagnostic import Diagnostic
from publisher.documentchange import Difference, DocumentChange, Moved, Named, Peak
from publisher.exposure import Exposure, Safe
from publisher.keychange import KeyChange, KeyFacts, Mints, What
from publisher.keyset import ALWAYS, NEVER, Origin, Revoked, Window
from publisher.policychange import PolicyChange
from publisher.review import (
    Danger,
    PolicyReview,
    Refusal,
    Review,
    Setting,
    Side,
    TenantReview,
    Touched,
    WaiverChange,
    ordered,
)
from publisher.timeline import phase_in

NOW = datetime(2026, 5, 4, 9, tzinfo=UTC)
DAY = timedelta(days=1)
OPEN = Window(publish_from=ALWAYS, signs_from=ALWAYS, signs_until=NEVER, publish_until=NEVER)
BASE = Side(label="main", commit="3f2a9c1e5b7d4f60812a3b4c5d6e7f8091a2b3c4")
HEAD = Side(label="acme-partner-key", commit="a1b2c3d4e5f60718293a4b5c6d7e8f9001122334")
CANONICAL = "acme.idp.example"


def facts(
    kid: str,
    *,
    alg: str = "ES256",
    kind: str = "P-256",
    origin: Origin = "custom",
    window: Window = OPEN,
    domains: tuple[str, ...] = ("login.acme.example", "auth.acme.example"),
) -> KeyFacts:
    thumbprint = sha256(kid.encode()).hexdigest()[:43]
    return KeyFacts(
        kid=kid,
        thumbprint=thumbprint,
        alg=alg,
        kind=kind,
        origin=origin,
        window=window,
        domains=domains,
        revoked=None,
        phase=phase_in(window, NOW),
    )


def window(start: datetime, days: int) -> Window:
    return Window(
        publish_from=start,
        signs_from=start + 2 * DAY,
        signs_until=start + days * DAY,
        publish_until=start + (days + 2) * DAY,
    )


def added(key: KeyFacts) -> KeyChange:
    start = max(NOW, key.window.publish_from)
    until = None if key.window.publish_until == NEVER else key.window.publish_until
    safe = Safe(
        published=start,
        everywhere=start + timedelta(hours=24, minutes=10),
        verifiers={
            "jwks-rsa": start + timedelta(minutes=15),
            "nimbus": start + timedelta(minutes=20),
            "microsoft-identity": start + timedelta(hours=24, minutes=10),
        },
    )
    return KeyChange(
        what="added",
        before=None,
        after=key,
        fields=("entry",),
        gains=(Mints(domains=key.domains, start=start, until=until),),
        loses=(),
        safe=safe,
    )


def gone(key: KeyFacts, what: What = "removed") -> KeyChange:
    lost = (Mints(domains=key.domains, start=NOW, until=None),)
    after, exposure = None, None
    if what == "revoked":
        revoked = Revoked(at=NOW - DAY, reason="laptop of a partner's developer was stolen")
        after = replace(key, revoked=revoked, phase="revoked")
        exposure = Exposure(
            caches=timedelta(hours=24, minutes=10),
            purged=timedelta(minutes=5),
            verifiers={"jwks-rsa": timedelta(minutes=10), "go-oidc": None},
        )
    fields = ("entry",) if after is None else ("revoked",)
    return KeyChange(what=what, before=key, after=after, fields=fields, gains=(), loses=lost, exposure=exposure)


def document(
    domains: tuple[str, ...],
    keys_in: tuple[KeyFacts, ...],
    keys_out: tuple[KeyFacts, ...] = (),
    start: datetime = NOW,
    moved: tuple[Moved, ...] = (),
) -> DocumentChange:
    def named(keys: tuple[KeyFacts, ...]) -> tuple[Named, ...]:
        return tuple(Named(kid=one.kid, thumbprint=one.thumbprint, phase=one.phase) for one in keys)

    change = Difference(
        start=start,
        end=None,
        keys_in=named(keys_in),
        keys_out=named(keys_out),
        moved=moved,
        before="ab" * 32,
        after="cd" * 32,
    )
    grown = 2 + len(keys_in) - len(keys_out)
    return DocumentChange(
        what="changed",
        domains=domains,
        canonical=False,
        differences=(change,),
        before=Peak(keys=2, bytes=412),
        after=Peak(keys=grown, bytes=206 * grown),
    )


def fine() -> Review:
    """acme gets a key of a partner, and moves to another plan."""
    new = facts("partner-2026")
    broken = Break(
        consumer="aws-api-gateway",
        text="refuses tokens of `partner-2026`: it knows no P-256 keys",
        kid="partner-2026",
        domains=new.domains,
        start=NOW,
        named=False,
    )
    acme = TenantReview(
        tenant="acme",
        before="keysets/acme",
        after="keysets/acme",
        keys=(added(new),),
        documents=(document(new.domains, (new,)),),
        breaks=(broken,),
        settings=(Setting(name="plan", before="team", after="enterprise"),),
    )
    return Review(base=BASE, head=HEAD, now=NOW, store="s3://jwks-live/eu", tenants=(acme,), others=("README.md",))


def blocked() -> Review:
    """globex loses a key that signs, initech revokes one, and the policy gets weaker."""
    old, stolen = facts("old-2024", domains=("id.globex.example",)), facts("ci", domains=("sso.initech.example",))
    danger = Danger(
        rule="drops-active-key",
        tenant="globex",
        domain="id.globex.example",
        kid="old-2024",
        waived=False,
        message="the key `old-2024` signs without end, and would be gone",
        hint="end its signing first (signs.until) and keep it published, or revoke it",
        waiver="- {rule: drops-active-key, tenant: globex, kid: old-2024, until: 2026-05-11T09:00:00Z, reason: WHY}",
    )
    empty = Danger(
        rule="empty-set",
        tenant="initech",
        domain="sso.initech.example",
        kid=None,
        waived=True,
        message="it serves 1 key, and would serve none",
        hint="a revocation passes; add a key that is published now",
    )
    named = Break(
        consumer="spring",
        text="refuses tokens of `new`: it knows no ES256",
        kid="new",
        domains=("id.globex.example",),
        start=NOW + 3 * DAY,
        named=True,
    )
    globex = TenantReview(
        tenant="globex",
        before="keysets/globex",
        after="keysets/globex",
        keys=(gone(old),),
        documents=(document(("id.globex.example",), (), (old,)),),
        dangers=(danger,),
        breaks=(named,),
    )
    initech = TenantReview(
        tenant="initech",
        before="keysets/initech",
        after="keysets/eu/initech",
        keys=(gone(stolen, "revoked"),),
        dangers=(empty,),
        documents=(document(("sso.initech.example",), (), (stolen,)),),
    )
    weaker = (
        PolicyChange(
            field="cache.max_age", before="5 min", after="1 h", weaker=True, why="a revoked key is accepted for longer"
        ),
        PolicyChange(
            field="limits.removals",
            before="5",
            after="500",
            weaker=True,
            why="one publish may take keys away from more domains",
        ),
        PolicyChange(field="rotation.every", before="2160 h", after="720 h", weaker=False, why=""),
    )
    times = (Setting(name="safe to sign after", before="24 h 10 min", after="25 h 10 min"),)
    touched = tuple(Touched(tenant=name, documents=False, times=times, mistakes=()) for name in ("acme", "umbrella"))
    policy = PolicyReview(changes=weaker, touched=touched, all_cached=True)
    return Review(
        base=BASE,
        head=HEAD,
        now=NOW,
        store=None,
        tenants=ordered((globex, initech)),
        policy=policy,
        platform=("keysets/policy.yaml", "keysets/waivers.yaml"),
        waivers=(
            WaiverChange(
                what="added",
                about="empty-set of globex, domain id.globex.example",
                until=NOW + timedelta(days=7),
                reason="moves to another provider",
            ),
        ),
        dangers=(),
    )


def many(count: int = 1000) -> Review:
    """So many tenants rotate; one of them got a custom key as well, one has a mistake, and one is another's."""
    tenants = [rotated(f"tenant-{number:04}", number) for number in range(count - 2)]
    own = facts("odd-one-out", alg="EdDSA", kind="Ed25519", domains=("login.tenant-odd.example",))
    odd = rotated("tenant-odd", 7)
    mistake = Diagnostic(
        path="keysets/tenant-bad/generated.yaml",
        line=12,
        column=9,
        rule="lead",
        message="the key `gen-9` signs 1 h after it is published, and 48 h are needed",
        hint="let signs.from be 2026-05-08T09:00:00Z or later",
    )
    bad = TenantReview(
        tenant="tenant-bad", before="keysets/tenant-bad", after="keysets/tenant-bad", read=False, mistakes=(mistake,)
    )
    refusal = Refusal(
        rule="author-may",
        subject="keysets/tenant-odd",
        hint="ask its owner, or the platform",
        message="the author may change `tenant-bad` alone",
    )
    everyone = [*tenants, replace(odd, keys=(added(own), *odd.keys)), bad]
    return Review(
        base=BASE,
        head=HEAD,
        now=NOW,
        store="s3://jwks-live/eu",
        tenants=ordered(everyone),
        refusals=(refusal,),
        notes=("the store holds no release before 2026-04-01T00:00:00Z",),
    )


def rotated(tenant: str, number: int) -> TenantReview:
    domains = (f"login.{tenant}.example", f"{tenant}.idp.example")
    start = NOW + (1 + number % 5) * DAY
    new = facts(f"{tenant}-2026-05", origin="generated", domains=domains, window=window(start, 90))
    old = facts(f"{tenant}-2026-02", origin="generated", domains=domains, window=window(start - 89 * DAY, 90))
    ended = replace(old, window=replace(old.window, signs_until=start + 2 * DAY, publish_until=start + 4 * DAY))
    changed = KeyChange(
        what="changed", before=old, after=ended, fields=("signs.until", "publish.until"), gains=(), loses=()
    )
    moved = (Moved(kid=old.kid, before="active", after="retiring"),)
    return TenantReview(
        tenant=tenant,
        before=f"keysets/{tenant}",
        after=f"keysets/{tenant}",
        keys=(added(new), changed),
        documents=(document(domains, (new,), start=start, moved=moved),),
    )


def full() -> Review:
    """Every kind of thing that a review can hold, and every text of it."""
    one, other = fine(), blocked()
    warning = Diagnostic(
        path="keysets/acme/keyset.yaml",
        line=3,
        column=1,
        rule="lead-under-a-day",
        message="the lead of 5h is short",
        hint="48h is the default",
        subject=("rotation", "lead"),
    )
    mistake = replace(warning, rule="kid-twice", message="the kid `own` is already that of custom_keys[0] (`own`)")
    refusal = Refusal(
        rule="author-may", subject="keysets/acme", message="the author may change `globex` alone", hint="ask its owner"
    )
    waived = replace(other.tenants[0].dangers[0], waived=True, why="waivers.yaml line 4, until 2026-06-01", kid="other")
    tenants = [*one.tenants, *other.tenants]
    tenants[0] = replace(tenants[0], warnings=(warning,), mistakes=(mistake,), read=False)
    tenants[1] = replace(tenants[1], dangers=(*tenants[1].dangers, waived))
    assert other.policy is not None
    touched = tuple(replace(it, mistakes=(mistake,), documents=True) for it in other.policy.touched)
    return replace(
        other,
        tenants=ordered(tenants),
        refusals=(refusal,),
        mistakes=(mistake,),
        warnings=(warning,),
        policy=replace(other.policy, touched=touched),
        notes=("no `store` was given",),
        dangers=(replace(waived, waived=False, tenant=None, domain=None, kid=None),),
        others=("README.md",),
        store="s3://jwks-live/eu",
    )


SAMPLES = {"fine": fine, "blocked": blocked, "many": many}
