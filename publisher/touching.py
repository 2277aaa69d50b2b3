"""The tenants whose files stay as they are, and that a new policy touches: all of them compiled by both policies."""

import functools
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass

from publisher.diagnostic import Finding
from publisher.examining import Grounds, touched
from publisher.report import counted
from publisher.review import Touched
from publisher.source import Folder
from publisher.spread import Task, spread

LIMIT = 1_000
"""Tenants whose documents change by the policy alone, that are reviewed in full; of more the number is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """`folders` are those of tenants whose documents change, as many as are reviewed in full."""

    touched: tuple[Touched, ...] = ()
    folders: tuple[Folder, ...] = ()
    notes: tuple[str, ...] = ()


def reach(
    folders: Iterable[Folder | Finding],
    grounds: Grounds,
    start: Callable[[], Executor | None],
    step: Callable[[], None] = lambda: None,
) -> Reach:
    """Compile all of these. `start` gives workers once there is work for them; `step` is called for each tenant."""
    found: list[Touched] = []
    whole: list[Folder] = []
    more = 0
    tenants = (one for one in folders if isinstance(one, Folder))
    for folder, one in spread(tenants, lambda chunk: _task(chunk, grounds), start):
        step()
        if one is None:
            continue
        found.append(one)
        if one.documents and len(whole) < LIMIT:
            whole.append(folder)
        more += one.documents
    left = more - len(whole)
    note = f"the new policy changes the documents of {counted(left, 'more tenant')}, whose hazards are not foreseen"
    return Reach(touched=tuple(found), folders=tuple(whole), notes=(note,) if left else ())


def _task(chunk: list[Folder], grounds: Grounds) -> Task[tuple[Folder, Touched | None]]:
    return functools.partial(_chunk, chunk, grounds)


def _chunk(chunk: list[Folder], grounds: Grounds) -> list[tuple[Folder, Touched | None]]:
    return [(folder, touched(folder, grounds)) for folder in chunk]
