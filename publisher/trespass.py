"""What a change to some tenants does to others: it takes their domains, keys, name or folder, or changes their bytes.

One commit is judged by itself in `rules.fleet` (one owner for each domain). Here two are compared: a domain that one
tenant gives up and another claims in the same change has one owner in each. Nothing is compiled or read here.
"""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from publisher.diagnostic import Rule, clean, ticked
from publisher.objection import Objection
from publisher.source import POLICY, inside

DOMAIN_TAKEN = Rule(
    id="domain-taken",
    doc="A change gives a tenant a domain that another one has in the base revision, be it that this one gives it up "
    "in the same change: who owns the domain is decided by its present owner. Remove it there first, and claim it when "
    "that is published and its copies and tokens have run out (see domain-changes-tenant).",
)
CANONICAL_TAKEN = Rule(
    id="canonical-taken",
    doc="A tenant's custom domain is the canonical domain of another tenant, whose generated keys alone it serves.",
)
KEY_TAKEN = Rule(
    id="key-taken",
    doc="A change gives a tenant a key that another one has in the base revision: whoever holds the private half could "
    "mint tokens of both, and the tokens of the old tenant live on.",
)
TENANT_MOVED = Rule(
    id="tenant-moved",
    doc="A tenant's folder moves, and in the same change the tenant gets other domains, keys or documents. With the "
    "place the reviewers may change, so that nobody who knows the tenant sees the content change: move it alone, and "
    "change it in another pull request.",
)
TENANT_SWALLOWED = Rule(
    id="tenant-swallowed",
    doc="A new keyset.yaml stands in a folder above a tenant of the base revision: all that is below would be of the "
    "new tenant, and its owners could change the other's files.",
)
BYTES_OUTSIDE = Rule(
    id="bytes-outside",
    doc="A tenant's documents change, or come or go, and neither a file in its folder nor policy.yaml does. This "
    "should never happen: documents follow from the tenant's files and the policy alone. Report it, and do not merge.",
)
RULES = (DOMAIN_TAKEN, CANONICAL_TAKEN, KEY_TAKEN, TENANT_MOVED, TENANT_SWALLOWED, BYTES_OUTSIDE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What one tenant has in a revision. `folder` is relative to the repository, `domains` are the custom ones."""

    folder: str
    tenant: str
    domains: tuple[str, ...] = ()
    canonical: str | None = None
    keys: frozenset[bytes] = frozenset()
    """The keys' identities (`jwk.identity`), those of revoked ones included."""
    documents: Mapping[str, str] = field(default_factory=dict)
    """By domain, a digest over all documents that it is to serve over time."""

    @property
    def served(self) -> tuple[str, ...]:
        """All its domains."""
        return self.domains if self.canonical is None else (*self.domains, self.canonical)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trespass:
    """What is refused, and what is good to know: lines fit for a terminal."""

    objections: tuple[Objection, ...]
    notes: tuple[str, ...]


def trespasses(base: Iterable[Holding], head: Iterable[Holding], changed: AbstractSet[str], root: str) -> Trespass:
    """Compare what tenants have in two revisions.

    `changed` are the paths under the root that differ (`githistory.differing`). Both sides hold at least the tenants in
    whose folders one of them lies, and those that have a domain, a key or a name that such a tenant has; each tenant
    that is given for one revision and exists in the other is given for both.
    """
    old, new = tuple(base), tuple(head)
    moves = tuple(_moves(old, new))
    origins = {after.folder: before.folder for before, after in moves}
    found = [
        *_swallowed(old, new),
        *_taken_domains(old, new, origins),
        *_taken_keys(old, new, origins),
        *(one for before, after in moves if (one := _moved(before, after)) is not None),
        *_bytes(old, new, changed, root),
    ]
    notes = tuple(
        f"the tenant {ticked(after.tenant)} moves from {ticked(before.folder)} to {ticked(after.folder)}, as it is; "
        "see that the owners of both folders agree"
        for before, after in moves
        if _moved(before, after) is None
    )
    return Trespass(objections=tuple(found), notes=notes)


def _moves(old: tuple[Holding, ...], new: tuple[Holding, ...]) -> Iterator[tuple[Holding, Holding]]:
    """Tenants, by name, whose folder is another one now."""
    left, come = {one.folder for one in new}, {one.folder for one in old}
    gone = {one.tenant: one for one in old if one.folder not in left}
    for one in new:
        if one.folder not in come and (known := gone.pop(one.tenant, None)) is not None:
            yield known, one


def _moved(before: Holding, after: Holding) -> Objection | None:
    names = ("domains", "canonical domain", "keys", "documents")
    pairs = zip(names, _content(before), _content(after), strict=True)
    differ = [name for name, one, other in pairs if one != other]
    if not differ:
        return None
    place = f"from {ticked(before.folder)} to {ticked(after.folder)}"
    message = f"the tenant {ticked(after.tenant)} moves {place}, and has other {', '.join(differ)} there"
    hint = "move it as it is, and change it in another pull request"
    return Objection(rule=TENANT_MOVED, about=after.tenant, message=message, hint=hint)


def _content(holding: Holding) -> tuple[object, ...]:
    domains = frozenset(map(_same, holding.domains))
    return domains, holding.canonical, holding.keys, dict(holding.documents)


def _swallowed(old: tuple[Holding, ...], new: tuple[Holding, ...]) -> Iterator[Objection]:
    known = {one.folder for one in old}
    fresh = {one.folder for one in new} - known
    for folder in sorted(known):
        parts = folder.split("/")
        for cut in range(1, len(parts)):
            above = "/".join(parts[:cut])
            if above in fresh:
                message = f"a new keyset.yaml in {ticked(above)} makes {ticked(folder)} a part of that tenant"
                hint = "put the new tenant's keyset.yaml in a folder of its own"
                yield Objection(rule=TENANT_SWALLOWED, about=folder, message=message, hint=hint)


def _taken_domains(
    old: tuple[Holding, ...], new: tuple[Holding, ...], origins: Mapping[str, str]
) -> Iterator[Objection]:
    owners: dict[str, set[str]] = {}
    for one in old:
        for domain in one.served:
            owners.setdefault(_same(domain), set()).add(one.folder)
    canonical = {_same(one.canonical): one.folder for one in new if one.canonical is not None}
    for one in new:
        origin = origins.get(one.folder, one.folder)
        for domain in one.served:
            known, platforms = owners.get(_same(domain), {origin}), canonical.get(_same(domain), one.folder)
            if origin not in known:
                had = " and ".join(ticked(folder) for folder in sorted(known))
                message = f"{clean(domain)} is of {had} in the base revision, and would be of {ticked(one.folder)}"
                hint = "its owner removes it first, in a change of its own that is published"
                yield Objection(rule=DOMAIN_TAKEN, about=domain, message=message, hint=hint)
            elif platforms != one.folder:
                message = f"{clean(domain)}, a custom domain of {ticked(one.folder)},"
                message = f"{message} is the canonical domain of {ticked(platforms)}"
                yield Objection(rule=CANONICAL_TAKEN, about=domain, message=message, hint=_OWN)


_OWN = "name a domain of the tenant's own"


def _taken_keys(old: tuple[Holding, ...], new: tuple[Holding, ...], origins: Mapping[str, str]) -> Iterator[Objection]:
    owners: dict[bytes, set[str]] = {}
    for one in old:
        for key in one.keys:
            owners.setdefault(key, set()).add(one.folder)
    for one in new:
        origin = origins.get(one.folder, one.folder)
        known = (owners.get(key, {origin}) for key in one.keys)
        for owner in sorted({folder for folders in known if origin not in folders for folder in folders}):
            message = f"{ticked(one.folder)} gets a key that {ticked(owner)} has in the base revision"
            yield Objection(rule=KEY_TAKEN, about=one.tenant, message=message, hint="make a new key for it")


def _bytes(
    old: tuple[Holding, ...], new: tuple[Holding, ...], changed: AbstractSet[str], root: str
) -> Iterator[Objection]:
    if inside(root, POLICY) in changed:
        return
    touched = {"/".join(parts[:cut]) for path in changed if (parts := path.split("/")) for cut in range(1, len(parts))}
    before, after = {one.folder: one for one in old}, {one.folder: one for one in new}
    for folder in sorted(before.keys() | after.keys()):
        one, other = before.get(folder), after.get(folder)
        had, has = ({} if one is None else dict(one.documents)), ({} if other is None else dict(other.documents))
        if folder in touched or had == has:
            continue
        for domain in sorted(name for name in had.keys() | has.keys() if had.get(name) != has.get(name)):
            message = f"the documents of {clean(domain)} change, and nothing in {ticked(folder)} nor policy.yaml does"
            hint = "do not merge: report this with both commits' ids"
            yield Objection(rule=BYTES_OUTSIDE, about=domain, message=message, hint=hint)


def _same(domain: str) -> str:
    """A domain in the one spelling by which it is compared, also where the files have a mistake."""
    return domain.casefold().removesuffix(".")
