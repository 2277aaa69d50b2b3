"""PURGE over real HTTP: what is sent, what counts as done, and how failures are told."""

import asyncio
import socket
from pathlib import Path

import pytest
from httpcache import http_cache

from publisher.cdn import CdnError, Stale
from publisher.cdns import open_cdn
from publisher.cdns.purge import Purge

PATH = "/.well-known/jwks.json"
DOMAINS = ("auth.acme.example", "login.acme.example", "id.globex.example")
STALE = [Stale(domain=domain, tenant="acme") for domain in DOMAINS]


def _purge(base_url: str) -> str:
    return asyncio.run(Purge(base_url=base_url, pauses=(0.0, 0.0)).purge(STALE, "now"))


def test_each_domain_is_purged_by_its_host_header(tmp_path: Path) -> None:
    with http_cache(tmp_path) as cache:
        assert _purge(cache.url) == "PURGE of 3 domains"
    assert sorted(cache.purged) == sorted((domain, PATH) for domain in DOMAINS)


def test_a_domain_that_is_named_twice_is_purged_once(tmp_path: Path) -> None:
    with http_cache(tmp_path) as cache:
        done = asyncio.run(Purge(base_url=cache.url).purge([STALE[0], STALE[0]], "now"))
    assert (done, cache.purged) == ("PURGE of 1 domain", [(DOMAINS[0], PATH)])


@pytest.mark.parametrize("status", [404, 412])
def test_what_is_not_in_the_cache_is_told_apart(tmp_path: Path, status: int) -> None:
    with http_cache(tmp_path, [status]) as cache:
        assert _purge(cache.url) == "PURGE of 3 domains, 3 of them not in the cache"


def test_a_refusal_names_the_domain_and_the_others_are_purged(tmp_path: Path) -> None:
    with (
        http_cache(tmp_path, refuses=frozenset({"id.globex.example"})) as cache,
        pytest.raises(
            CdnError, match=r"1 of 3 domains were not purged; id\.globex\.example: status 403: the cache does"
        ),
    ):
        _purge(cache.url)
    assert {domain for domain, _ in cache.purged} == set(DOMAINS)
    assert len(cache.purged) == 3, "a refusal is not tried again"


def test_passing_faults_are_tried_again(tmp_path: Path) -> None:
    with http_cache(tmp_path, [503, 429, 200]) as cache:
        assert _purge(cache.url) == "PURGE of 3 domains"
    assert len(cache.purged) == 5


def test_faults_that_stay_end_it(tmp_path: Path) -> None:
    with http_cache(tmp_path, [502]) as cache, pytest.raises(CdnError, match=r"3 of 3 .* status 502"):
        _purge(cache.url)
    assert len(cache.purged) == 9, "each domain is tried three times"


def test_a_redirect_is_a_failure(tmp_path: Path) -> None:
    with http_cache(tmp_path, [302]) as cache, pytest.raises(CdnError, match="status 302"):
        _purge(cache.url)
    assert len(cache.purged) == 3


def test_a_cache_that_is_down_is_one_line() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(CdnError, match=r"^purge:http://127\S+: 3 of 3 .* no connection to") as caught:
            _purge(url)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "varnish",
        "purge:",
        "purge:ftp://x",
        "purge:http://user:secret@cache",
        "purge:http://cache/?a=secret",
        "fastly:x",
    ],
)
def test_what_names_no_cdn_is_refused_without_an_echo_of_secrets(spec: str) -> None:
    with pytest.raises(ValueError, match=r"write|leave it out|end it before") as caught:
        open_cdn(spec)
    assert "secret" not in str(caught.value)


def test_the_name_is_what_opens_it() -> None:
    assert open_cdn("purge:https://{domain}/").name == "purge:https://{domain}"
