"""`audit` over real repositories and stores: what it names, that it goes on, what it leaves alone, what it costs."""

import json
from pathlib import Path

import pytest
from keymaker import okp_key, public_jwk
from program import run as program
from repos import Repo
from s3server import S3Server
from signing import Signer, keyset, make_signer
from test_end_to_end import edge
from upkeep import Counting, Shop, names, run, shop

from publisher.audit import Question, Tally, audit, commit_tenants
from publisher.auditrules import FAULTS, Remark
from publisher.git import open_revision
from publisher.head import HEAD_KEY
from publisher.release import release_key
from publisher.state import document_key, live_key
from publisher.store import Headers

pytestmark = pytest.mark.chaos

LOGIN, AUTH, ID, CANON = "login.acme.example", "auth.acme.example", "id.globex.example", "acme.idp.example"


@pytest.fixture(params=["memory", "file"])
def made(request: pytest.FixtureRequest, repo: Repo, tmp_path: Path) -> Shop:
    made = shop(repo, "memory://" if request.param == "memory" else (tmp_path / "store").as_uri())
    made.publish()
    return made


def digest_of(made: Shop, domain: str) -> str:
    found = made.get(live_key(domain))
    assert found is not None
    return dict(found.headers.metadata)["sha256"]


def test_nothing_is_found_where_all_is_as_the_state_says(made: Shop) -> None:
    assert made.audit() == []


def test_a_store_without_head_is_a_finding(repo: Repo) -> None:
    made = shop(repo, "memory://")
    assert made.ids() == ["no-head"]


def test_an_emptied_bucket_is_named(made: Shop) -> None:
    made.delete(*[key for prefix in ("live/", "releases/", "shards/", "documents/") for key in made.have(prefix)])
    made.delete(HEAD_KEY)
    assert made.ids() == ["no-head"]


def test_live_objects_that_are_not_as_recorded(made: Shop) -> None:
    made.delete(live_key(LOGIN))
    made.write(live_key(AUTH), b'{"keys":[1]}')
    found = made.get(live_key(ID))
    assert found is not None
    changed = Headers(content_type="text/plain", cache_control="no-store", metadata=found.headers.metadata)
    made.write(live_key(ID), found.body, changed)
    made.write(live_key("stranger.example"), b"{}")
    assert names(made.audit()) == {
        ("live-missing", LOGIN),
        ("foreign-object", AUTH),
        ("live-headers", ID),
        ("unclaimed-object", "stranger.example"),
    }


def test_a_late_write_of_an_older_release_is_stale(made: Shop, signers: dict[str, Signer]) -> None:
    old = made.get(live_key(ID))
    assert old is not None
    made.repo.write("keysets/eu/globex/keyset.yaml", keyset("globex", ["id.globex.example"], _two(signers)))
    made.repo.commit("Add a key")
    made.publish()
    assert made.audit() == []
    made.write(live_key(ID), old.body, old.headers)
    assert names(made.audit()) == {("stale-write", ID)}


def test_documents_and_shards_are_held_against_their_digests(made: Shop) -> None:
    lost, wrong = document_key(digest_of(made, LOGIN)), document_key(digest_of(made, ID))
    made.delete(lost)
    made.write(wrong, b"{}")
    shard, *_ = made.have("shards/")
    made.write(shard, b"nonsense")
    found = names(made.audit())
    assert ("shard-lost", shard) in found
    assert {("document-lost", lost), ("document-lost", wrong)} & found
    assert {one[0] for one in found} <= {"shard-lost", "document-lost"}


def test_every_damaged_shard_is_named_and_the_rest_is_looked_at(made: Shop) -> None:
    shards = made.have("shards/")
    for one in shards:
        made.delete(one)
    assert names(made.audit()) == {("shard-lost", one) for one in shards}


@pytest.mark.parametrize("what", ["deleted", "nonsense", "other-digest"])
def test_a_damaged_head(made: Shop, what: str) -> None:
    found = made.get(HEAD_KEY)
    assert found is not None
    if what == "deleted":
        made.publish(inspect=True)
        made.repo.commit("Empty")
        made.repo.write("keysets/policy.yaml", "version: 1\n")
        made.repo.commit("No canonical domains")
        made.publish()
        made.delete(HEAD_KEY)
        assert ("no-head", HEAD_KEY) in names(made.audit())
    elif what == "nonsense":
        made.write(HEAD_KEY, b"{")
        assert names(made.audit()) == {("head-damaged", HEAD_KEY)}
    else:
        value = json.loads(found.body)
        made.write(HEAD_KEY, json.dumps({**value, "digest": "0" * 64}).encode())
        assert ("release-lost", release_key(1)) in names(made.audit())


def _history(made: Shop, count: int = 4) -> None:
    for number in range(count - 1):
        made.later(hours=1)
        made.repo.write("keysets/policy.yaml", f"version: 1\nlimits: {{removals: {200 + number}}}\n")
        made.repo.write("keysets/eu/globex/note.txt", str(number))
        made.repo.commit(f"Change {number}")
        made.allowed = frozenset({"empty-set", "drops-active-key"})
        made.publish()


def test_a_wrong_link_is_a_finding_and_a_gap_is_not(made: Shop) -> None:
    _history(made)
    assert made.audit() == []
    made.delete(release_key(2))
    assert made.audit() == []
    found = made.get(release_key(1))
    assert found is not None
    made.write(release_key(1), found.body.replace(b'"publish"', b'"repair" ', 1))
    assert made.audit() == []  # nothing names its digest any more
    other = made.get(release_key(3))
    assert other is not None
    made.write(release_key(3), other.body + b"\n")
    assert names(made.audit()) == {("chain-broken", release_key(3))}
    made.write(release_key(3), b"{")
    assert names(made.audit()) == {("release-lost", release_key(3))}


def test_a_publish_that_was_killed_is_named_when_it_is_old(made: Shop, signers: dict[str, Signer]) -> None:
    head = made.get(HEAD_KEY)
    assert head is not None
    made.repo.write("keysets/eu/globex/keyset.yaml", keyset("globex", ["id.globex.example"], _two(signers)))
    made.repo.commit("Add a key")
    made.publish()
    made.write(HEAD_KEY, head.body)
    assert made.audit() == []
    made.later(minutes=11)
    assert names(made.audit()) == {("unfinished-publish", release_key(2)), ("live-unfinished", ID)}
    made.publish()
    assert made.audit() == []


def _two(signers: dict[str, Signer]) -> str:
    return signers["globex"].entry() + make_signer("globex-2").entry()


def test_what_head_knows_to_be_wrong(made: Shop) -> None:
    found = made.get(HEAD_KEY)
    assert found is not None
    value = json.loads(found.body)
    value["unfinished"] = [{"tenant": "globex", "domain": ID, "why": "denied"}]
    value["purges"] = [{"domain": LOGIN, "tenant": "acme", "until": "2090-01-01T00:00:00Z", "named": True}]
    made.write(HEAD_KEY, json.dumps(value).encode())
    assert names(made.audit()) == {("unfinished-domain", ID), ("purge-pending", LOGIN)}


def test_a_quarantined_tenant(made: Shop) -> None:
    made.repo.write("keysets/eu/globex/keyset.yaml", "version: 2\n")
    made.repo.commit("A mistake")
    made.publish()
    assert names(made.audit()) == {("quarantined", "globex")}


def test_a_missed_schedule(made: Shop, signers: dict[str, Signer]) -> None:
    windows = "publish: {until: 2026-11-24T00:00:00Z}\nsigns: {until: 2026-11-22T00:00:00Z}"
    entry = signers["globex"].entry() + make_signer("short").entry(windows)
    made.repo.write("keysets/eu/globex/keyset.yaml", keyset("globex", [ID], entry))
    made.repo.commit("A window")
    made.publish()
    made.later(hours=12, minutes=20)
    assert made.audit() == []
    made.later(seconds=1)
    assert names(made.audit()) == {("schedule-missed", "globex")}


def test_head_is_held_against_a_commit(made: Shop, signers: dict[str, Signer]) -> None:
    def behind() -> set[tuple[str, str]]:
        return names(made.audit(commit=commit_tenants(open_revision(made.repo.path, "keysets", "HEAD"))))

    assert behind() == set()
    made.repo.write("keysets/eu/globex/more.txt", "x")
    made.repo.write("keysets/new/keyset.yaml", keyset("new", ["new.example"]))
    made.repo.git("rm", "-r", "-q", "keysets/acme")
    made.repo.commit("Change everything")
    assert behind() == {("behind-commit", "globex"), ("behind-commit", "new"), ("behind-commit", "acme")}


@pytest.mark.chaos
def test_it_is_bounded_and_counts_its_requests(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "many")
    repo.write("keysets/policy.yaml", "version: 1\nplans: {enterprise: {custom_keys: 10}}\n")
    for number in range(2000):
        key = public_jwk(okp_key(number))
        entry = f"  - kid: k{number}\n    alg: EdDSA\n    jwk: {json.dumps(key)}\n"
        domains = [f"a.t{number}.example", f"b.t{number}.example"]
        repo.write(f"keysets/t{number}/keyset.yaml", keyset(f"t{number}", domains, entry))
    repo.commit("Many")
    made = shop(repo, "memory://")
    made.publish()
    made.delete(live_key("a.t7.example"))
    counting = Counting(behind=made.store)
    assert names(made.audit(counting)) == {("live-missing", "a.t7.example")}
    assert counting.most[0] <= 64
    shards = len(made.have("shards/"))
    assert len(counting.gets) == 4000 * 2 + shards + 3


@pytest.mark.chaos
def test_the_command_line(repo: Repo, s3_server: S3Server) -> None:
    url, settings = f"s3://{s3_server.make_bucket()}/some/prefix", s3_server.settings
    empty = program("audit", "--store", url, cwd=repo.path, **settings)
    assert (empty.code, empty.out.split(":")[1]) == (1, " no-head")
    assert program("publish", "--store", url, cwd=repo.path, **settings).code == 0
    fine = program("audit", "--store", url, "--rev", "HEAD", cwd=repo.path, **settings)
    assert (fine.code, fine.out[:21]) == (0, "All is as the state s"), fine
    repo.write("keysets/eu/globex/note.txt", "x")
    repo.commit("A note")
    told = program("audit", "--store", url, "--rev", "HEAD", "--format", "json", cwd=repo.path, **settings)
    assert told.code == 1
    assert [one["id"] for one in json.loads(told.out)["findings"]] == ["behind-commit"]
    missing = program("audit", "--store", "s3://no-such-bucket-here", cwd=repo.path, **settings)
    assert missing.code == 3, missing


def test_through_an_edge(repo: Repo, tmp_path: Path) -> None:
    store = (tmp_path / "store").as_uri()
    assert program("publish", "--store", store, cwd=repo.path).code == 0
    with edge(store, repo.path) as base:
        fine = program("audit", "--store", store, "--via", base, cwd=repo.path)
        assert fine.code == 0, fine
        (tmp_path / "store" / live_key(ID)).unlink()
        gone = program("audit", "--store", store, "--via", base, cwd=repo.path)
        assert gone.code == 1
        assert [line.split(": ")[:2] for line in gone.out.splitlines()] == [[ID, "live-missing"], [ID, "edge-differs"]]


def test_every_finding_is_explained(repo: Repo) -> None:
    for name in ("schedule-missed", "chain-broken"):
        ran = program("explain", name, cwd=repo.path)
        assert (ran.code, ran.out.split("\n")[0]) == (0, name)
    assert all(rule.doc for rule in FAULTS.values())


def test_gaps_are_said(made: Shop) -> None:
    _history(made)
    made.delete(release_key(1))

    async def ask() -> list[str]:
        question = Question(now=made.now, late=made.now - made.now)
        return [one.text async for one in audit(made.log(), question, Tally()) if isinstance(one, Remark)]

    assert run(ask()) == ["the history is kept from release 2 on"]
