"""What `review` and `diff` share: read both sides, ask the index, foresee a publish, put the review together."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from publisher.against import compared as base_of
from publisher.changed import Change, open_change
from publisher.checking import Times
from publisher.cli.changed import indexed
from publisher.cli.console import Console
from publisher.cli.options import Asked, Place, run, workers
from publisher.cli.sealing import Sealing
from publisher.commits import find_commit, merge_base
from publisher.commitsigning import unsigned
from publisher.confinement import outside
from publisher.diagnostic import Diagnostic, Finding
from publisher.draft import Order
from publisher.examining import Examined, Grounds, blamed, claims, examine, holdings, pairs
from publisher.fleet import located, owner_of, source_policy, source_waivers
from publisher.foresight import foresee
from publisher.git import open_revision
from publisher.githistory import differing
from publisher.gitprogram import Git
from publisher.objection import Objection
from publisher.plan import Plan
from publisher.policy import Policy
from publisher.policychange import policy_changes
from publisher.releaselog import Log
from publisher.review import PolicyReview, Review, Side
from publisher.reviewing import Matter, named, review
from publisher.rules.fleet import Conflict
from publisher.snapshot import snapshot
from publisher.source import WAIVERS, File, Folder, Revision, Source, inside
from publisher.survey import Wish
from publisher.thinning import parents
from publisher.touching import Reach, reach
from publisher.trespass import trespasses
from publisher.waiver import Waivers
from publisher.yamlfile import locate


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is to be compared, and how strictly. `head` is None for the working tree.

    `may` are the names of --author-may, empty where everything may be changed; `signed`: --require-signed-commits.
    """

    base: str
    head: str | None
    place: Place
    sealing: Sealing
    may: tuple[str, ...] = ()
    signed: bool = False
    cache: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """`base` is the revision as it is named, whose policy, waivers and signers count; `start` is what it has in common
    with the change, which is compared with `head` (None: the working tree)."""

    base: Revision
    start: Revision
    head: Revision | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What counts: `grounds`, the base's waivers, the files of both policies, and what is wrong with the new ones."""

    grounds: Grounds
    waivers: Waivers
    files: tuple[File | None, File | None]
    policy: PolicyReview | None
    mistakes: tuple[Diagnostic, ...]
    notes: tuple[str, ...]


def compared(console: Console, asked: Asked, question: Question) -> Review:
    """The review. SourceError, StoreError and Damaged."""
    sides = _sides(asked, question)
    change = open_change(asked.repo, asked.keysets, sides.start, sides.head)
    before, after = list(change.before.folders()), list(change.after.folders())
    folders = frozenset(one.path for one in (*before, *after) if isinstance(one, Folder))
    rules = _rules(asked, sides, change)
    reached = _reached(console, asked, sides, rules, folders)
    both = ([one for one in (*side, *reached.folders) if isinstance(one, Folder)] for side in (before, after))
    with indexed(console, asked, question.cache) as index:
        against = base_of(asked.repo, change, lambda _, keys: index.revocations.struck(sides.base, keys))
        grounds = replace(rules.grounds, struck=against.struck)
        examined = tuple(examine(one, grounds) for one in pairs(*both))
        conflicts = index.owners.conflicts(sides.base, against, claims(examined))
        objections = tuple(_objections(asked, question, sides, change, folders))
    mistakes, theirs = _new_findings(before, after)
    examined = blamed(examined, _merged(theirs, _told(examined, conflicts)))
    trespass = trespasses(*holdings(examined, grounds), frozenset(change.paths), change.before.root)
    return review(
        Matter(
            base=Side(label=question.base, commit=sides.start.commit.id),
            head=Side(label=change.after.label if question.head is None else question.head, commit=_commit(sides.head)),
            store=question.place.url,
            paths=change.paths,
            root=change.before.root,
            grounds=grounds,
            examined=examined,
            plan=_plan(question, sides, rules, examined),
            policy=None if rules.policy is None else replace(rules.policy, touched=reached.touched),
            mistakes=(*rules.mistakes, *mistakes),
            objections=(*trespass.objections, *objections),
            notes=(
                *rules.notes,
                *_meanwhile(asked, sides, folders),
                *reached.notes,
                *(_unpublished(examined) if question.place.url is None else ()),
                *trespass.notes,
                *(_SHALLOW if against.shallow else ()),
            ),
            folders=folders,
        )
    )


_SHALLOW = ("the clone is shallow: whether new keys were revoked before its first commit is not known",)


def _unpublished(examined: Iterable[Examined]) -> Iterator[str]:
    """Tenants of which the base, if it was published now, would publish nothing."""
    broken = [one.pair.before.path for one in examined if one.pair.before and one.before and not one.before.compiled]
    if broken:
        yield (
            f"mistakes of the base in {named(broken)}: what is served there is not known, so hazards are not foreseen; "
            "see with --store"
        )


def _meanwhile(asked: Asked, sides: Sides, folders: frozenset[str]) -> Iterator[str]:
    """Tenants that the base changed as well since the change parted from it: nobody has seen the two together."""
    start, base = sides.start.commit.id, sides.base.commit.id
    if start == base:
        return
    paths = (row[4] for row in differing(Git(directory=asked.repo), start, base))
    both = sorted({one.decode("utf-8", "replace") for path in paths for one in parents(path)} & folders)
    if both:
        some = "differs" if len(both) == 1 else "differ"
        yield (
            f"{named(both)} {some} in the base, too, since the change parted from it: what the two make together is "
            "not reviewed; rebase to see it"
        )


def _commit(revision: Revision | None) -> str | None:
    return None if revision is None else revision.commit.id


def _told(examined: Iterable[Examined], conflicts: Iterable[Conflict]) -> dict[str, list[Diagnostic]]:
    """What changed tenants claim of others, by folder."""
    by_folder: dict[str, list[Conflict]] = {}
    for one in conflicts:
        by_folder.setdefault(one.folder, []).append(one)
    found: dict[str, list[Diagnostic]] = {}
    after = (one.pair.after for one in examined)
    for folder in (one for one in after if one is not None and one.path in by_folder):
        found[folder.path] = located([folder], by_folder)
    return found


def _merged(*some: Mapping[str, Iterable[Diagnostic]]) -> dict[str, list[Diagnostic]]:
    found: dict[str, list[Diagnostic]] = {}
    for each in some:
        for folder, mistakes in each.items():
            found.setdefault(folder, []).extend(mistakes)
    return found


def _sides(asked: Asked, question: Question) -> Sides:
    base = open_revision(asked.repo, asked.keysets, question.base)
    head = None if question.head is None else open_revision(asked.repo, asked.keysets, question.head)
    git = Git(directory=asked.repo)
    start = merge_base(git, base.commit.id, (find_commit(git, "HEAD") if head is None else head.commit).id)
    same = start == base.commit.id
    return Sides(base=base, start=base if same else open_revision(asked.repo, asked.keysets, start), head=head)


def _rules(asked: Asked, sides: Sides, change: Change) -> Rules:
    old, wrong = source_policy(sides.base)
    differs = change.policy
    new, problems = source_policy(change.after) if differs else (old, ())
    notes = ["policy.yaml of the base has mistakes: what it allows cannot be judged by it"] if wrong else []
    was = source_policy(sides.start)[0] if differs else old
    if was != old and not wrong:
        notes.append("policy.yaml differs in the base, too, since the change parted from it: rebase to see both")
    waivers, _ = source_waivers(sides.base, asked.now)
    mistakes = [*problems]
    if inside(change.before.root, WAIVERS) in change.paths:
        merged_waivers, faults = source_waivers(change.after, asked.now)
        mistakes += faults
        waivers = waivers.without(source_waivers(sides.start, asked.now)[0], merged_waivers)
        notes.append("waivers that this change brings do not count for it: they are merged first")
    merged = old if problems else new
    judged = merged if wrong else old
    return Rules(
        grounds=Grounds(policy=judged, merged=merged, now=asked.now),
        waivers=waivers,
        files=(sides.base.policy(), change.after.policy() if differs else sides.base.policy()),
        policy=_policy_review(was, merged) if differs else None,
        mistakes=tuple(mistakes),
        notes=tuple(notes),
    )


def _policy_review(old: Policy, new: Policy) -> PolicyReview:
    return PolicyReview(changes=policy_changes(old, new), touched=(), all_cached=old.cache != new.cache)


def _reached(console: Console, asked: Asked, sides: Sides, rules: Rules, changed: frozenset[str]) -> Reach:
    """What a new policy does to the tenants whose files stay."""
    if rules.policy is None or rules.grounds.policy == rules.grounds.merged:
        return Reach()
    source: Source = asked.working_tree() if sides.head is None else sides.head
    with workers(asked.jobs) as start, console.progress("tenants") as step:
        return reach(source.folders(lambda path: path not in changed), rules.grounds, start, step)


def _new_findings(
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


def _plan(question: Question, sides: Sides, rules: Rules, examined: Iterable[Examined]) -> Plan | None:
    """What a publish of the change would do with its tenants."""
    from publisher.stores import open_store

    some = [one.pair for one in examined]
    tenants = frozenset(one.tenant for one in some)
    if not tenants:
        return None
    before = _order(sides.start, "the base", (one.before for one in some), rules, 0)
    after = _order(sides.head or sides.start, "the change", (one.after for one in some), rules, 1)
    if question.place.url is not None:
        return run(foresee(Log(question.place.open(), question.sealing), after, tenants))
    return run(foresee(Log(open_store("memory://"), Sealing(None, None)), after, tenants, before))


def _order(revision: Revision, label: str, folders: Iterable[Folder | None], rules: Rules, side: int) -> Order:
    file, grounds = rules.files[side], rules.grounds
    held = (one for one in folders if one is not None)
    return Order(
        revision=snapshot(label, revision.root, revision.commit, held, file, revision),
        policy=(grounds.policy, grounds.merged)[side],
        policy_digest=hashlib.sha256(b"" if file is None else file.data).hexdigest(),
        times=Times(served=grounds.now, checked=grounds.now),
        wish=Wish(),
        allowed=frozenset(),
        waivers=rules.waivers,
    )


def _objections(
    asked: Asked, question: Question, sides: Sides, change: Change, folders: frozenset[str]
) -> Iterator[Objection]:
    """What whoever made the change may not do, and commits that nobody vouches for."""
    if question.may:
        old = [one.path for one in change.before.listed() if not isinstance(one, Finding)]
        yield from outside(change.paths, old, folders, change.before.root, question.may)
    if question.signed and sides.head is not None:
        yield from unsigned(asked.repo, sides.base, sides.head.commit.id, asked.now)
