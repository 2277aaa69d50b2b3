"""A repository whose change is reviewed, in this process and as of a given instant."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from against.world import NOW, World
from publishing import publish
from repos import Repo

from publisher.cli.comparing import Question, compared
from publisher.cli.console import Console
from publisher.cli.options import Asked, Place
from publisher.cli.sealing import Sealing
from publisher.git import open_revision
from publisher.review import Danger, Review, TenantReview
from publisher.stores import open_store

NOWHERE = Place(url=None, endpoint_url=None)


class Story(World):
    """A base on the branch `main`, and a change to it on `change`."""

    def __init__(self, path: Path, tree: dict[str, str | None] | None = None) -> None:
        super().__init__(path, tree)
        self.store = f"file://{path.parent}/store"

    def branch(self, tree: Mapping[str, str | None], name: str = "change", start: str = "main") -> str:
        """Commit a change on a branch; its commit."""
        self.repo.git("switch", "--quiet", "--create", name, start)
        return self.commit(tree)

    def on(self, branch: str, tree: Mapping[str, str | None]) -> str:
        """Commit on a branch that is there."""
        self.repo.git("switch", "--quiet", branch)
        return self.commit(tree)

    def review(
        self,
        head: str | None = "change",
        base: str = "main",
        *,
        now: datetime = NOW,
        store: bool = False,
        may: tuple[str, ...] = (),
        signed: bool = False,
    ) -> Review:
        """What is said of a change; `head` is None for the working tree."""
        return reviewed(self.repo, head, base, now, self.store if store else None, may, signed=signed)

    def publish(self, rev: str = "main", now: datetime = NOW) -> None:
        """Publish a revision to the story's store, where nothing may be blocked."""
        outcome = asyncio.run(publish(open_store(self.store), open_revision(self.repo.path, "keysets", rev), now=now))
        assert outcome.plan is not None
        assert outcome.plan.blocked == ()


def reviewed(
    repo: Repo,
    head: str | None,
    base: str = "main",
    now: datetime = NOW,
    store: str | None = None,
    may: tuple[str, ...] = (),
    *,
    signed: bool = False,
) -> Review:
    """A review of a repository."""
    asked = Asked(repo=repo.path, keysets="keysets", rev=None, now=now, clock=now, jobs=1)
    place = NOWHERE if store is None else Place(url=store, endpoint_url=None)
    question = Question(base=base, head=head, place=place, sealing=Sealing(None, None), may=may, signed=signed)
    return compared(Console(quiet=True), asked, question)


def tenant(review: Review, name: str = "acme") -> TenantReview:
    """The only review of a tenant."""
    (found,) = (one for one in review.tenants if one.tenant == name)
    return found


def dangers(review: Review) -> list[tuple[str, str | None, str | None]]:
    """The hazards that stop a publish: rule, domain, kid."""
    return [(one.rule, one.domain, one.kid) for one in review.all_dangers if not one.waived]


def lines(found: tuple[Danger, ...]) -> str:
    """waivers.yaml with all that is proposed."""
    return "version: 1\nwaivers:\n" + "\n".join(dict.fromkeys(one.waiver for one in found if one.waiver)) + "\n"


def rules(review: Review) -> list[str]:
    """The rules of all mistakes."""
    return [one.rule for one in review.all_mistakes]
