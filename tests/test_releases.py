"""The log of releases as people read it: all of it, one release, and which document a domain served when."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from repos import Repo
from s3server import S3Server
from signing import Signer, keyset
from worlds import ANNOUNCED, POLICY, REVOKED, World, cli, entries, run

from publisher.chronicle import Entry, Gone, Reader, reader
from publisher.history import Life, Period, keys_of, life, served_at
from publisher.record import write_instant
from publisher.release import encode_release, release_key
from publisher.shard import Damaged, shard_key, slot
from publisher.state import document_key
from publisher.store import Headers
from publisher.stores import open_store

pytestmark = pytest.mark.chaos

ACME, GLOBEX = "id.acme.example", "id.globex.example"
PLAIN = Headers(content_type="application/json", cache_control="no-store")


@pytest.fixture(params=["memory", "file"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    url = "memory://" if request.param == "memory" else (tmp_path / "store").as_uri()
    repo = Repo(tmp_path / "repo")
    repo.write("keysets/policy.yaml", POLICY)
    return World(repo=repo, store=open_store(url))


def three_releases(world: World, signers: dict[str, Signer]) -> None:
    """1: acme has own-ec. 2: globex comes. 3: acme has own-ed too."""
    world.write("acme", *entries(signers, "own-ec"))
    world.publish()
    world.write("globex", *entries(signers, "globex", more=ANNOUNCED))
    world.publish()
    world.write("acme", *entries(signers, "own-ec", "own-ed"))
    world.publish()


def abandoned(world: World, signers: dict[str, Signer]) -> None:
    """A release whose publisher died before HEAD moved: acme gets own-rsa."""
    world.write("acme", *entries(signers, "own-ec", "own-ed"), *entries(signers, "own-rsa", more=ANNOUNCED))
    world.abandon()


def log_of(world: World) -> list[Entry | Gone]:
    async def read() -> list[Entry | Gone]:
        return [one async for one in (await reader(world.log)).entries()]

    return run(read())


def reading(world: World) -> Reader:
    return run(reader(world.log))


def life_of(world: World, domain: str) -> Life:
    return run(life(reading(world), domain))


def completions(world: World) -> dict[int, datetime]:
    return {
        one.release.sequence: one.completed_at
        for one in log_of(world)
        if isinstance(one, Entry) and one.completed_at is not None
    }


def sums(life: Life) -> list[tuple[int, int, bool]]:
    """Release, number of keys (-1 for a withdrawal), certain."""
    return [(one.release, -1 if one.digest is None else one.keys, one.certain) for one in life.periods]


# The log.


def test_the_log_is_read_backwards(world: World, signers: dict[str, Signer]) -> None:
    assert log_of(world) == []
    three_releases(world, signers)
    found = [one for one in log_of(world) if isinstance(one, Entry)]
    assert [(one.release.sequence, one.status) for one in found] == [(3, "complete"), (2, "complete"), (1, "complete")]
    assert [(one.release.counts.new, one.release.counts.changed) for one in found] == [(0, 1), (1, 0), (1, 0)]
    times = completions(world)
    assert times[1] < times[2] < times[3]
    assert [run(reading(world).link(one.release)) for one in found] == ["verified", "verified", "first"]


def test_releases_that_were_not_finished_are_marked(world: World, signers: dict[str, Signer]) -> None:
    three_releases(world, signers)
    abandoned(world, signers)
    found = [one for one in log_of(world) if isinstance(one, Entry)]
    assert [(one.release.sequence, one.status) for one in found][:2] == [(4, "unfinished"), (3, "complete")]
    world.publish(commit=False)
    found = [one for one in log_of(world) if isinstance(one, Entry)]
    assert [one.status for one in found] == ["complete", "replaced", "complete", "complete", "complete"]


def test_collected_releases_are_said_to_be_so(world: World, signers: dict[str, Signer]) -> None:
    three_releases(world, signers)
    for sequence in (1, 2):
        run(world.store.delete(release_key(sequence)))
    third, gone = log_of(world)
    assert isinstance(third, Entry)
    assert gone == Gone(first=1, last=2)
    assert run(reading(world).link(third.release)) == "collected"
    assert run(reading(world).entry(1)) is None


def test_a_release_that_was_replaced_breaks_the_chain(world: World, signers: dict[str, Signer]) -> None:
    three_releases(world, signers)
    second = run(world.log.release(2))
    kept = run(world.store.get(release_key(2)))
    assert second is not None
    assert kept is not None
    forged = encode_release(replace(second[0], reason="forged"))
    run(world.store.put(release_key(2), forged, PLAIN, replaces=kept.token))
    third = run(reading(world).entry(3))
    assert third is not None
    assert run(reading(world).link(third.release)) == "broken"


def test_what_a_release_wrote(world: World, signers: dict[str, Signer]) -> None:
    three_releases(world, signers)
    world.repo.git("rm", "-r", "--quiet", "keysets/globex")
    world.publish(allow=["empty-set"])

    async def written(number: int) -> list[tuple[str, str, bool]]:
        found = await reader(world.log)
        release = await found.release(number)
        assert release is not None
        return [(one.domain, one.tenant, one.digest is not None) async for one in found.written(release)]

    assert run(written(1)) == [(ACME, "acme", True)]
    assert run(written(2)) == [(GLOBEX, "globex", True)]
    assert run(written(3)) == [(ACME, "acme", True)]
    assert run(written(4)) == [(GLOBEX, "globex", False)]


# A domain's history.


def test_periods_follow_each_other(world: World, signers: dict[str, Signer]) -> None:
    three_releases(world, signers)
    times = completions(world)
    found = life_of(world, ACME)
    assert found.from_release is None
    assert sums(found) == [(3, 2, True), (1, 1, True)]
    assert [(one.since, one.until) for one in found.periods] == [(times[3], None), (times[1], times[3])]
    assert sums(life_of(world, GLOBEX)) == [(2, 1, True)]
    assert life_of(world, "never.example") == Life(periods=(), from_release=None)


def test_a_domain_that_was_withdrawn_and_came_back(world: World, signers: dict[str, Signer]) -> None:
    three_releases(world, signers)
    world.repo.git("rm", "-r", "--quiet", "keysets/globex")
    world.publish(allow=["empty-set"])
    world.write("acme", *entries(signers, "own-ec"), *entries(signers, "own-ed", more=REVOKED))
    world.publish()
    assert sums(life_of(world, GLOBEX)) == [(4, -1, True), (2, 1, True)]
    world.write("globex", *entries(signers, "globex", more=ANNOUNCED))
    world.publish()
    times = completions(world)
    found = life_of(world, GLOBEX)
    assert sums(found) == [(6, 1, True), (4, -1, True), (2, 1, True)]
    assert [one.until for one in found.periods] == [None, times[6], times[4]]


def test_a_domain_that_passed_from_one_tenant_to_another(world: World, signers: dict[str, Signer]) -> None:
    name = "shared.example"
    world.write("acme", *entries(signers, "own-ec", more=ANNOUNCED), domains=[ACME, name])
    world.publish()
    world.write("acme", *entries(signers, "own-ec", more=ANNOUNCED))
    world.publish(allow=["empty-set"])
    world.write("globex", *entries(signers, "globex"), domains=[GLOBEX, name])
    world.publish(allow=["domain-changes-tenant"])
    assert world.kids(name) == ["globex-key"]
    found = life_of(world, name)
    assert [(one.tenant, one.digest is not None) for one in found.periods] == [
        ("globex", True),
        ("acme", False),
        ("acme", True),
    ]


def test_what_an_unfinished_release_may_have_written_is_told(world: World, signers: dict[str, Signer]) -> None:
    three_releases(world, signers)
    abandoned(world, signers)
    assert sums(life_of(world, ACME)) == [(4, 3, False), (3, 2, True), (1, 1, True)]
    world.write("acme", *entries(signers, "own-ec", "own-ed"))
    world.publish()
    found = life_of(world, ACME)
    assert sums(found) == [(5, 2, True), (4, 3, False), (3, 2, True), (1, 1, True)]
    assert found.periods[1].until == found.periods[0].since == found.periods[2].until


def test_what_was_collected_is_not_guessed(world: World, signers: dict[str, Signer]) -> None:
    three_releases(world, signers)
    run(world.store.delete(release_key(1)))
    found = life_of(world, ACME)
    assert sums(found) == [(3, 2, True), (1, 1, True)]
    assert (found.periods[1].since, found.periods[1].commit, found.from_release) == (None, None, 1)
    run(world.store.delete(release_key(2)))
    found = life_of(world, ACME)
    assert (sums(found), found.from_release) == ([(3, 2, True)], 3)
    moment = found.periods[0].since
    assert moment is not None
    assert run(served_at(reading(world), ACME, moment))[1]
    assert run(served_at(reading(world), ACME, moment - timedelta(seconds=60))) == ((), False)


def test_shards_that_were_collected(world: World, signers: dict[str, Signer]) -> None:
    three_releases(world, signers)
    second = run(world.log.release(2))
    assert second is not None
    run(world.store.delete(shard_key(second[0].shards[slot("acme")].digest)))
    found = life_of(world, ACME)
    assert (sums(found), found.from_release) == ([(3, 2, True)], 3)


def test_only_what_changed_is_read(world: World, signers: dict[str, Signer], monkeypatch: pytest.MonkeyPatch) -> None:
    three_releases(world, signers)
    for more in ("a", "b", "c", "d", "e", "f", "g", "h"):
        world.write("globex", *entries(signers, "globex", more=ANNOUNCED), domains=[GLOBEX, f"{more}.globex.example"])
        world.publish(allow=["empty-set"])
    found = reading(world)
    read: list[str] = []
    before = type(world.store).get

    async def counted(self: Any, key: str) -> Any:
        read.append(key)
        return await before(self, key)

    monkeypatch.setattr(type(world.store), "get", counted)
    assert sums(run(life(found, ACME))) == [(3, 2, True), (1, 1, True)]
    assert len(read) <= 10


@pytest.mark.parametrize("domain", [ACME, GLOBEX])
def test_an_instant_is_found_by_search(world: World, signers: dict[str, Signer], domain: str) -> None:
    three_releases(world, signers)
    world.repo.git("rm", "-r", "--quiet", "keysets/globex")
    world.publish(allow=["empty-set"])
    periods = [one for one in life_of(world, domain).periods if one.digest is not None]
    tick = timedelta(milliseconds=1)
    for one in periods:
        assert one.since is not None
        ends = [one.since] + ([] if one.until is None else [one.until - tick])
        for moment in ends:
            certain = [some for some in _at(world, domain, moment) if some.certain]
            assert [(some.digest, some.since) for some in certain] == [(one.digest, one.since)]
    first = periods[-1].since
    assert first is not None
    assert [one for one in _at(world, domain, first - tick) if one.certain] == []
    # In the course of the publish it may have been there already.
    assert [one.digest for one in _at(world, domain, first - tick)] == [periods[-1].digest]
    assert _at(world, domain, first - timedelta(seconds=50)) == ()


def _at(world: World, domain: str, moment: datetime) -> tuple[Period, ...]:
    found, known = run(served_at(reading(world), domain, moment))
    assert known
    return found


def test_the_keys_of_a_document_are_those_of_its_digest(world: World, signers: dict[str, Signer]) -> None:
    three_releases(world, signers)
    name = life_of(world, ACME).periods[0].digest
    assert name is not None
    keys = run(keys_of(reading(world), name))
    assert keys is not None
    assert {(one.kid, one.alg) for one in keys} == {("own-ec", "ES256"), ("own-ed", "EdDSA")}
    record = run(world.log.shards(run(world.log.tip()).base, [slot("acme")]))[slot("acme")].record("acme")
    assert record is not None
    assert {one.thumbprint for one in keys} == {one.thumbprint for one in record.keys}
    kept = run(world.store.get(document_key(name)))
    assert kept is not None
    run(world.store.put(document_key(name), b'{"keys":[]}', PLAIN, replaces=kept.token))
    with pytest.raises(Damaged, match=document_key(name)):
        run(keys_of(reading(world), name))
    run(world.store.delete(document_key(name)))
    assert run(keys_of(reading(world), name)) is None


# From the command line.


@pytest.fixture
def filed(tmp_path: Path, signers: dict[str, Signer]) -> World:
    repo = Repo(tmp_path / "repo")
    repo.write("keysets/policy.yaml", POLICY)
    made = World(repo=repo, store=open_store((tmp_path / "store").as_uri()))
    three_releases(made, signers)
    return made


def test_the_commands(filed: World, signers: dict[str, Signer]) -> None:
    store = ("--store", filed.store.url)
    filed.repo.git("commit", "--quiet", "--allow-empty", "--message", "An \x1b[31mescape")
    filed.write("globex", *entries(signers, "globex", more=ANNOUNCED), domains=[GLOBEX, "new.example"])
    filed.repo.git("add", "--all")
    filed.repo.git("commit", "--quiet", "--message", "Add \x1b[31mred")
    cli(filed.repo, "publish", *store)
    cli(filed.repo, "rollback", "3", "--tenant", "acme", "--reason", "just so", *store)
    listed = cli(filed.repo, "releases", "--limit", "3", *store)
    head = filed.repo.git("rev-parse", "HEAD")
    lines = listed.splitlines()
    assert lines[0].startswith("release 5 (rollback) of 20")
    assert ": 0 new, 0 changed, 0 withdrawn, 0 blocked" in lines[0]
    assert lines[1] == f"    commit {head[:12]} by Ann <ann@acme.example>: Add \\x1b[31mred"
    assert lines[2] == "    reason: just so"
    assert lines[3].startswith("    1 tenant (acme) held at release 3 until `publish --lift-hold`: just so")
    assert lines[4].startswith("release 4 of 20")
    assert "complete at 20" in lines[4]
    assert ": 1 new, 0 changed" in lines[4]
    assert sum(line.startswith("release") for line in lines) == 3
    value = json.loads(cli(filed.repo, "releases", "--format", "json", *store))
    assert [one["release"] for one in value] == [5, 4, 3, 2, 1]
    assert value[0]["holds"][0]["names"] == ["acme"]
    assert value[0]["commit"]["subject"] == "Add \x1b[31mred"


def test_one_release_from_the_command_line(filed: World, signers: dict[str, Signer]) -> None:
    store = ("--store", filed.store.url)
    shown = cli(filed.repo, "releases", "show", "3", *store)
    assert "its predecessor 2, which is as it was" in shown
    assert f"~ {ACME} (tenant acme): " in shown
    value = json.loads(cli(filed.repo, "releases", *store, "show", "3", "--format", "json"))
    assert value["previous"]["link"] == "verified"
    assert [(one["domain"], one["tenant"], one["keys"]) for one in value["documents"]] == [(ACME, "acme", 2)]
    assert "there is no release 9" in cli(filed.repo, "releases", "show", "9", *store, code=2)
    abandoned(filed, signers)
    assert "UNFINISHED" in cli(filed.repo, "releases", *store)
    second = run(filed.store.get(release_key(2)))
    assert second is not None
    run(filed.store.put(release_key(2), second.body + b"\n", PLAIN, replaces=second.token))
    assert "NOT what it was then" in cli(filed.repo, "releases", "show", "3", *store, code=1)
    run(filed.store.delete(release_key(2)))
    assert "release 2 is kept no more" in cli(filed.repo, "releases", *store)
    assert "release 2 is kept no more" in cli(filed.repo, "releases", "show", "2", *store, code=2)
    empty = (filed.repo.path.parent / "empty").as_uri()
    assert "Nothing was ever published" in cli(filed.repo, "releases", "--store", empty)


def test_history_from_the_command_line(filed: World) -> None:
    store = ("--store", filed.store.url)
    latest, first = life_of(filed, ACME).periods
    lines = cli(filed.repo, "history", ACME, *store).splitlines()
    assert len(lines) == 2
    assert f"{latest.digest}, 2 keys; release 3, commit " in lines[0]
    assert ".. now  " in lines[0]
    assert f"{first.digest}, 1 key; release 1" in lines[1]
    value = json.loads(cli(filed.repo, "history", ACME.upper(), "--format", "json", *store))
    assert [one["sha256"] for one in value["periods"]] == [latest.digest, first.digest]
    assert "never had a document" in cli(filed.repo, "history", "never.example", *store, code=1)
    moment = write_instant(first.since)
    assert moment is not None
    at = moment.split(".")[0].rstrip("Z") + "Z"
    later = str(write_instant(datetime.fromisoformat(at) + timedelta(seconds=1)))
    shown = cli(filed.repo, "history", ACME, "--at", later, *store)
    assert "    own-ec  ES256  " in shown
    assert ".. now" not in shown
    assert "own-ed" not in shown
    value = json.loads(cli(filed.repo, "history", ACME, "--at", later, "--format", "json", *store))
    assert value["documents"][0]["document"][0]["kid"] == "own-ec"
    assert "served no document" in cli(filed.repo, "history", ACME, "--at", "2020-01-01T00:00:00Z", *store)


def test_only_trusted_signers_count(tmp_path: Path, signers: dict[str, Signer]) -> None:
    repo = Repo(tmp_path / "repo")
    repo.write("keysets/policy.yaml", POLICY)
    files = {}
    for name in ("ours", "theirs"):
        private = ed25519.Ed25519PrivateKey.generate()
        files[name] = tmp_path / f"{name}.pem"
        files[name].write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (tmp_path / f"{name}.pub").write_bytes(public)
    store = ("--store", (tmp_path / "store").as_uri())
    for more in ("", signers["own-ed"].entry(ANNOUNCED)):
        repo.write("keysets/acme/keyset.yaml", keyset("acme", [ACME], signers["own-ec"].entry() + more))
        repo.commit()
        cli(repo, "publish", "--signing-key", str(files["ours"]), *store)
    back = ("rollback", "1", "--reason", "x", *store)
    assert "give --signing-key" in cli(repo, *back, code=3)
    cli(repo, *back, "--signing-key", str(files["ours"]), "--trusted-keys", str(tmp_path / "ours.pub"))
    ours, theirs = (("--trusted-keys", str(tmp_path / f"{name}.pub")) for name in ("ours", "theirs"))
    assert cli(repo, "releases", *store, *ours).count("    signed by ") == 3
    assert "signed by" in cli(repo, "releases", "show", "1", *store, *ours)
    assert "signed by" in cli(repo, "releases", *ours, *store, "show", "1")
    assert "own-ec" not in cli(repo, "history", ACME, *store, *ours)
    for arguments in (("releases",), ("releases", "show", "1"), ("history", ACME)):
        assert "no trusted key" in cli(repo, *arguments, *store, *theirs, code=3)
    assert "no trusted key" in cli(repo, "releases", *theirs, *store, "show", "1", code=3)


def test_over_s3(s3_server: S3Server, tmp_path: Path, signers: dict[str, Signer]) -> None:
    repo = Repo(tmp_path / "repo")
    repo.write("keysets/policy.yaml", POLICY)
    store = ("--store", f"s3://{s3_server.make_bucket()}/jwks")
    settings = s3_server.settings
    for more in ("", signers["own-ed"].entry(ANNOUNCED)):
        repo.write("keysets/acme/keyset.yaml", keyset("acme", [ACME], signers["own-ec"].entry() + more))
        repo.commit()
        cli(repo, "publish", *store, settings=settings)
    assert "release 2 of " in cli(repo, "releases", *store, settings=settings)
    assert f"~ {ACME} (tenant acme)" in cli(repo, "releases", "show", "2", *store, settings=settings)
    assert len(cli(repo, "history", ACME, *store, settings=settings).splitlines()) == 2
