"""`generated sync` with a real HTTPS server: what is followed, what is refused, and what a publish says of it."""

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from keymaker import ec_key, public_jwk
from program import Ran
from upstream.https import Authority, Server, authority, reply

from .running import DAY, HOUR, LEAD, NOW, RETENTION, World, active, at, generated, kid, signing_since


def jwk(number: int, name: str = "") -> dict[str, Any]:
    return {"kid": name or f"k{number}", "use": "sig", "alg": "ES256", **public_jwk(ec_key(number))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """An identity provider at a port of the loopback."""

    server: Server
    ca: str

    def url(self, path: str = "/jwks") -> str:
        return f"https://127.0.0.1:{self.server.port}{path}"

    def offers(self, *keys: dict[str, Any], path: str = "/jwks") -> None:
        self.server.routes[path] = reply(json.dumps({"keys": keys}).encode())

    @property
    def trust(self) -> tuple[str, ...]:
        return ("--allow-private", "--ca", self.ca)


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def idp(trusted: Authority) -> Iterator[Provider]:
    server, ready, loop = Server({}), threading.Event(), asyncio.new_event_loop()
    ended = asyncio.Event()

    async def serve() -> None:
        async with server.running(trusted.tls):
            ready.set()
            await ended.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert ready.wait(10)
    yield Provider(server=server, ca=str(trusted.ca))
    loop.call_soon_threadsafe(ended.set)
    thread.join()
    loop.close()


def sync(world: World, idp: Provider, *arguments: str, hours: float = 0) -> Ran:
    return world.do("sync", *arguments, *idp.trust, now=NOW + hours * HOUR)


@pytest.fixture
def acme(world: World, idp: Provider) -> World:
    """A tenant that follows the provider's first key, published."""
    world.tenant()
    idp.offers(jwk(0))
    ran = sync(world, idp, "acme", "--from", idp.url())
    assert ran.code == 0, ran.err
    world.publish(NOW)
    return world


def test_the_first_sync_pins_the_url_and_takes_the_keys_as_they_are(acme: World, idp: Provider) -> None:
    assert acme.text().startswith(
        "# Written by the platform. People change keyset.yaml beside it.\nversion: 1\n"
        f'upstream:\n  url: "{idp.url()}"\n  synced: {at(NOW)}\ngenerated_keys:\n  - kid: k0\n    alg: ES256\n'
    )
    assert acme.text().endswith(f"    publish: {{from: {at(NOW)}}}\n")
    assert active(acme.made(), NOW) == ["k0"]
    assert acme.served() == ["k0"]


def test_a_new_key_is_announced_and_one_that_is_gone_retires(acme: World, idp: Provider) -> None:
    idp.offers(jwk(0), jwk(1))
    ran = sync(acme, idp, "acme", hours=1)
    assert "acme: k1 is announced; the provider may sign with it at once, so publish soon\n" in ran.out
    new = acme.made()[1].window
    assert (new.publish_from, new.signs_from) == (NOW + HOUR, NOW + HOUR + LEAD)
    idp.offers(jwk(1))
    ran = sync(acme, idp, "acme", hours=72)
    assert "acme: k0 is gone there, and retires\n" in ran.out
    old = acme.made()[0].window
    assert (old.signs_until, old.publish_until) == (NOW + 72 * HOUR, NOW + 72 * HOUR + RETENTION)
    assert "acme: nothing new; 1 key\n" in sync(acme, idp, "acme", hours=73).out
    assert acme.mistakes(NOW + 73 * HOUR) == []


def test_a_provider_that_rotated_without_notice_leaves_no_gap(acme: World, idp: Provider) -> None:
    idp.offers(jwk(1))
    assert sync(acme, idp, "acme", "--allow-loss", hours=5).code == 0
    assert active(acme.made(), NOW + 5 * HOUR) == ["k1"]
    outcome = acme.publish(NOW + 5 * HOUR)
    assert outcome.plan is not None
    found = [one for change in outcome.plan.changes for one in change.hazards]
    assert [one.rule.id for one in found if not one.waived] == []
    assert set(acme.served()) == {"k0", "k1"}


def test_an_announced_key_signs_when_the_provider_drops_the_one_before_it_early(acme: World, idp: Provider) -> None:
    idp.offers(jwk(0), jwk(1))
    sync(acme, idp, "acme", hours=1)
    idp.offers(jwk(1))
    assert sync(acme, idp, "acme", hours=2).code == 0
    assert active(acme.made(), NOW + 2 * HOUR) == ["k1"]
    assert acme.mistakes(NOW + 2 * HOUR) == []


def test_a_set_that_lost_every_key_needs_to_be_allowed(acme: World, idp: Provider) -> None:
    before = acme.text()
    for keys in ((), (jwk(1),)):
        idp.offers(*keys)
        ran = sync(acme, idp, "acme", hours=1)
        assert (ran.code, "acme: the upstream has" in ran.err) == (1, True)
    assert acme.text() == before


def test_the_pin_holds_until_somebody_repins(acme: World, idp: Provider) -> None:
    idp.offers(jwk(0), jwk(2), path="/new")
    ran = sync(acme, idp, "acme", "--from", idp.url("/new"), hours=1)
    assert (ran.code, "and this is another URL" in ran.err) == (1, True)
    assert sync(acme, idp, "acme", "--from", idp.url("/new"), "--repin", hours=1).code == 0
    assert idp.url("/new") in acme.text()
    idp.offers(jwk(3, "k0"), path="/new")
    ran = sync(acme, idp, "acme", hours=2)
    assert (ran.code, "comes with another key than the recorded one" in ran.err) == (1, True)


def test_two_tenants_cannot_follow_one_set(acme: World, idp: Provider) -> None:
    acme.tenant("globex")
    ran = sync(acme, idp, "globex", "--from", idp.url(), hours=1)
    assert ran.code == 1
    assert "keysets/globex/generated.yaml:7:5: key-shared: the key `k0` is also a key of keysets/acme" in ran.out
    assert not acme.file("globex").exists()


def test_all_followers_sync_and_one_that_fails_stops_no_other(acme: World, idp: Provider) -> None:
    idp.offers(jwk(5), path="/globex")
    idp.offers(jwk(6), path="/hooli")
    for name in ("globex", "hooli"):
        acme.tenant(name)
        assert sync(acme, idp, name, "--from", idp.url(f"/{name}")).code == 0
    acme.tenant("broken", "version: 2\n")
    acme.tenant("initech", generated(signing_since(9, NOW)))
    idp.server.routes["/globex"] = reply(b"", status="500 X")
    idp.offers(jwk(6), jwk(7), path="/hooli")
    idp.offers(jwk(0), jwk(7))
    ran = sync(acme, idp, "--all", hours=1)
    assert ran.code == 3
    assert "error: keysets/broken has mistakes, and is left out" in ran.err
    assert "error: globex: 127.0.0.1" in ran.err
    assert "key-shared" in ran.out  # hooli comes after acme with k7
    assert "error: hooli: 1 mistake" in ran.err
    assert [key.kid for key in acme.made()] == ["k0", "k7"]
    assert [key.kid for key in acme.made("hooli")] == ["k6"]
    assert "commit -m 'Sync keys of 1 tenant'" in ran.out


def test_a_dry_run_shows_the_diff_alone(acme: World, idp: Provider) -> None:
    before = acme.text()
    idp.offers(jwk(0), jwk(1))
    ran = sync(acme, idp, "acme", "--dry-run", hours=1)
    assert (ran.code, "+  - kid: k1\n" in ran.out, "git " in ran.out) == (0, True, False)
    assert acme.text() == before


def test_what_makes_no_sense_and_what_cannot_be_reached(acme: World, idp: Provider) -> None:
    acme.tenant("globex")
    for arguments in ((), ("acme", "--all"), ("--all", "--from", idp.url()), ("globex",), ("nobody",)):
        assert sync(acme, idp, *arguments).code == 2
    private = acme.do("sync", "acme", "--ca", idp.ca)
    assert (private.code, "is not a public address" in private.err) == (3, True)
    stranger = acme.do("sync", "acme", "--allow-private")
    assert stranger.code == 3
    assert "https://" not in sync(acme, idp, "globex", "--from", "https://u:secret@127.0.0.1/").err
    assert kid(0) not in acme.text()
    assert acme.made()[0].window.publish_from == NOW
    assert acme.do("signer", "acme", now=NOW + DAY).code == 0
