"""What `review` and `diff` share: read both sides, ask the index, foresee a publish, put the review together."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from publisher.against import compared as base_of
from publisher.blame import conflicting, merged, new_findings
from publisher.changed import Change, open_change
from publisher.checking import Times
from publisher.cli.changed import Indexed, indexed
from publisher.cli.console import Console
from publisher.cli.options import Asked, Place, run, workers
from publisher.cli.sealing import Sealing
from publisher.commits import find_commit, merge_base
from publisher.commitsigning import unsigned
from publisher.confinement import outside
from publisher.diagnostic import Diagnostic, Finding
from publisher.draft import Order
from publisher.examining import Examined, Grounds, Pair, blamed, claims, examine, holdings, pairs
from publisher.foresight import Foreseen, foresee
from publisher.git import open_revision
from publisher.gitprogram import Git
from publisher.judgement import Judgement, Sides, judgement, meanwhile
from publisher.merging import merged as merged_commit
from publisher.objection import Objection
from publisher.releaselog import Log
from publisher.report import named
from publisher.review import Review, Side
from publisher.reviewing import Matter, review
from publisher.snapshot import snapshot
from publisher.source import Folder, Revision, Source
from publisher.survey import Wish
from publisher.touching import Reach, reach
from publisher.trespass import trespasses


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
class _Found:
    examined: tuple[Examined, ...]
    grounds: Grounds
    objections: tuple[Objection, ...]
    notes: tuple[str, ...]


def compared(console: Console, asked: Asked, question: Question) -> Review:
    """The review. SourceError, StoreError and Damaged."""
    sides = _sides(asked, question)
    change = open_change(asked.repo, asked.keysets, sides.start, sides.head)
    before, after = list(change.before.folders()), list(change.after.folders())
    folders = frozenset(one.path for one in (*before, *after) if isinstance(one, Folder))
    judged = judgement(sides, change, asked.now)
    reached = _reached(console, asked, sides, judged, folders)
    both = pairs(*([one for one in (*side, *reached.folders) if isinstance(one, Folder)] for side in (before, after)))
    mistakes, theirs = new_findings(before, after)
    found = _examined(console, asked, question, sides, change, judged, both, theirs)
    foreseen = _foreseen(question, sides, judged, found.examined)
    published = foreseen is not None and foreseen.copies is not None
    return review(
        Matter(
            base=Side(label=question.base.removeprefix("refs/remotes/"), commit=sides.start.commit.id),
            head=Side(
                label=change.after.label if question.head is None else question.head,
                commit=None if sides.change is None else sides.change.id,
            ),
            store=question.place.url if published else None,  # which nobody has judged before it was opened
            paths=change.paths,
            root=change.before.root,
            grounds=found.grounds,
            examined=found.examined,
            foreseen=foreseen,
            policy=None if judged.policy is None else replace(judged.policy, touched=reached.touched),
            waived=judged.waived,
            mistakes=(*judged.mistakes, *mistakes),
            warnings=judged.warnings,
            objections=found.objections,
            notes=(
                *judged.notes,
                *meanwhile(asked.repo, sides, folders),
                *reached.notes,
                *(() if published or foreseen is None else _by_the_base(question, found.examined)),
                *found.notes,
            ),
            folders=folders,
        )
    )


def _examined(
    console: Console,
    asked: Asked,
    question: Question,
    sides: Sides,
    change: Change,
    judged: Judgement,
    both: Iterable[Pair],
    mistakes: Mapping[str, Iterable[Diagnostic]],
) -> _Found:
    """Each tenant by itself, then what they claim from all others. `mistakes` are those of files, by folder."""
    with indexed(console, asked, question.cache) as index:
        against = base_of(asked.repo, change, lambda _, keys: index.revocations.struck(sides.base, keys))
        grounds = replace(judged.grounds, struck=against.struck)
        examined = tuple(examine(one, grounds) for one in both)
        conflicts = index.owners.conflicts(sides.base, against, claims(examined))
        objections = tuple(_objections(asked, question, sides, change, index))
    trespass = trespasses(*holdings(examined, grounds), frozenset(change.paths), change.before.root)
    return _Found(
        examined=blamed(examined, merged(mistakes, conflicting(examined, conflicts))),
        grounds=grounds,
        objections=(*trespass.objections, *objections),
        notes=(*trespass.notes, *(_SHALLOW if against.shallow else ())),
    )


_NEVER = "nothing was ever published to the store: hazards are foreseen as if the base were; see that --store is right"
_SHALLOW = ("the clone is shallow: whether new keys were revoked before its first commit is not known",)


def _by_the_base(question: Question, examined: Iterable[Examined]) -> Iterator[str]:
    """What is to be known where the base counts as published: of a store, and of tenants that it would not publish."""
    if question.place.url is not None:
        yield _NEVER
    broken = [one.pair.before.path for one in examined if one.pair.before and one.before and not one.before.compiled]
    if broken:
        yield (
            f"mistakes of the base in {named(broken)}: what is served there is not known, so hazards are not foreseen; "
            "see with --store"
        )


def _sides(asked: Asked, question: Question) -> Sides:
    # The first change brings the key sets' folder, and one may take it away.
    opened = partial(open_revision, asked.repo, asked.keysets, absent=True)
    base = opened(question.base)
    head = None if question.head is None else opened(question.head)
    if head is not None and head.tree == base.tree:
        open_revision(asked.repo, asked.keysets, question.base)  # neither has it: a mistyped name
    git = Git(directory=asked.repo)
    change = None if head is None else head.commit
    start = merge_base(git, base.commit.id, (find_commit(git, "HEAD") if change is None else change).id)
    if start == base.commit.id:
        return Sides(base=base, start=base, head=head, change=change)
    both = None if change is None else merged_commit(git, base.commit, change)
    if both is not None:
        merge = opened(both)
        return Sides(base=base, start=base, head=merge, change=change)
    return Sides(base=base, start=opened(start), head=head, change=change)


def _reached(console: Console, asked: Asked, sides: Sides, judged: Judgement, changed: frozenset[str]) -> Reach:
    """What a new policy does to the tenants whose files stay."""
    if judged.policy is None or judged.grounds.policy == judged.grounds.merged:
        return Reach()
    source: Source = asked.working_tree() if sides.head is None else sides.head
    with workers(asked.jobs) as start, console.progress("tenants") as step:
        return reach(source.folders(lambda path: path not in changed), judged.grounds, start, step)


def _foreseen(question: Question, sides: Sides, judged: Judgement, examined: Iterable[Examined]) -> Foreseen | None:
    """What a publish of the change would do with its tenants."""
    from publisher.stores import open_store

    some = [one.pair for one in examined]
    tenants = frozenset(one.tenant for one in some)
    if not tenants:
        return None
    before = _order(sides.start, "the base", (one.before for one in some), judged, 0)
    after = _order(sides.head or sides.start, "the change", (one.after for one in some), judged, 1)
    if question.place.url is not None:
        log = Log(question.place.open(), question.sealing)

        async def over_store() -> Foreseen | None:
            # Where nothing was published no hazard is seen: a mistyped store must not pass for a safe change.
            return None if (await log.tip()).base is None else await foresee(log, after, tenants)

        if (found := run(over_store())) is not None:
            return found
    return run(foresee(Log(open_store("memory://"), Sealing(None, None)), after, tenants, before))


def _order(revision: Revision, label: str, folders: Iterable[Folder | None], judged: Judgement, side: int) -> Order:
    file, grounds = judged.files[side], judged.grounds
    held = (one for one in folders if one is not None)
    return Order(
        revision=snapshot(label, revision.root, revision.commit, held, file, revision),
        policy=(grounds.policy, grounds.merged)[side],
        policy_digest=hashlib.sha256(b"" if file is None else file.data).hexdigest(),
        times=Times(served=grounds.now, checked=grounds.now),
        wish=Wish(),
        allowed=frozenset(),
        waivers=judged.waivers,
    )


def _objections(asked: Asked, question: Question, sides: Sides, change: Change, index: Indexed) -> Iterator[Objection]:
    """What whoever made the change may not do, and commits that nobody vouches for."""
    if question.may:
        old, new = (
            {one.path for one in listed if not isinstance(one, Finding)}
            for listed in (change.before.listed(), change.after.folders())
        )
        # A bare name stands for the folder that the base has, also where that does not differ.
        old |= index.owners.named(sides.base, (name for name in question.may if "/" not in name))
        yield from outside(change.paths, old, new, change.before.root, question.may)
    if question.signed and sides.change is not None:
        yield from unsigned(asked.repo, sides.base, sides.change.id, asked.now)
