"""nginx and Varnish while the bucket changes or fails: expiry, stale documents, purges, errors.

Waits are as long as the configured cache times say, and then one answer is looked at: a slow machine waits longer, and
finds the same.
"""

import re
import time
from pathlib import Path
from typing import Literal, TypeAlias

import pytest
from program import run
from s3server import S3Server
from signing import Signer, keyset, make_signer

from .edges import PATH, Kind
from .world import ACME, GLOBEX, World, policy, world

pytestmark = [pytest.mark.cdn, pytest.mark.parametrize("kind", ["nginx", "varnish"])]

AGE, REVALIDATE = 2, 1
BOUND = AGE + REVALIDATE
"""Seconds after which no document is served without having been asked for anew."""
Failure: TypeAlias = Literal["down", "403", "500", "503"]
SHORT = (AGE, REVALIDATE, 600)


def _past(seconds: float) -> None:
    """Caches count whole seconds, so that one more has to pass."""
    time.sleep(seconds + 1.1)


def _add_key(made: World, signer: Signer) -> None:
    made.change(made.signers["globex"].entry() + signer.entry())


def test_a_new_key_is_seen_within_the_cache_times(
    kind: Kind, tmp_path: Path, s3_server: S3Server, signers: dict[str, Signer]
) -> None:
    with world(kind, tmp_path, s3_server, signers, SHORT) as made:
        assert made.kids(GLOBEX) == ["globex-key"]
        _add_key(made, make_signer("globex-2"))
        published = made.publish()
        assert published.code == 0
        printed = re.search(r"A CDN serves what changes within (\d+) s\.", published.out)
        assert printed is not None
        _past(float(printed[1]))
        assert made.kids(GLOBEX) == ["globex-2", "globex-key"]
        assert made.verify().code == 0


def test_publish_waits_for_the_edge(
    kind: Kind, tmp_path: Path, s3_server: S3Server, signers: dict[str, Signer]
) -> None:
    with world(kind, tmp_path, s3_server, signers, SHORT) as made:
        made.kids(GLOBEX)
        _add_key(made, make_signer("globex-2"))
        published = made.publish("--via", made.edge.url, "--wait", "60")
        assert published.code == 0, published
        assert "serves 1 document as published" in published.err
        assert made.kids(GLOBEX) == ["globex-2", "globex-key"]


def test_a_stale_document_is_served_while_the_new_one_is_fetched(
    kind: Kind, tmp_path: Path, s3_server: S3Server, signers: dict[str, Signer]
) -> None:
    with world(kind, tmp_path, s3_server, signers, (1, 600, 600)) as made:
        made.kids(GLOBEX)
        _add_key(made, make_signer("globex-2"))
        assert made.publish().code == 0
        _past(1)
        assert made.kids(GLOBEX) == ["globex-key"]
        for _ in range(100):
            if made.kids(GLOBEX) == ["globex-2", "globex-key"]:
                break
            time.sleep(0.1)
        else:
            pytest.fail("the document was not fetched in the background")


@pytest.mark.parametrize("failure", ["down", "403", "500", "503"])
def test_known_documents_outlive_an_origin_that_fails(
    kind: Kind,
    tmp_path: Path,
    s3_server: S3Server,
    signers: dict[str, Signer],
    failure: Literal["down", "403", "500", "503"],
) -> None:
    with world(kind, tmp_path, s3_server, signers, SHORT) as made:
        fresh = made.edge.get(GLOBEX)
        if failure == "down":
            made.gateway.stop()
        else:
            made.gateway.mode = failure
        _past(BOUND)
        for _ in range(2):
            stale = made.edge.get(GLOBEX)
            assert (stale.status, stale.body) == (200, fresh.body)
            assert stale.headers["cache-control"] == fresh.headers["cache-control"]
        unknown = made.edge.get(ACME[0])
        assert (unknown.status, unknown.headers["cache-control"]) == (503, "no-store")
        assert b"secret-bucket-name" not in unknown.body
        if failure == "down":
            made.gateway.start()
        made.gateway.mode = "up"
        _past(BOUND)
        _add_key(made, make_signer("globex-2"))
        assert made.publish("--via", made.edge.url, "--wait", "60").code == 0, "the edge recovers"


@pytest.mark.parametrize("mode", ["307", "400"])
def test_no_other_answer_of_the_origin_is_passed_on(
    kind: Kind, tmp_path: Path, s3_server: S3Server, signers: dict[str, Signer], mode: Literal["307", "400"]
) -> None:
    with world(kind, tmp_path, s3_server, signers) as made:
        made.gateway.mode = mode
        answer = made.edge.get(GLOBEX)
        assert (answer.status, "location" in answer.headers) == (503, False)
        assert b"secret-bucket-name" not in answer.body


def test_stale_documents_end_with_stale_if_error(
    kind: Kind, tmp_path: Path, s3_server: S3Server, signers: dict[str, Signer]
) -> None:
    with world(kind, tmp_path, s3_server, signers, (1, 0, 4)) as made:
        made.kids(GLOBEX)
        made.gateway.mode = "503"
        _past(1)
        assert made.edge.get(GLOBEX).status == 200
        _past(4)
        answer = made.edge.get(GLOBEX)
        assert answer.status == 503
        assert b"secret-bucket-name" not in answer.body


def test_headers_that_change_alone_are_seen(
    kind: Kind, tmp_path: Path, s3_server: S3Server, signers: dict[str, Signer]
) -> None:
    """The ETag stays: an edge that asks with If-None-Match would keep the old headers for ever."""
    with world(kind, tmp_path, s3_server, signers, SHORT) as made:
        made.kids(GLOBEX)
        made.repo.write("keysets/policy.yaml", policy(240, 30, 600))
        made.repo.commit("Cache longer")
        assert "other headers" in made.publish().out
        _past(BOUND)
        assert made.edge.get(GLOBEX).headers["cache-control"].startswith("public, max-age=240,")
        assert made.verify().code == 0


def test_an_origin_whose_304_has_no_cache_control_is_asked_for_whole_documents(
    kind: Kind, tmp_path: Path, s3_server: S3Server, signers: dict[str, Signer]
) -> None:
    with world(kind, tmp_path, s3_server, signers, SHORT) as made:
        made.gateway.mode = "ceph"
        made.kids(GLOBEX)
        _past(BOUND)
        made.kids(GLOBEX)
        before = len(made.gateway.asked)
        assert made.edge.get(GLOBEX).headers["x-cache"] == "HIT", "it is kept as long as the first one"
        assert len(made.gateway.asked) == before == 2
        assert not [name for one in made.gateway.asked for name in one.headers if name.startswith("if-")]


def test_a_domain_that_is_published_next_is_seen_soon(
    kind: Kind, tmp_path: Path, s3_server: S3Server, signers: dict[str, Signer]
) -> None:
    with world(kind, tmp_path, s3_server, signers) as made:
        for _ in range(3):
            assert made.edge.get("new.globex.example").status == 404
        assert len(made.gateway.asked) == 1, "errors are kept for a while"
        made.change(made.signers["globex"].entry(), (GLOBEX, "new.globex.example"))
        assert made.publish().code == 0
        _past(10)
        assert made.kids("new.globex.example") == ["globex-key"]


def _revoke(made: World) -> None:
    revoked = made.signers["globex"].entry("revoked: {at: 2026-05-01T00:00:00Z, reason: stolen}")
    made.change(revoked + make_signer("globex-2").entry())


def test_a_revocation_is_purged(kind: Kind, tmp_path: Path, s3_server: S3Server, signers: dict[str, Signer]) -> None:
    with world(kind, tmp_path, s3_server, signers) as made:
        assert made.kids(GLOBEX) == ["globex-key"]
        acme = made.edge.get(ACME[0]).body
        _revoke(made)
        published = made.publish("--cdn", f"purge:{made.edge.url}", "--via", made.edge.url, "--wait", "20")
        if kind == "nginx":
            assert published.code == 3, "open-source nginx has no PURGE"
            assert "status 405: the cache does not take PURGE" in published.err
            assert made.kids(GLOBEX) == ["globex-key"]
            return
        assert published.code == 0, published
        assert made.kids(GLOBEX) == ["globex-2"]
        other = made.edge.get(ACME[0])
        assert (other.headers["x-cache"], other.body) == ("HIT", acme), "the other domains' copies stay"


def test_only_named_addresses_may_purge(
    kind: Kind, tmp_path: Path, s3_server: S3Server, signers: dict[str, Signer]
) -> None:
    if kind == "nginx":
        pytest.skip("nginx takes no PURGE from anybody")
    with world(kind, tmp_path, s3_server, signers, options=("--purge-from", "192.0.2.0/24")) as made:
        made.kids(GLOBEX)
        _revoke(made)
        published = made.publish("--cdn", f"purge:{made.edge.url}")
        assert published.code == 3
        assert made.kids(GLOBEX) == ["globex-key"]
        assert run("verify", "--store", made.store, cwd=made.repo.path, **made.settings).code == 0, "it is published"


def test_purges_of_what_is_no_domain_are_refused(
    kind: Kind, tmp_path: Path, s3_server: S3Server, signers: dict[str, Signer]
) -> None:
    with world(kind, tmp_path, s3_server, signers) as made:
        first = made.edge.get(GLOBEX)
        for host, target in ((GLOBEX, "/"), (GLOBEX, f"/live/{GLOBEX}{PATH}"), ("id_globex.example", PATH)):
            assert made.edge.get(host, target, method="PURGE").status in (404, 405)
        assert made.edge.get(GLOBEX).headers["x-cache"] == "HIT"
        assert first.status == 200


def test_tenants_keep_apart_while_they_change(
    kind: Kind, tmp_path: Path, s3_server: S3Server, signers: dict[str, Signer]
) -> None:
    with world(kind, tmp_path, s3_server, signers, SHORT) as made:
        assert made.kids(GLOBEX) == ["globex-key"]
        made.repo.write("keysets/acme/keyset.yaml", keyset("acme", list(ACME), make_signer("acme-2").entry()))
        made.repo.commit("Replace acme's key")
        assert made.publish("--allow", "drops-active-key").code == 0
        _past(BOUND)
        assert made.kids(ACME[0]) == made.kids(ACME[1]) == ["acme-2"]
        assert made.kids(GLOBEX) == ["globex-key"]
