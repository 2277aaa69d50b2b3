"""`publish` with a CDN in front: what is purged when, what a failed purge says, and the wait for new documents."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from httpcache import HttpCache, http_cache
from program import run
from repos import Repo
from s3server import S3Server
from signing import Signer, keyset, make_signer

from publisher.reply import PATH

pytestmark = pytest.mark.chaos

GLOBEX = ("id.globex.example", PATH)
ALL = {(domain, PATH) for domain in ("acme.idp.example", "auth.acme.example", "login.acme.example", GLOBEX[0])}


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[HttpCache]:
    """A cache in front of the store `file://{tmp_path}/store`."""
    with http_cache(tmp_path / "store") as server:
        yield server


def _publish(repo: Repo, tmp_path: Path, *more: str) -> tuple[int, str, str]:
    ran = run("publish", "--store", f"file://{tmp_path}/store", *more, cwd=repo.path)
    return ran.code, ran.out, ran.err


def _change_globex(repo: Repo, entries: str) -> None:
    repo.write("keysets/eu/globex/keyset.yaml", keyset("globex", ["id.globex.example"], entries))
    repo.commit("Change globex")


def _revoked(signer: Signer) -> str:
    return signer.entry("revoked: {at: 2026-05-01T00:00:00Z, reason: stolen}")


def test_a_revoked_key_is_purged_and_a_planned_change_is_not(
    repo: Repo, tmp_path: Path, cache: HttpCache, signers: dict[str, Signer]
) -> None:
    purge = ("--cdn", f"purge:{cache.url}")
    assert _publish(repo, tmp_path, *purge)[0] == 0
    assert cache.purged == [], "nothing was live before"
    added = make_signer("globex-2")
    _change_globex(repo, signers["globex"].entry() + added.entry())
    assert _publish(repo, tmp_path, *purge)[0] == 0
    assert cache.purged == []
    _change_globex(repo, _revoked(signers["globex"]) + added.entry())
    code, _, err = _publish(repo, tmp_path, *purge)
    assert (code, cache.purged) == (0, [GLOBEX])
    assert f"purge:{cache.url}: PURGE of 1 domain" in err
    assert _publish(repo, tmp_path, *purge)[0] == 0
    assert cache.purged == [GLOBEX], "nothing has changed"


def test_a_domain_that_loses_its_last_key_is_purged_and_again_by_always(
    repo: Repo, tmp_path: Path, cache: HttpCache, signers: dict[str, Signer]
) -> None:
    _publish(repo, tmp_path)
    _change_globex(repo, signers["globex"].entry("publish: {until: 2026-01-01T00:00:00Z}"))
    allow = ("--allow", "empty-set", "--allow", "drops-active-key")
    purge = ("--cdn", f"purge:{cache.url}")
    assert _publish(repo, tmp_path, *purge)[0] == 1, "the hazard stops it"
    assert cache.purged == []
    cache.answers = [405]
    assert _publish(repo, tmp_path, *purge, *allow)[0] == 3
    cache.answers, cache.purged[:] = [200], []
    assert _publish(repo, tmp_path, *purge, "--purge", "always")[0] == 0
    assert set(cache.purged) == ALL, "an empty set is a document, too"


def test_always_purges_what_changed_or_not_and_never_purges_nothing(
    repo: Repo, tmp_path: Path, cache: HttpCache, signers: dict[str, Signer]
) -> None:
    purge = ("--cdn", f"purge:{cache.url}", "--purge")
    _publish(repo, tmp_path)
    _change_globex(repo, _revoked(signers["globex"]) + make_signer("globex-2").entry())
    assert _publish(repo, tmp_path, *purge, "never")[0] == 0
    assert cache.purged == []
    assert _publish(repo, tmp_path, *purge, "always")[0] == 0
    assert (set(cache.purged), len(cache.purged)) == (ALL, 4)


def test_a_purge_that_fails_ends_in_one_line_and_the_next_publish_repeats_it(
    repo: Repo, tmp_path: Path, cache: HttpCache, signers: dict[str, Signer]
) -> None:
    purge = ("--cdn", f"purge:{cache.url}")
    _publish(repo, tmp_path)
    added = make_signer("globex-2")
    _change_globex(repo, _revoked(signers["globex"]) + added.entry())
    cache.answers = [405]
    code, out, err = _publish(repo, tmp_path, *purge)
    assert code == 3
    assert "Published 1 document" in out
    assert err.count("\n") == 1
    assert "1 of 1 domains were not purged; id.globex.example: status 405" in err
    assert "the publish itself is complete; the next publish with --cdn purges again" in err
    assert run("verify", "--store", f"file://{tmp_path}/store", cwd=repo.path).code == 0, "it is published"
    code, out, err = _publish(repo, tmp_path)
    assert (code, out.startswith("Nothing to change")) == (0, True)
    assert "caches may serve 1 document with revoked keys, or withdrawn, until " in err
    cache.answers, cache.purged[:] = [200], []
    code, out, _ = _publish(repo, tmp_path, *purge)
    assert (code, cache.purged) == (0, [GLOBEX])
    assert out.startswith("Nothing to change")
    assert _publish(repo, tmp_path, *purge)[0] == 0
    assert cache.purged == [GLOBEX], "it is done"


def test_a_revocation_that_was_published_without_a_cdn_is_purged_by_a_later_publish(
    repo: Repo, tmp_path: Path, cache: HttpCache, signers: dict[str, Signer]
) -> None:
    _publish(repo, tmp_path)
    _change_globex(repo, _revoked(signers["globex"]) + make_signer("globex-2").entry())
    code, _, err = _publish(repo, tmp_path)
    assert code == 0
    assert "--cdn purges them" in err
    assert run("audit", "--store", f"file://{tmp_path}/store", cwd=repo.path).code == 0, "no CDN was named"
    assert _publish(repo, tmp_path, "--cdn", f"purge:{cache.url}")[0] == 0
    assert cache.purged == [GLOBEX]
    assert "--cdn purges them" not in _publish(repo, tmp_path)[2]


def test_always_purges_again_where_nothing_changes(repo: Repo, tmp_path: Path, cache: HttpCache) -> None:
    purge = ("--cdn", f"purge:{cache.url}", "--purge", "always")
    _publish(repo, tmp_path)
    code, out, _ = _publish(repo, tmp_path, *purge)
    assert (code, set(cache.purged)) == (0, ALL)
    assert out.startswith("Nothing to change")


def test_every_cdn_is_purged_also_after_one_that_fails(
    repo: Repo, tmp_path: Path, cache: HttpCache, signers: dict[str, Signer]
) -> None:
    _publish(repo, tmp_path)
    with http_cache(tmp_path, [405]) as broken:
        specs = ("--cdn", f"purge:{broken.url}", "--cdn", f"purge:{cache.url}", "--purge", "always")
        code, _, err = _publish(repo, tmp_path, *specs)
    assert (code, set(cache.purged)) == (3, ALL)
    assert f"{cache.url}: PURGE of 4 domains" in err


def test_waiting_ends_when_the_cdn_serves_the_new_documents(
    repo: Repo, tmp_path: Path, cache: HttpCache, signers: dict[str, Signer]
) -> None:
    wait = ("--via", cache.url, "--wait", "30")
    code, _, err = _publish(repo, tmp_path, *wait)
    assert code == 0, err
    assert f"{cache.url} serves 4 documents as published" in err
    _change_globex(repo, _revoked(signers["globex"]) + make_signer("globex-2").entry())
    code, _, err = _publish(repo, tmp_path, *wait, "--cdn", f"purge:{cache.url}")
    assert code == 0, err
    assert f"{cache.url} serves 1 document as published" in err


def test_waiting_is_bounded_and_names_what_is_late(
    repo: Repo, tmp_path: Path, cache: HttpCache, signers: dict[str, Signer]
) -> None:
    _publish(repo, tmp_path, "--via", cache.url, "--wait", "30")
    _change_globex(repo, signers["globex"].entry() + make_signer("globex-2").entry())
    code, out, _ = _publish(repo, tmp_path, "--via", cache.url, "--wait", "1")
    assert code == 1
    (late,) = [line for line in out.splitlines() if "not yet served" in line]
    assert late.startswith(f"id.globex.example: published, and not yet served by {cache.url}: the body is SHA-256 ")
    assert "missing keys `globex-2`" in late


def test_cloudfront_is_asked_after_the_publish(repo: Repo, s3_server: S3Server, tmp_path: Path) -> None:
    bucket = s3_server.make_bucket()
    where = ("--store", f"s3://{bucket}", "--cdn", "cloudfront:E0MISSING", "--purge", "always")
    ran = run("publish", *where, cwd=repo.path, **s3_server.settings)
    assert ran.code == 3
    assert "Published 4 documents" in ran.out
    assert "cloudfront:E0MISSING: there is no such distribution" in ran.err


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--purge", "always"), "needs a --cdn"),
        (("--wait", "5"), "needs --via"),
        (("--via", "cdn.example", "--wait", "5"), "base URL"),
        (("--cdn", "varnish"), "write cloudfront:DISTRIBUTION or purge:"),
        (("--cdn", "purge:http://user:secret@cache"), "leave it out"),
    ],
)
def test_options_that_do_not_fit_stop_before_anything_is_published(
    repo: Repo, tmp_path: Path, arguments: tuple[str, ...], text: str
) -> None:
    code, _, err = _publish(repo, tmp_path, *arguments)
    assert (code, text in err, "secret" in err) == (2, True, False)
    assert not (tmp_path / "store").exists()
