"""A publish from real Git and from commits in memory, in this process."""

import asyncio
from pathlib import Path

import pytest
from history import History
from publishing import How, contents, publish, results, tip
from repos import Repo
from strategies import Tenant, entry, hour

from publisher.source import Revision
from publisher.state import live_key
from publisher.stores import open_store

ACME = Tenant(custom=[entry(2, "a")])
DOMAIN = ACME.domains[0]


@pytest.fixture(params=["git", "memory"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Repo | Revision:
    if request.param == "memory":
        return History().commit(ACME)
    repo = Repo(tmp_path / "repo")
    repo.write("keysets/policy.yaml", "version: 1\n")
    for name, text in ACME.files().items():
        repo.write(f"keysets/acme/{name}", text)
    repo.commit()
    return repo


def test_a_commit_is_published_once(source: Repo | Revision) -> None:
    async def go() -> None:
        store = open_store("memory://")
        outcome = await publish(store, source, now=hour(0))
        assert results(outcome) == {DOMAIN: "written"}
        assert live_key(DOMAIN) in await contents(store)
        assert (await tip(store)).sequence == 1
        again = await publish(store, source, now=hour(1))
        assert (again.plan, again.done, again.tip.sequence) == (None, None, 1)

    asyncio.run(go())


def test_who_does_not_ask_a_store_forgets_nothing_of_what_it_answered() -> None:
    async def go() -> None:
        store, history, known = open_store("memory://"), History(), []
        for number, asks in enumerate((False, True, False)):
            commit = history.commit(Tenant(custom=[entry(2 + one, f"k{one}") for one in range(number + 1)]))
            await publish(store, commit, now=hour(number), how=How(ask_first=asks))
            head = (await tip(store)).head
            known.append(head and head.conditions)
        assert known == ["not-asked", "held", "held"]

    asyncio.run(go())
