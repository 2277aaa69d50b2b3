"""Changes of `world.BASE`: for every rule and warning that compares with a base what is said, and good neighbours."""

from dataclasses import dataclass
from typing import TypeAlias

from keymaker import entry, public_pem, rsa_key

from .world import ACME, BASE, COMING, KEPT, LEAST, LOST, MADE, MARK, OLD, PARTNER, ROOMY, SIGNS, generated, key, keyset

Tree: TypeAlias = dict[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A change, and the one thing that is said of it (`message; hint`) at the mark."""

    rule: str
    tree: Tree
    says: str


def acme(*entries: str, more: str = "") -> Tree:
    return {"acme/keyset.yaml": keyset(*entries, more=more)}


def plus(text: str) -> Tree:
    return {"acme/keyset.yaml": ACME + text}


def swap(old: str, new: str, text: str = ACME) -> Tree:
    assert text.count(old) == 1, old
    return {"acme/keyset.yaml": text.replace(old, new)}


def at(text: str, field: str = "kid") -> str:
    return text.replace(field, MARK + field, 1)


def listed(*entries: str) -> Tree:
    """With the mark at the list of custom keys."""
    return {"acme/keyset.yaml": at(keyset(*entries), "custom_keys")}


_LEAD = f"signs.from must be {LEAST} or later; {ROOMY} leaves time for the merge"
_LATE = f"and not every verifier can have it before {LEAST}; {_LEAD}"
_GONE = "by the base revision, and its tokens can be alive when it is gone"
_UNTIL = f"publish.until must be {KEPT} or later"
_PAST = "publish: {from: 2026-01-01T00:00:00Z}"
_STRUCK = "revoked: {at: 2026-05-30T00:00:00Z, reason: stolen}"
_PEM = public_pem(rsa_key(0))
_INLINE = entry("RS256", kid="partner", pem=_PEM) + "    domains: [a.acme.example]\n"
_MOVED = {path: text for path, text in BASE.items() if path.startswith("acme/")}


def signs(publish: str, signs: str = "") -> Tree:
    """With other windows of the key that signs."""
    more = [f"{name}: {{{value}}}" for name, value in (("publish", publish), ("signs", signs)) if value]
    return acme(key("signs", 0, "|".join(more)), OLD, COMING, LOST, PARTNER)


LEAD: tuple[tuple[str, Tree], ...] = (
    ("at once", plus(at(key("new", 9)))),
    ("too soon", plus(key("new", 9, f"signs: {{from: {MARK}2026-06-01T01:14:59Z}}"))),
    # What a file says of the past is no proof of it.
    ("backdated", plus(key("new", 9, f"{_PAST}|signs: {{from: {MARK}2026-01-08T00:00:00Z}}"))),
    ("generated", {"acme/generated.yaml": generated(MADE, at(key("next", 9)))}),
    ("early", acme(SIGNS, OLD, at(key("coming", 2)), LOST, PARTNER)),
)


def _lead(name: str, tree: Tree) -> Case:
    start = "it signs from 2026-06-01T01:14:59Z on" if name == "too soon" else "it signs at once"
    return Case(rule="lead-too-short", tree=tree, says=f"{start}, {_LATE}")


REFUSED = (
    *(_lead(name, tree) for name, tree in LEAD),
    # Retention: of a key that signs, however its file puts it.
    Case(
        rule="retention-too-short",
        tree=signs(f"until: {MARK}2026-06-01T00:00:01Z", "until: 2026-05-01T00:00:00Z"),
        says=f"it signs until 2026-06-01T00:00:00Z {_GONE}; {_UNTIL}",
    ),
    Case(
        rule="retention-too-short",
        tree=signs(f"until: {MARK}2026-05-01T00:00:00Z"),
        says=f"it signs until 2026-06-01T00:00:00Z {_GONE}; {_UNTIL}",
    ),
    Case(
        rule="retention-too-short",
        tree=signs(f"until: {MARK}2026-06-01T00:00:01Z", "from: 2026-06-01T00:00:01Z"),
        says=f"it signs until 2026-06-01T00:00:00Z {_GONE}; {_UNTIL}",
    ),
    Case(
        rule="retention-too-short",
        tree=swap("publish: {until: 2026-08-01T00:00:00Z}", f"publish: {{until: {MARK}2026-05-31T23:00:00Z}}"),
        says=f"it signs until 2026-05-31T20:00:00Z {_GONE}; publish.until must be 2026-06-01T20:05:00Z or later",
    ),
    Case(
        rule="retention-too-short",
        tree=signs(f"from: {MARK}2026-06-10T00:00:00Z"),
        says=f"it signs until 2026-06-01T00:00:00Z {_GONE}; leave publish.from as it is there",
    ),
    # The ledger.
    Case(
        rule="ledger-shortened",
        tree=listed(SIGNS, OLD, COMING, PARTNER),
        says="the revoked entry of `lost` was removed; put it back as it was",
    ),
    Case(
        rule="ledger-shortened",
        tree=acme(SIGNS, OLD, COMING, at(key("lost", 3)), PARTNER),
        says="the revocation of `lost` is taken back; put it back; for the tenant make a new key",
    ),
    Case(
        rule="ledger-shortened",
        tree=swap("kid: lost", f"kid: {MARK}free"),
        says="the key has the kid `lost` in the base revision; write `lost` again",
    ),
    Case(
        rule="ledger-shortened",
        tree=acme(
            SIGNS,
            OLD,
            COMING,
            at(key("lost", 3, "revoked: {at: 2026-05-02T00:00:00Z, reason: stolen}"), "2026-05-02"),
            PARTNER,
        ),
        says="the revocation of `lost` comes to be later; leave it as it is in the base revision",
    ),
    Case(
        rule="ledger-shortened",
        tree=swap(COMING, key("coming", 2, f"{_STRUCK}|signs: {{from: {MARK}2026-05-01T00:00:00Z}}")),
        says="signs.from of `coming` comes to be earlier, and it is revoked; leave it as it is in the base revision",
    ),
    Case(
        rule="revoked-before",
        tree={
            "globex/keyset.yaml": keyset(
                at(key("innocent", 8, f"signs: {{from: {ROOMY}}}")), tenant="globex", domains="id.globex.example"
            )
        },
        says="the key `innocent` was revoked before; make a new key",
    ),
    # Names.
    Case(
        rule="kid-changed",
        tree=acme(key("signs-2026", 0).replace("kid: ", f"kid: {MARK}"), OLD, COMING, LOST, PARTNER),
        says="the key has the kid `signs` in the base revision; write `signs` again",
    ),
    Case(
        rule="kid-changed",
        tree=acme(
            SIGNS, key("old", 9, f"signs: {{from: {ROOMY}}}").replace("kid: ", f"kid: {MARK}"), COMING, LOST, PARTNER
        ),
        says="the kid `old` names another key in the base revision; give the new key a kid of its own",
    ),
    Case(
        rule="alg-changed",
        tree=swap("alg: RS256", f"alg: {MARK}PS256"),
        says="the key has the algorithm RS256 in the base revision, and has signed with it; write RS256 again, or make "
        "a new key",
    ),
    Case(
        rule="generated-key-removed",
        tree={"acme/generated.yaml": at("version: 1\ngenerated_keys: []\n", "generated_keys")},
        says=f"the entry of `made` was removed, and the key signs; put it back, with signs.until 2026-06-01T00:00:00Z "
        f"and publish.until {KEPT} or later; or revoke it",
    ),
)

WARNED = (
    Case(
        rule="key-removed",
        tree=listed(OLD, COMING, LOST, PARTNER),
        says=f"the entry of `signs` was removed, and the key signs; put it back, with signs.until 2026-06-01T00:00:00Z "
        f"and publish.until {KEPT} or later; or revoke it",
    ),
    Case(
        rule="key-removed",
        tree=listed(SIGNS, COMING, LOST, PARTNER),
        says="the entry of `old` was removed, and the key signed until 2026-05-31T20:00:00Z, and its tokens live on; "
        "put it back, with signs.until 2026-05-31T20:00:00Z and publish.until 2026-06-01T20:05:00Z or later; or revoke "
        "it",
    ),
    Case(
        rule="key-removed",
        tree=acme(at(key("signs", 0, "domains: [b.acme.example]")), OLD, COMING, LOST, PARTNER),
        says=f"the key is taken from a.acme.example, and it signs; keep it there until {KEPT} or later; or revoke it",
    ),
    Case(
        rule="key-widened",
        tree=acme(SIGNS, OLD, COMING, LOST, at(entry("RS256", kid="partner", pem=_PEM))),
        says=f"the key comes to b.acme.example, and it signs already; sign there with it from {LEAST} on",
    ),
    Case(
        rule="domain-removed",
        tree=swap("[a.acme.example, b.acme.example]", f"{MARK}[a.acme.example]"),
        says="`b.acme.example` is removed, and serves `signs`, whose tokens can be alive; see that nothing uses it any "
        "more; a publish keeps what is served until somebody waives it",
    ),
    Case(
        rule="tenant-removed",
        tree={"globex/keyset.yaml": None},
        says="the tenant is removed, and serves `theirs`, whose tokens can be alive; see that nothing uses it any "
        "more; a publish keeps what is served until somebody waives it",
    ),
)

_ENDED = key("signs", 0, f"publish: {{until: {KEPT}}}|signs: {{until: 2026-06-01T00:00:00Z}}")

GOOD: dict[str, Tree] = {
    "nothing": {},
    "a comment, another order": acme(LOST, PARTNER, COMING, "  # signs\n" + SIGNS, OLD),
    "in time": plus(key("new", 9, f"signs: {{from: {LEAST}}}")),
    "in time by the tool": {"acme/generated.yaml": generated(MADE, key("next", 9, f"signs: {{from: {LEAST}}}"))},
    "later from the start": plus(key("new", 9, f"publish: {{from: {ROOMY}}}|signs: {{from: 2026-06-08T00:00:00Z}}")),
    "never signs": plus(key("new", 9, f"{_PAST}|signs: {{from: {KEPT}, until: {KEPT}}}")),
    "never published": plus(key("new", 9, "publish: {until: 2026-05-01T00:00:00Z}")),
    "revoked from the start": plus(key("new", 9, _STRUCK)),
    "an end with retention": acme(_ENDED, OLD, COMING, LOST, PARTNER),
    "an end of what nobody has": acme(SIGNS, OLD, LOST, PARTNER),
    "another start of what nobody has": swap(COMING, COMING.replace("-07-01", "-06-05").replace("-07-08", "-06-12")),
    "another name of what nobody has": swap("kid: coming", "kid: next"),
    "another key of the name of what nobody has": swap(
        COMING, key("coming", 9, f"publish: {{from: {ROOMY}}}|signs: {{from: 2026-07-08T00:00:00Z}}")
    ),
    "a revocation": acme(key("signs", 0, _STRUCK), OLD, COMING, LOST, PARTNER),
    "a revocation's reason": swap("reason: stolen", "reason: stolen with the laptop"),
    "the same key in another form": swap(PARTNER, _INLINE),
    "a domain more": swap("b.acme.example]", "b.acme.example, c.acme.example]"),
    "a new domain's first key": swap(
        "b.acme.example]", "b.acme.example, c.acme.example]", ACME + key("first", 9, "domains: [c.acme.example]")
    ),
    "a tenant": {"hooli/keyset.yaml": keyset(key("first", 9), tenant="hooli", domains="id.hooli.example")},
    "a tenant moves": {**{f"eu/{path}": text for path, text in _MOVED.items()}, **dict.fromkeys(_MOVED)},
}
"""Changes that nothing is said of."""
