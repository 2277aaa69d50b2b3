"""The probe tells stores that hold conditions from those that do not, and `publish` asks it before its first write."""

import asyncio
from pathlib import Path

import pytest
from oddstores import (
    Fails,
    Hangs,
    KeepsEverything,
    LetsOneCreate,
    LetsOneReplace,
    LooksBeforeItCreates,
    LooksBeforeItReplaces,
    LosesAnswers,
    LosesWrites,
    Odd,
    OverwritesByAnyToken,
    OverwritesOnCreate,
    RefusesTheRightToken,
)
from program import run
from repos import Repo
from s3server import S3Server, use_settings
from signing import Signer, keyset, make_signer

from publisher.probe import PROBE, honours_conditions
from publisher.store import CLOCK, Store, StoreError
from publisher.stores import open_store

pytestmark = pytest.mark.chaos

REFUSAL = (
    "the store ignores conditional writes: two publishers would overwrite each other; "
    "use one that honours If-Match and If-None-Match, or --store-ignores-conditions for benchmarks\n"
)


async def _garbage(store: Store) -> list[str]:
    return [key async for key in store.keys(PROBE)]


@pytest.fixture(params=["file", "memory", "s3", pytest.param("az", marks=pytest.mark.stores)])
def sound(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """A store that holds conditions."""
    match request.param:
        case "s3":
            return open_store(f"s3://{request.getfixturevalue('s3_bucket')}/some/prefix")
        case "az":
            return open_store(f"az://{request.getfixturevalue('container')}/some/prefix")
        case "file":
            return open_store((tmp_path / "store").as_uri())
        case _:
            return open_store("memory://")


def test_a_sound_store_passes_and_is_left_empty(sound: Store) -> None:
    async def go() -> None:
        assert await honours_conditions(sound)
        assert await _garbage(sound) == []

    asyncio.run(go())


def test_probes_do_not_meet(sound: Store) -> None:
    async def go() -> None:
        assert await asyncio.gather(*(honours_conditions(sound) for _ in range(3))) == [True] * 3

    asyncio.run(go())


@pytest.mark.parametrize(
    "kind",
    [
        OverwritesOnCreate,
        OverwritesByAnyToken,
        RefusesTheRightToken,
        LooksBeforeItCreates,
        LooksBeforeItReplaces,
        LetsOneCreate,
        LetsOneReplace,
        LosesWrites,
    ],
)
def test_every_way_not_to_hold_a_condition_is_found(kind: type[Odd]) -> None:
    async def go() -> None:
        store = kind(behind=open_store("memory://"))
        assert not await honours_conditions(store)
        assert await _garbage(store) == []

    asyncio.run(go())


def test_lost_answers_are_not_held_against_a_store() -> None:
    async def go() -> None:
        assert await honours_conditions(LosesAnswers(behind=open_store("memory://")))

    asyncio.run(go())


def test_a_store_that_deletes_nothing_passes() -> None:
    async def go() -> None:
        store = KeepsEverything(behind=open_store("memory://"))
        assert await honours_conditions(store)
        assert len(await _garbage(store)) == 1

    asyncio.run(go())


def test_a_failure_is_raised_and_nothing_is_left() -> None:
    async def go() -> None:
        store = Fails(behind=open_store("memory://"))
        with pytest.raises(StoreError, match="the store is full"):
            await honours_conditions(store)
        assert await _garbage(store) == []

    asyncio.run(go())


def test_an_interrupted_probe_leaves_nothing() -> None:
    async def go() -> None:
        store = Hangs(behind=open_store("memory://"))
        probe = asyncio.create_task(honours_conditions(store))
        await asyncio.wait_for(store.reached.wait(), 10)
        assert len(await _garbage(store)) == 1
        probe.cancel()
        with pytest.raises(asyncio.CancelledError):
            await probe
        assert await _garbage(store) == []

    asyncio.run(go())


def _objects(server: S3Server, bucket: str) -> list[str]:
    """What is in the bucket, but for the object that tells the store's time."""
    found = [entry["Key"] for entry in server.client().list_objects_v2(Bucket=bucket).get("Contents", [])]
    return [key for key in found if not key.endswith(CLOCK)]


def test_publish_refuses_a_store_that_ignores_conditions(
    repo: Repo, careless_server: S3Server, s3_server: S3Server
) -> None:
    bucket, settings = s3_server.make_bucket(), careless_server.settings
    url = f"s3://{bucket}/p"
    assert run("plan", "--store", url, cwd=repo.path, **settings).code == 0
    refused = run("publish", "--store", url, cwd=repo.path, **settings)
    assert (refused.code, refused.err) == (3, f"error: {url}: {REFUSAL}")
    assert _objects(s3_server, bucket) == []
    told = run("publish", "--store", url, "--store-ignores-conditions", cwd=repo.path, **settings)
    assert (told.code, told.err) == (0, "")
    assert len([key for key in _objects(s3_server, bucket) if key.startswith("p/live/")]) == 4


def test_publish_asks_a_store_with_objects_of_others(repo: Repo, careless_server: S3Server) -> None:
    bucket = careless_server.make_bucket()
    key = "live/id.globex.example/.well-known/jwks.json"
    careless_server.client().put_object(Bucket=bucket, Key=key, Body=b'{"keys":[]}')
    refused = run("publish", "--store", f"s3://{bucket}", cwd=repo.path, **careless_server.settings)
    assert (refused.code, refused.err) == (3, f"error: s3://{bucket}: {REFUSAL}")
    assert _objects(careless_server, bucket) == [key]


def test_publish_asks_once(
    repo: Repo, signers: dict[str, Signer], careless_server: S3Server, s3_server: S3Server
) -> None:
    """HEAD says that conditions held: there is no second probe, and the careless server passes."""
    bucket = s3_server.make_bucket()
    url = f"s3://{bucket}"
    first = run("publish", "--store", url, cwd=repo.path, **s3_server.settings)
    assert first.code == 0, first
    assert not [key for key in _objects(s3_server, bucket) if key.startswith(PROBE)]
    more = signers["globex"].entry() + make_signer("added").entry()
    repo.write("keysets/eu/globex/keyset.yaml", keyset("globex", ["id.globex.example"], more))
    repo.commit("Add a key")
    second = run("publish", "--store", url, cwd=repo.path, **careless_server.settings)
    assert (second.code, "1 changed" in second.out) == (0, True), second


def test_a_store_that_was_not_asked_is_asked_later(repo: Repo, careless_server: S3Server) -> None:
    url = f"s3://{careless_server.make_bucket()}"
    unasked = run("publish", "--store", url, "--store-ignores-conditions", cwd=repo.path, **careless_server.settings)
    assert unasked.code == 0
    assert run("publish", "--store", url, cwd=repo.path, **careless_server.settings).code == 0, "nothing is written"
    repo.write("keysets/initech/keyset.yaml", keyset("initech", ["id.initech.example"], make_signer("i").entry()))
    repo.commit("Add a tenant")
    refused = run("publish", "--store", url, cwd=repo.path, **careless_server.settings)
    assert (refused.code, refused.err) == (3, f"error: {url}: {REFUSAL}")


def test_a_release_without_documents_is_written_to_a_sound_store_alone(
    tmp_path: Path, careless_server: S3Server, s3_server: S3Server
) -> None:
    made = Repo(tmp_path / "empty")
    made.write("keysets/policy.yaml", "version: 1\n")
    made.commit("Begin")
    for server, code in ((careless_server, 3), (s3_server, 0)):
        bucket = server.make_bucket()
        ran = run("publish", "--store", f"s3://{bucket}", cwd=made.path, **server.settings)
        assert ran.code == code, ran
        assert len(_objects(server, bucket)) == (0 if code else 2)


@pytest.mark.stores
def test_rclone_ignores_conditions_and_is_refused(
    repo: Repo, rclone: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bucket = rclone.make_bucket()
    url = f"s3://{bucket}"
    use_settings(monkeypatch, rclone.settings)
    assert not asyncio.run(honours_conditions(open_store(url)))
    refused = run("publish", "--store", url, cwd=repo.path, **rclone.settings)
    assert (refused.code, refused.err) == (3, f"error: {url}: {REFUSAL}")
    # Not as rclone lists it: its cache of folders may name what is gone.
    assert [path.name for path in (tmp_path / "rclone").rglob("*") if path.is_file()] in ([], ["clock"])
    told = run("publish", "--store", url, "--store-ignores-conditions", cwd=repo.path, **rclone.settings)
    assert (told.code, told.err) == (0, "")
    assert run("verify", "--store", url, cwd=repo.path, **rclone.settings).code == 0
