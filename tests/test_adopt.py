"""`adopt`: the same keys are taken over, others are left alone and named."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from program import run as program
from repos import Repo
from s3server import S3Server
from signing import Signer
from test_repair import record
from upkeep import Shop, run, shop

from publisher.adopt import Adoption
from publisher.apply import apply
from publisher.head import HEAD_KEY
from publisher.publication import Outcome
from publisher.state import get_live, live_key
from publisher.store import Headers
from publisher.survey import Wish

LOGIN, AUTH, ID = "login.acme.example", "auth.acme.example", "id.globex.example"
SINCE = datetime(2026, 3, 1, tzinfo=UTC)
PLAIN = Headers(content_type="application/json", cache_control="max-age=60")


@pytest.fixture(params=["memory", "file"])
def made(request: pytest.FixtureRequest, repo: Repo, tmp_path: Path) -> Shop:
    """A store that something else wrote: the same keys, in its own spelling."""
    made = shop(repo, "memory://" if request.param == "memory" else (tmp_path / "store").as_uri())
    other = shop(repo, "memory://")
    other.publish()
    for domain in (LOGIN, AUTH, ID):
        found = other.get(live_key(domain))
        assert found is not None
        keys = json.loads(found.body)["keys"]
        made.write(live_key(domain), json.dumps({"keys": keys[::-1]}, indent=1).encode(), PLAIN)
    return made


def adopt(made: Shop, since: datetime | None = SINCE) -> Outcome:
    adoption = Adoption(since=since)
    return made.publish(kind="adopt", inspect=True, wish=Wish(full=True), waive=adoption.waive, amend=adoption.amend)


def test_the_same_keys_are_taken_over(made: Shop) -> None:
    outcome = adopt(made)
    assert outcome.done is not None
    assert outcome.plan is not None
    assert outcome.plan.blocked == ()
    assert {key.since for key in record(made, "globex").keys} == {SINCE}
    dated = {key.kid: key.since for key in record(made, "acme").keys}
    assert dated["own-ec"] == SINCE
    assert dated["gen-now"] is None  # the canonical domain serves it from now on only
    assert made.audit() == []
    assert made.publish().plan is None


def test_without_a_stated_time_they_count_from_the_adoption(made: Shop) -> None:
    adopt(made, None)
    assert {(key.since, key.first) for key in record(made, "globex").keys} == {(None, 1)}


def test_other_keys_are_left_alone_and_the_difference_is_said(made: Shop, signers: dict[str, Signer]) -> None:
    found = made.get(live_key(LOGIN))
    assert found is not None
    keys = json.loads(found.body)["keys"]
    gone = keys.pop(0)
    body = json.dumps({"keys": [*keys, {**gone, "kid": "other"}]}).encode()
    made.write(live_key(LOGIN), body)
    outcome = adopt(made)
    assert outcome.plan is not None
    assert [one.domain for one in outcome.plan.blocked] == [LOGIN]
    message = outcome.plan.blocked[0].hazards[0].message
    assert "only live: other (" in message
    assert f"only in Git: {gone['kid']} (" in message
    after = made.get(live_key(LOGIN))
    assert after is not None
    assert (after.body, after.headers) == (body, PLAIN)
    assert {key.kid: key.since for key in record(made, "acme").keys}["own-ec"] is None
    assert made.ids() == ["quarantined"]


def test_an_earlier_layout_of_ours(repo: Repo) -> None:
    made = shop(repo, "memory://")
    made.publish()
    for key in made.have("live/"):
        found = made.get(key)
        assert found is not None
        metadata = tuple(pair for pair in found.headers.metadata if pair[0] != "release")
        headers = Headers(content_type="application/json", cache_control="max-age=60", metadata=metadata)
        made.write(key, found.body, headers)
    made.delete(HEAD_KEY, *made.have("releases/"), *made.have("shards/"))
    outcome = adopt(made)
    assert outcome.plan is not None
    assert (outcome.plan.blocked, len(outcome.plan.changes)) == ((), 4)
    assert made.audit() == []


def test_an_object_that_changes_meanwhile_is_not_overwritten(made: Shop) -> None:
    adoption = Adoption(since=None)
    order = made.order(kind="adopt", inspect=True, wish=Wish(full=True), waive=adoption.waive)

    async def job() -> Outcome:
        tip = await made.log().tip()
        plan = await made.publisher(made.log()).plan(tip, order)
        await made.store.overwrite(live_key(ID), b'{"keys":[]}', PLAIN)
        done = await apply(made.log(), plan, None, conditions="held", clock=lambda: made.now)
        live = await get_live(made.store, ID)
        assert live is not None
        assert live.body == b'{"keys":[]}'
        return Outcome(tip=tip, plan=plan, done=done)

    outcome = run(job())
    assert outcome.done is not None
    assert [one.domain for one in outcome.done.head.unfinished] == [ID]


@pytest.mark.chaos
def test_the_command_line(repo: Repo, s3_server: S3Server) -> None:
    bucket = s3_server.make_bucket()
    url, settings, client = f"s3://{bucket}", s3_server.settings, s3_server.client()
    assert program("publish", "--store", url, cwd=repo.path, **settings).code == 0
    body = client.get_object(Bucket=bucket, Key=live_key(ID))["Body"].read()
    for one in client.list_objects_v2(Bucket=bucket)["Contents"]:
        client.delete_object(Bucket=bucket, Key=one["Key"])
    client.put_object(Bucket=bucket, Key=live_key(ID), Body=body)
    client.put_object(Bucket=bucket, Key=live_key(LOGIN), Body=b"{}")
    client.put_object(Bucket=bucket, Key=live_key("who.example"), Body=b"{}")
    dry = program("adopt", "--dry-run", "--store", url, cwd=repo.path, **settings)
    assert dry.code == 1
    assert "who.example: live, and in no tenant's files" in dry.out
    assert "only live: none; only in Git: " in dry.out
    client.delete_object(Bucket=bucket, Key=live_key("who.example"))
    ran = program("adopt", "--store", url, "--first-published", "2026-03-01T00:00:00Z", cwd=repo.path, **settings)
    assert ran.code == 1, ran
    assert client.get_object(Bucket=bucket, Key=live_key(LOGIN))["Body"].read() == b"{}"
    assert client.get_object(Bucket=bucket, Key=live_key(ID))["Metadata"]["release"] == "1"
    client.delete_object(Bucket=bucket, Key=live_key(LOGIN))
    assert program("adopt", "--store", url, "--format", "json", cwd=repo.path, **settings).code == 0
    assert program("audit", "--store", url, cwd=repo.path, **settings).code == 0
    late = program("adopt", "--store", url, "--first-published", "2099-01-01T00:00:00Z", cwd=repo.path, **settings)
    assert late.code == 2
