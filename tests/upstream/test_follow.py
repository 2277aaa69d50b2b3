"""What generated.yaml says after a sync, case by case."""

from datetime import timedelta

from keymaker import ec_key, public_jwk

from publisher.generatedfile import moment, window, written
from publisher.keyset import NEVER
from publisher.timeline import phase
from publisher.upstream import Terms

from .sets import (
    EMPTY,
    START,
    TERMS,
    by_hand,
    entry,
    fields,
    hour,
    keys,
    offer,
    refusal,
    started,
    sync,
    with_fields,
)

OTHER = "https://other.example/jwks"
ALLOWED = Terms(lead=TERMS.lead, retention=TERMS.retention, allow_loss=True)


# --- the first sync


def test_the_first_sync_pins_the_url_and_takes_the_keys_as_they_are() -> None:
    made = sync(EMPTY, offer(0, 1), hour(0.5))
    jwks_ = [public_jwk(ec_key(number)) for number in (0, 1)]
    assert written(made.content).decode() == (
        "# Written by the platform. People change keyset.yaml beside it.\n"
        "version: 1\n"
        "upstream:\n"
        '  url: "https://idp.example/jwks?p=1"\n'
        "  synced: 2026-01-01T00:30:00Z\n"
        "generated_keys:\n"
        + "".join(
            f"  - kid: k{number}\n    alg: ES256\n    jwk:\n"
            + "".join(f"      {shown(name)}: {shown(one[name])}\n" for name in ("kty", "crv", "x", "y"))
            + "    publish: {from: 2026-01-01T00:30:00Z}\n"
            for number, one in enumerate(jwks_)
        )
    )
    assert made.first
    assert made.announced == ("k0", "k1")
    assert (made.returned, made.vanished, made.kept, made.revoked) == ((), (), (), ())
    assert {phase(key, hour(0.5)) for key in keys(made.content).values()} == {"active"}


def shown(value: str) -> str:
    """Base64url that begins with `-` is quoted, and so is what looks like a number."""
    return written(by_hand([{"kid": value}])).decode().partition("kid: ")[2].strip()


def test_of_an_instant_the_whole_seconds_count() -> None:
    made = sync(EMPTY, offer(0), START + timedelta(microseconds=999_999))
    assert keys(made.content)["k0"].window.publish_from == START


def test_entries_of_the_same_keys_that_stood_there_are_kept_as_they_are() -> None:
    before = by_hand([entry(0, domains=["login.acme.example"]), entry(1, publish=window(START, hour(1)))])
    made = sync(before, offer(0), hour(2))
    assert made.content.entries == before.entries
    assert made.kept == ("k0",)


def test_keys_that_the_upstream_does_not_have_are_another_origin() -> None:
    told = refusal(by_hand([entry(0), entry(1)]), offer(0))
    assert told.startswith("the key `k1` is not one of the upstream's: generated keys are made here or follow")
    assert refusal(by_hand([entry(0), entry(1)]), offer(0), terms=ALLOWED) == told


# --- new, gone, back


def test_a_new_key_is_announced_and_the_others_stay() -> None:
    before = started(0)
    made = sync(before, offer(0, 1), hour(5))
    assert (made.first, made.announced, made.kept) == (False, ("k1",), ("k0",))
    assert fields(made.content, "k0") == fields(before, "k0")
    assert fields(made.content, "k1") == entry(
        1, publish={"from": moment(hour(5))}, signs={"from": moment(hour(5) + TERMS.lead)}
    )
    assert phase(keys(made.content)["k1"], hour(6)) == "announced"


def test_a_key_that_is_gone_retires_and_goes_after_the_retention() -> None:
    made = sync(started(0, 1), offer(1), hour(5))
    assert made.vanished == ("k0",)
    gone = keys(made.content)["k0"]
    assert (gone.window.signs_until, gone.window.publish_until) == (hour(5), hour(5) + TERMS.retention)
    assert phase(gone, hour(5)) == "retiring"
    later = sync(made.content, offer(1), hour(90))
    assert later.content.entries == made.content.entries
    assert (later.vanished, later.kept) == ((), ("k1",))


def test_an_announced_key_that_is_gone_has_signed_for_no_time_and_goes_as_late() -> None:
    announced = sync(started(0), offer(0, 1), hour(5)).content
    made = keys(sync(announced, offer(0), hour(6)).content)["k1"].window
    assert (made.publish_from, made.signs_from, made.signs_until) == (hour(5), hour(6), hour(6))
    assert made.publish_until == hour(6) + TERMS.retention


def test_the_end_of_signing_that_was_there_stays() -> None:
    before = with_fields(started(0, 1), "k0", signs={"until": moment(hour(2))})
    assert keys(sync(before, offer(1), hour(5)).content)["k0"].window.signs_until == hour(2)


def test_a_key_that_is_back_before_its_end_goes_on_as_before() -> None:
    before = started(0, 1)
    gone = sync(before, offer(1), hour(5)).content
    made = sync(gone, offer(0, 1), hour(6))
    assert (made.returned, made.kept) == (("k0",), ("k1",))
    assert made.content.entries == before.entries


def test_an_announced_key_that_is_back_signs() -> None:
    announced = sync(started(0), offer(0, 1), hour(5)).content
    gone = sync(announced, offer(0), hour(6)).content
    back = keys(sync(gone, offer(0, 1), hour(7)).content)["k1"]
    assert (back.window.publish_from, back.window.publish_until, back.window.signs_until) == (hour(5), NEVER, NEVER)
    assert phase(back, hour(7)) == "active"


def test_a_key_that_is_back_after_its_end_is_announced_anew() -> None:
    gone = sync(started(0, 1), offer(1), hour(5)).content
    end = hour(5) + TERMS.retention
    made = sync(gone, offer(0, 1), end)
    assert (made.announced, made.returned) == (("k0",), ())
    again = keys(made.content)["k0"].window
    assert (again.publish_from, again.signs_from, again.publish_until) == (end, end + TERMS.lead, NEVER)


def test_ends_that_a_person_set_are_opened_too() -> None:
    before = with_fields(started(0, 1), "k0", publish={"from": moment(START), "until": moment(hour(50))})
    assert sync(before, offer(0, 1), hour(5)).returned == ("k0",)
    before = with_fields(started(0, 1), "k0", signs={"until": moment(hour(50))})
    assert sync(before, offer(0, 1), hour(5)).returned == ("k0",)


def test_other_fields_of_entries_stay() -> None:
    before = with_fields(started(0, 1), "k0", domains=["login.acme.example"])
    made = sync(before, offer(1), hour(5)).content
    assert fields(made, "k0")["domains"] == ["login.acme.example"]
    assert list(fields(made, "k0")) == ["kid", "alg", "jwk", "publish", "domains", "signs"]
