"""Mistakes of a change that no tenant shows alone: in files around the tenants, and in what they claim from others."""

from collections.abc import Iterable, Mapping

from publisher.diagnostic import Diagnostic, Finding
from publisher.examining import Examined
from publisher.fleet import located, owner_of
from publisher.rules.fleet import Conflict
from publisher.source import Folder
from publisher.yamlfile import locate


def new_findings(
    before: Iterable[Folder | Finding], after: Iterable[Folder | Finding]
) -> tuple[list[Diagnostic], dict[str, tuple[Diagnostic, ...]]]:
    """What is wrong with files: of no tenant what was not before, and by a tenant's folder all, as nothing of it is
    published until that is mended."""
    after = list(after)
    known = {one for one in before if isinstance(one, Finding)}
    folders = frozenset(one.path for one in after if isinstance(one, Folder))
    general: list[Diagnostic] = []
    theirs: dict[str, tuple[Diagnostic, ...]] = {}
    for one in after:
        if not isinstance(one, Finding):
            continue
        owner, found = owner_of(one.file, folders), tuple(locate(b"", [one]))
        if owner is not None:
            theirs[owner] = (*theirs.get(owner, ()), *found)
        elif one not in known:
            general += found
    return general, theirs


def conflicting(examined: Iterable[Examined], conflicts: Iterable[Conflict]) -> dict[str, list[Diagnostic]]:
    """What changed tenants claim of others, by folder."""
    by_folder: dict[str, list[Conflict]] = {}
    for one in conflicts:
        by_folder.setdefault(one.folder, []).append(one)
    found: dict[str, list[Diagnostic]] = {}
    after = (one.pair.after for one in examined)
    for folder in (one for one in after if one is not None and one.path in by_folder):
        found[folder.path] = located([folder], by_folder)
    return found


def merged(*some: Mapping[str, Iterable[Diagnostic]]) -> dict[str, list[Diagnostic]]:
    found: dict[str, list[Diagnostic]] = {}
    for each in some:
        for folder, mistakes in each.items():
            found.setdefault(folder, []).extend(mistakes)
    return found
