"""`repair`: each thing that can be lost, and after it a publish with nothing to do and an audit without findings."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from keymaker import ec_key, public_pem
from program import run as program
from repos import Repo
from s3server import S3Server
from signing import Signer, keyset, make_signer
from upkeep import Shop, names, run, shop

from publisher.head import HEAD_KEY
from publisher.publication import Outcome
from publisher.record import TenantRecord
from publisher.release import release_key
from publisher.releaselog import Open
from publisher.repair import Mending, is_wrong, lost_documents, mend_documents
from publisher.shard import domain_claim, key_claim, slot
from publisher.state import document_key, live_key
from publisher.store import Headers
from publisher.survey import Wish

pytestmark = pytest.mark.chaos

LOGIN, AUTH, ID = "login.acme.example", "auth.acme.example", "id.globex.example"


@pytest.fixture(params=["memory", "file"])
def made(request: pytest.FixtureRequest, repo: Repo, tmp_path: Path) -> Shop:
    """Two releases, so that a lost HEAD is not taken for a first publish that died."""
    made = shop(repo, "memory://" if request.param == "memory" else (tmp_path / "store").as_uri())
    made.publish()
    made.repo.write("keysets/acme/note.txt", "x")
    made.repo.commit("A note")
    made.later(hours=1)
    made.publish()
    made.later(hours=1)
    return made


def repair(made: Shop, **settings: object) -> tuple[Outcome, Mending]:
    order = made.order(wish=Wish(full=True), kind="repair", inspect=True, **settings)
    log = Mending(made.store, Open(), order.revision, made.now, timedelta(days=2))

    async def job() -> Outcome:
        ready = replace(order, amend=log.amend)
        plan = await made.publisher(log).plan(await log.tip(), ready)
        if plan.needed:
            await mend_documents(log.store, {one.digest: one.body for one in plan.changes if not one.blocked})
        outcome = await made.publisher(log).publish(ready)
        tip = await made.log().tip()
        assert tip.base is not None
        await lost_documents(made.log(), tip.base, put_back=True)
        return outcome

    return run(job()), log


def record(made: Shop, tenant: str) -> TenantRecord:
    async def job() -> TenantRecord:
        tip = await made.log().tip()
        found = (await made.log().shards(tip.base, {slot(tenant)}))[slot(tenant)].record(tenant)
        assert found is not None
        return found

    return run(job())


def claim_of(made: Shop, name: str) -> str | None:
    async def job() -> str | None:
        tip = await made.log().tip()
        found = (await made.log().shards(tip.base, {slot(name)}))[slot(name)].claims.get(name)
        return None if found is None else found.tenant

    return run(job())


def is_whole(made: Shop) -> None:
    """Whether all is well again: nothing to publish, nothing found, and whose everything is."""
    again = made.publish()
    assert again.plan is None
    assert made.audit() == []
    for domain, tenant in ((LOGIN, "acme"), (AUTH, "acme"), (ID, "globex"), ("acme.idp.example", "acme")):
        assert claim_of(made, domain_claim(domain)) == tenant
    for tenant in ("acme", "globex"):
        for key in record(made, tenant).keys:
            assert claim_of(made, key_claim(key.identity)) == tenant


def test_nothing_is_changed_where_nothing_is_wrong(made: Shop) -> None:
    before = {key: made.get(key) for key in made.have("releases/")}
    outcome, log = repair(made)
    assert outcome.done is None
    assert (log.damage.losses, log.damage.made) == ([], {})
    assert {key: made.get(key) for key in made.have("releases/")} == before


@pytest.mark.parametrize("what", ["deleted", "nonsense", "digest"])
def test_head(made: Shop, what: str) -> None:
    found = made.get(HEAD_KEY)
    assert found is not None
    if what == "deleted":
        made.delete(HEAD_KEY)
    elif what == "nonsense":
        made.write(HEAD_KEY, b"{}")
    else:
        made.write(HEAD_KEY, json.dumps({**json.loads(found.body), "digest": "0" * 64}).encode())
    outcome, _ = repair(made)
    assert outcome.done is not None
    assert outcome.done.head.sequence == 3
    is_whole(made)


def test_the_last_release_and_then_all_of_them(made: Shop) -> None:
    made.write(release_key(2), b"nonsense")
    outcome, log = repair(made)
    assert [one.key for one in log.damage.losses] == [release_key(2)]
    assert outcome.done is not None
    assert outcome.done.head.sequence == 3
    is_whole(made)
    made.delete(*made.have("releases/"))
    outcome, _ = repair(made)
    assert outcome.done is not None
    assert outcome.done.head.sequence > 3
    is_whole(made)


def test_every_single_shard(made: Shop) -> None:
    async def named() -> dict[int, str]:
        tip = await made.log().tip()
        assert tip.base is not None
        return {number: one.digest for number, one in tip.base.shards.items()}

    for number in run(named()):
        shard = f"shards/{run(named())[number]}.json.gz"
        made.delete(shard) if number % 2 else made.write(shard, b"nonsense")
        _, log = repair(made)
        assert [one.key for one in log.damage.losses] == [shard]
        is_whole(made)


def test_all_of_the_state(made: Shop, signers: dict[str, Signer]) -> None:
    made.delete(HEAD_KEY, *made.have("releases/"), *made.have("shards/"), *made.have("documents/"))
    live = {key: made.get(key) for key in made.have("live/")}
    outcome, _ = repair(made)
    assert outcome.done is not None
    assert outcome.done.head.sequence == 2  # above what live objects say
    for key, before in live.items():
        after = made.get(key)
        assert before is not None
        assert after is not None
        assert after.body == before.body
    assert {key.first for key in record(made, "globex").keys} == {2}
    is_whole(made)


def test_live_objects_and_documents(made: Shop) -> None:
    stale = made.get(live_key(ID))
    assert stale is not None
    made.delete(live_key(LOGIN))
    headers = Headers(content_type="application/json", cache_control="no-store", metadata=stale.headers.metadata)
    made.write(live_key(ID), stale.body, headers)
    digest = dict(stale.headers.metadata)["sha256"]
    made.write(document_key(digest), b"{}")
    made.delete(*[key for key in made.have("documents/") if key != document_key(digest)][:1])
    outcome, log = repair(made)
    assert outcome.plan is not None
    assert {one.domain for one in outcome.plan.changes if is_wrong(one)} == {LOGIN, ID}
    assert log.damage.losses == []
    is_whole(made)


def test_an_emptied_bucket_is_made_anew(made: Shop) -> None:
    made.delete(
        HEAD_KEY, *(key for prefix in ("live/", "releases/", "shards/", "documents/") for key in made.have(prefix))
    )
    assert made.ids() == ["no-head"]
    repair(made)
    is_whole(made)


def test_foreign_objects_are_left_alone(made: Shop) -> None:
    made.delete(HEAD_KEY)
    made.write(live_key(ID), b'{"keys":[]}')
    repair(made)
    found = made.get(live_key(ID))
    assert found is not None
    assert found.body == b'{"keys":[]}'
    assert names(made.audit()) == {("foreign-object", ID), ("quarantined", "globex")}


def test_a_tenant_that_left_git_is_not_dropped_with_its_record(made: Shop) -> None:
    made.delete(HEAD_KEY, *made.have("releases/"), *made.have("shards/"))
    made.repo.git("rm", "-r", "-q", "keysets/eu/globex")
    made.repo.commit("Remove globex")
    before = made.get(live_key(ID))
    repair(made)
    assert made.get(live_key(ID)) == before
    assert names(made.audit()) == {("quarantined", "globex")}
    made.allowed = frozenset({"drops-active-key"})
    made.publish()
    assert made.audit() == []


def test_a_kid_that_is_live_does_not_return_with_another_key(made: Shop) -> None:
    made.delete(HEAD_KEY, *made.have("releases/"), *made.have("shards/"))
    other = make_signer("globex-key")
    made.repo.write("keysets/eu/globex/keyset.yaml", keyset("globex", [ID], other.entry()))
    made.repo.commit("Another key, the same kid")
    outcome, _ = repair(made)
    assert outcome.plan is not None
    blocked = {hazard.rule.id for one in outcome.plan.blocked for hazard in one.hazards}
    assert "kid-reused" in blocked


def test_what_an_unfinished_release_wrote(made: Shop) -> None:
    head = made.get(HEAD_KEY)
    assert head is not None
    made.repo.write("keysets/eu/globex/keyset.yaml", keyset("globex", [ID, "new.globex.example"], _own(made)))
    made.repo.commit("A domain more")
    made.publish()
    made.write(HEAD_KEY, head.body)
    made.write(release_key(3), b"{")
    outcome, _ = repair(made)
    assert outcome.done is not None
    assert outcome.done.head.sequence == 4
    is_whole(made)


def _own(made: Shop) -> str:
    text = (made.repo.path / "keysets/eu/globex/keyset.yaml").read_text()
    return text.partition("custom_keys:\n")[2]


@pytest.mark.chaos
def test_the_command_line(repo: Repo, s3_server: S3Server) -> None:
    bucket = s3_server.make_bucket()
    url, settings = f"s3://{bucket}/jwks", s3_server.settings
    assert program("publish", "--store", url, cwd=repo.path, **settings).code == 0
    fine = program("repair", "--store", url, cwd=repo.path, **settings)
    assert (fine.code, fine.out) == (0, "Nothing to repair.\n"), fine
    repo.write("keysets/eu/globex/note.txt", "x")
    repo.commit("A note")
    assert program("repair", "--store", url, cwd=repo.path, **settings).out == "Nothing to repair.\n"
    assert program("publish", "--store", url, cwd=repo.path, **settings).code == 0
    s3_server.client().delete_object(Bucket=bucket, Key="jwks/HEAD.json")
    assert program("publish", "--store", url, cwd=repo.path, **settings).code == 3
    dry = program("repair", "--dry-run", "--store", url, cwd=repo.path, **settings)
    assert (dry.code, dry.out.splitlines()[0]) == (1, "HEAD.json: it is missing, though there are releases"), dry
    assert program("publish", "--store", url, cwd=repo.path, **settings).code == 3
    done = program("repair", "--store", url, cwd=repo.path, **settings)
    assert done.code == 0, done
    assert "lost with it" in done.out
    assert program("audit", "--store", url, "--rev", "HEAD", cwd=repo.path, **settings).code == 0
    assert "Nothing to change" in program("publish", "--store", url, cwd=repo.path, **settings).out


def test_a_release_that_nobody_trusted_has_signed(repo: Repo, tmp_path: Path) -> None:
    key = ec_key(901)
    (tmp_path / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "trusted.pem").write_text(public_pem(key))
    url, trust = (tmp_path / "store").as_uri(), ("--trusted-keys", str(tmp_path / "trusted.pem"))
    sign = (*trust, "--signing-key", str(tmp_path / "key.pem"))
    assert program("publish", "--store", url, *sign, cwd=repo.path).code == 0
    assert program("audit", "--store", url, *trust, cwd=repo.path).code == 0
    release = tmp_path / "store" / release_key(1)
    value = json.loads(release.read_bytes())
    release.write_text(json.dumps({**value, "signature": value["signature"][:-4] + "AAAA"}))
    assert "release-lost" in program("audit", "--store", url, *trust, cwd=repo.path).out
    assert program("repair", "--store", url, *trust, cwd=repo.path).code == 3
    assert program("repair", "--store", url, *sign, cwd=repo.path).code == 0
    assert program("audit", "--store", url, *trust, cwd=repo.path).code == 0


def test_other_trusted_keys_are_no_reason_to_forget_the_state(repo: Repo, tmp_path: Path) -> None:
    for number, name in ((901, "right"), (902, "wrong")):
        key = ec_key(number)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (tmp_path / f"{name}.key").write_bytes(private)
        (tmp_path / f"{name}.pem").write_text(public_pem(key))
    url = (tmp_path / "store").as_uri()

    def keys(trusted: str, signing: str) -> tuple[str, ...]:
        return ("--trusted-keys", str(tmp_path / f"{trusted}.pem"), "--signing-key", str(tmp_path / f"{signing}.key"))

    mixed = program("publish", "--store", url, *keys("wrong", "right"), cwd=repo.path)
    assert (mixed.code, "is not among --trusted-keys" in mixed.err) == (2, True)
    assert program("publish", "--store", url, *keys("right", "right"), cwd=repo.path).code == 0
    refused = program("repair", "--store", url, *keys("wrong", "wrong"), cwd=repo.path)
    assert (refused.code, "--over-untrusted" in refused.err) == (3, True)
    assert program("publish", "--store", url, *keys("right", "right"), cwd=repo.path).code == 0
    meant = program("repair", "--store", url, *keys("wrong", "wrong"), "--over-untrusted", cwd=repo.path)
    assert meant.code == 0, meant
    assert program("audit", "--store", url, "--trusted-keys", str(tmp_path / "wrong.pem"), cwd=repo.path).code == 0
