"""`generated list`: keys by their phases, in Auth0's words too, and when the next rotation is due."""

from .running import DAY, LEAD, NOW, World, at, entry, generated, kid, signing_since

SINCE = NOW - 10 * DAY


def test_phases_windows_and_the_next_rotation(world: World) -> None:
    old = entry(
        0,
        publish=f"from: {at(NOW - 99 * DAY)}, until: {at(NOW + DAY)}",
        signs=f"from: {at(NOW - 98 * DAY)}, until: {at(SINCE)}",
    )
    gone = entry(3, publish=f"until: {at(NOW)}")
    lost = entry(4, revoked=f"at: {at(SINCE)}, reason: lost")
    later = entry(5, publish=f"from: {at(NOW + DAY)}", signs="from: 2090-01-01T00:00:00Z")
    standby = entry(2, publish=f"from: {at(SINCE)}", signs="from: 2090-01-01T00:00:00Z")
    world.tenant("acme", generated(old, signing_since(1, SINCE), standby, gone, lost, later))
    ran = world.do("list", "acme")
    assert ran.code == 0
    assert ran.err == "6 generated keys\n"
    assert ran.out.splitlines() == [
        f"{kid(0)}  ES256  retiring (previous)",
        f"    published {at(NOW - 99 * DAY)} .. {at(NOW + DAY)}",
        f"    signs     {at(NOW - 98 * DAY)} .. {at(SINCE)}",
        f"{kid(1)}  ES256  active (current)",
        f"    published {at(SINCE - 2 * DAY)} .. open",
        f"    signs     {at(SINCE)} .. open",
        f"{kid(2)}  ES256  announced (next)",
        f"    published {at(SINCE)} .. open",
        "    signs     2090-01-01T00:00:00Z .. open",
        f"{kid(3)}  ES256  withdrawn",
        f"    published open .. {at(NOW)}",
        f"    signs     open .. {at(NOW)}",
        f"{kid(4)}  ES256  revoked",
        "    published open .. open",
        "    signs     open .. open",
        f"{kid(5)}  ES256  pending",
        f"    published {at(NOW + DAY)} .. open",
        "    signs     2090-01-01T00:00:00Z .. open",
        f"the next rotation is due at {at(SINCE + 90 * DAY - LEAD)}",
    ]
    found = world.json("list", "acme")
    assert (found["tenant"], found["as_of"], found["rotation"]) == ("acme", at(NOW), "later")
    assert found["rotation_due"] == at(SINCE + 90 * DAY - LEAD)
    assert [key["phase"] for key in found["keys"]] == [
        "retiring",
        "active",
        "announced",
        "withdrawn",
        "revoked",
        "pending",
    ]
    assert [key["auth0"] for key in found["keys"]] == ["previous", "current", "next", None, None, None]
    assert found["keys"][1] == {
        "kid": kid(1),
        "alg": "ES256",
        "thumbprint": kid(1),
        "phase": "active",
        "auth0": "current",
        "vault": None,
        "publish": {"from": at(SINCE - 2 * DAY), "until": None},
        "signs": {"from": at(SINCE), "until": None},
        "revoked": None,
    }
    assert found["keys"][4]["revoked"] == {"at": at(SINCE), "reason": "lost"}


def test_where_the_rotation_stands(world: World) -> None:
    world.tenant("acme", generated(signing_since(0, NOW - 99 * DAY)))
    assert "a rotation is due\n" in world.done("list", "acme")
    assert world.json("list", "acme")["rotation"] == "due"
    world.done("rotate", "acme")
    assert "a rotation is under way\n" in world.done("list", "acme")
    assert (world.json("list", "acme")["rotation"], world.json("list", "acme")["rotation_due"]) == ("under way", None)
    world.tenant("globex")
    assert world.json("list", "globex") == {
        "tenant": "globex",
        "as_of": at(NOW),
        "rotation": "due",
        "rotation_due": None,
        "keys": [],
    }
    world.tenant("hooli", "version: 1\nupstream: {url: 'https://idp.example/jwks'}\ngenerated_keys: []\n")
    assert world.done("list", "hooli") == "they follow https://idp.example/jwks, which rotates\n"
    assert world.json("list", "hooli")["rotation"] == "followed"
    assert world.do("list", "nobody").code == 2


def test_custom_keys_are_not_among_them(world: World) -> None:
    world.tenant("acme", keyset="custom_keys:\n" + entry(1, name="own"))
    assert world.json("list", "acme")["keys"] == []


def test_of_a_revision(world: World) -> None:
    world.tenant("acme", generated(signing_since(0, SINCE)))
    world.repo.commit()
    world.done("rotate", "acme")
    assert len(world.json("list", "acme")["keys"]) == 2
    assert len(world.json("list", "acme", "--rev", "HEAD")["keys"]) == 1
