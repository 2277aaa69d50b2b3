"""Which paths an author may change, where CI knows who owns what: `--author-may`.

Names are compared as Git has them, byte for byte: what a file system may take for the same (case, Unicode forms) is
another path here, and so refused. What a permitted change does to other tenants is in `trespass`.
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from publisher.diagnostic import Rule, clean, ticked
from publisher.objection import Objection
from publisher.source import GENERATED, below, inside

OUTSIDE = Rule(
    id="outside-author",
    doc="With --author-may a change touches the named tenants' folders alone: no policy, waivers, allowed signers or "
    "workflows, no other tenant, and no folder that is no tenant's. A tenant is named by its folder (`eu/globex`), by "
    "its name (`globex`: where the base revision has it), or with all below a grouping folder (`eu/`). Its "
    "generated.yaml has owners of its own: `globex/generated.yaml`, or `generated.yaml` for that of every tenant.",
)
RULES = (OUTSIDE,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What an author may change. Paths are relative to the repository.

    `folders` are tenants' folders, without their generated.yaml; `generated` are those whose generated.yaml it is.
    `unknown` are names that stand for no tenant's folder, or for several of one name.
    """

    folders: frozenset[str]
    generated: frozenset[str]
    unknown: tuple[str, ...]


def granted(base: Iterable[str], head: Iterable[str], root: str, may: Iterable[str]) -> Grant:
    """What the names in `may` stand for, among the tenants' folders of the base and the head revision.

    A folder that the base does not have, above tenants that it has, is granted together with all of those alone.
    """
    old, new = frozenset(base), frozenset(head)
    both = old | new
    folders: set[str] = set()
    generated: set[str] = set()
    unknown: list[str] = []
    for name in sorted(set(may)):
        owner, _, last = name.rpartition("/")
        if last == GENERATED:
            found = both if name == GENERATED else _NONE if owner.endswith("/") else _named(owner, old, new, root)
            generated |= found
        else:
            found = _named(name, old, new, root)
            folders |= found
        if not found:
            unknown.append(name)
    return Grant(
        folders=_without_swallowing(folders, old), generated=_without_swallowing(generated, old), unknown=tuple(unknown)
    )


def outside(
    paths: Iterable[str], base: Iterable[str], head: Iterable[str], root: str, may: Iterable[str]
) -> tuple[Objection, ...]:
    """The changed paths that the author may not change, sorted, each once.

    `paths` are all that differ in the whole repository, a renamed file by both names (`githistory.differing` of the
    root `.`). `base` and `head` are the folders of all tenants of the two revisions (`Listing.path`); those above and
    below the changed paths are enough, and for a name alone those of that name.
    """
    old, new = frozenset(base), frozenset(head)
    grant = granted(old, new, root, may)
    both = old | new
    found = {path for path in paths if not _is_granted(path, both, grant)}
    return tuple(_objection(path, both, root) for path in sorted(found))


def _named(name: str, old: AbstractSet[str], new: AbstractSet[str], root: str) -> frozenset[str]:
    """The tenants' folders that a name stands for."""
    both = old | new
    if name.endswith("/"):
        place = inside(root, name)
        return (
            frozenset(folder for folder in both if f"{folder}/".startswith(place)) if _is_plain(place[:-1]) else _NONE
        )
    if "/" in name:
        return frozenset(both & {inside(root, name)})
    for folders in (old, new):
        found = frozenset(folder for folder in folders if folder.rpartition("/")[2] == name)
        if found:
            return found if len(found) == 1 else _NONE
    return _NONE


_NONE: frozenset[str] = frozenset()


def _without_swallowing(folders: AbstractSet[str], old: AbstractSet[str]) -> frozenset[str]:
    return frozenset(
        folder
        for folder in folders
        if folder in old or all(inner in folders for inner in old if inner.startswith(f"{folder}/"))
    )


def _is_granted(path: str, tenants: AbstractSet[str], grant: Grant) -> bool:
    """Whether every tenant in whose folder the path lies is granted, and there is one."""
    owners = _owners(path, tenants)
    return bool(owners) and all(
        owner in (grant.generated if path == f"{owner}/{GENERATED}" else grant.folders) for owner in owners
    )


def _owners(path: str, tenants: AbstractSet[str]) -> list[str]:
    """The tenants' folders above a path; what stands in the place of a folder is in none."""
    if not _is_plain(path):
        return []
    parts = path.split("/")
    return [folder for cut in range(1, len(parts)) if (folder := "/".join(parts[:cut])) in tenants]


def _is_plain(path: str) -> bool:
    """Whether each part of a path is a name."""
    return not any(part in ("", ".", "..") for part in path.split("/"))


def _objection(path: str, tenants: AbstractSet[str], root: str) -> Objection:
    owners = _owners(path, tenants)
    if not owners:
        message, hint = f"{ticked(path)} is in no tenant's folder", "leave it as it is: its change is the platform's"
    elif path == f"{owners[-1]}/{GENERATED}":
        name = below(root, path)
        message = f"{ticked(path)} is the platform's, with owners of its own"
        hint = f"let the platform change it, or permit it with `--author-may {clean(name)}`"
    else:
        tenant = below(root, owners[-1])
        message = f"{ticked(path)} is of the tenant {ticked(tenant)}, which this author may not change"
        hint = "leave it as it is, or have its owners make the change"
    return Objection(rule=OUTSIDE, about=path, message=message, hint=hint)
