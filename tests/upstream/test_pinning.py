"""What a sync refuses, and that nothing changes then."""

from datetime import timedelta
from typing import Any

import pytest
from keymaker import base64url, ec_key, key_of, public_jwk, thumbprint

from publisher.generatedfile import moment, read, window, written
from publisher.jwk import members, negative_thumbprint
from publisher.offer import read_offer
from publisher.source import LIMIT_FILE_BYTES
from publisher.upstream import Terms, follow

from .sets import (
    EMPTY,
    START,
    TERMS,
    URL,
    by_hand,
    entry,
    fields,
    hour,
    jwk,
    jwks,
    keys,
    keyset,
    offer,
    refusal,
    started,
    sync,
    text,
    with_fields,
)

OTHER = "https://other.example/jwks"
ALLOWED = Terms(lead=TERMS.lead, retention=TERMS.retention, allow_loss=True)


# --- the pin


def test_another_url_is_refused_unless_pinned_anew() -> None:
    told = refusal(started(0), offer(0), url=OTHER)
    assert told.startswith(f"these keys follow {URL}, and this is another URL")
    repin = Terms(lead=TERMS.lead, retention=TERMS.retention, repin=True)
    made = sync(started(0), offer(0, 1), hour(1), repin, OTHER)
    assert made.content.upstream == {"url": OTHER, "synced": text(hour(1))}
    assert (made.first, made.kept, made.announced) == (False, ("k0",), ("k1",))
    assert "lost every known key" in refusal(started(0), offer(1), hour(1), repin, OTHER)


def test_a_kid_with_another_key_refuses_the_whole_sync() -> None:
    hostile = read_offer(jwks(jwk(0), jwk(9, kid="k1"), jwk(2)))
    told = refusal(started(0, 1), hostile, hour(1), ALLOWED)
    assert told.startswith("the kid `k1` comes with another key than the recorded one, so the whole sync is refused")


def test_a_kid_stays_taken_after_its_key_is_over_or_revoked() -> None:
    hostile = read_offer(jwks(jwk(9, kid="k0"), jwk(1)))
    gone = sync(started(0, 1), offer(1), hour(1)).content
    assert "the kid `k0` comes with another key" in refusal(gone, hostile, hour(900))
    revoked = with_fields(started(0, 1), "k0", revoked={"at": moment(START), "reason": "lost"})
    assert "the kid `k0` comes with another key" in refusal(revoked, hostile, hour(1))


def test_another_exponent_is_another_key() -> None:
    members_ = public_jwk(key_of("RSA"))
    before = sync(EMPTY, read_offer(jwks({"kid": "a", "alg": "RS256", **members_})), START).content
    changed = read_offer(jwks({"kid": "a", "alg": "RS256", **members_, "e": "Aw"}))
    assert "comes with another key" in refusal(before, changed)


@pytest.mark.parametrize("over", [False, True])
def test_a_key_under_another_kid_is_refused(over: bool) -> None:
    before = sync(started(0, 1), offer(1), hour(1)).content if over else started(0, 1)
    told = refusal(before, read_offer(jwks(jwk(0, kid="new"), jwk(1))), hour(900))
    assert told.startswith("the key that is recorded as `k0` comes as `new`; a key keeps its kid")


def test_another_algorithm_is_refused_and_a_missing_one_is_the_recorded() -> None:
    given = public_jwk(key_of("RSA"))
    before = sync(EMPTY, read_offer(jwks({"kid": "a", "alg": "PS256", **given})), START).content
    told = refusal(before, read_offer(jwks({"kid": "a", "alg": "RS256", **given})))
    assert told.startswith("the key `a` comes with alg RS256, and PS256 is recorded")
    made = sync(before, read_offer(jwks({"kid": "a", "use": "sig", **given})), hour(1))
    assert made.content.entries == before.entries


def test_two_keys_under_one_kid_and_one_key_under_two_are_refused() -> None:
    two = read_offer(jwks(jwk(0, kid="a"), jwk(1, kid="a")))
    assert refusal(EMPTY, two).startswith("the upstream has two keys under the kid `a`")
    one = read_offer(jwks(jwk(0, kid="a"), jwk(0, kid="b")))
    assert refusal(EMPTY, one) == "the upstream has one key under two kids, `a` and `b`"
    algs = [{"kid": "a", "alg": alg, **public_jwk(key_of("RSA"))} for alg in ("RS256", "PS256")]
    assert refusal(EMPTY, read_offer(jwks(*algs))).startswith("the upstream has two keys under the kid `a`")


def test_a_key_that_stands_twice_is_taken_once() -> None:
    assert sync(EMPTY, offer(0, 0), START).announced == ("k0",)


@pytest.mark.parametrize("members_", [{"use": "enc"}, {"alg": "ECDH-ES"}])
def test_a_recorded_key_that_is_now_for_another_use_refuses_the_sync(members_: dict[str, Any]) -> None:
    given = read_offer(jwks(jwk(0), jwk(1, **members_)))
    assert "the key `k1` comes as one that is not published: its" in refusal(started(0, 1), given, hour(1))
    assert sync(started(0), given, hour(1)).kept == ("k0",)


def test_a_key_that_is_ending_may_come_for_another_use() -> None:
    gone = sync(started(0, 1), offer(0), hour(1)).content
    given = read_offer(jwks(jwk(0), jwk(1, use="enc")))
    assert sync(gone, given, hour(2)).content.entries == gone.entries


def test_a_key_for_encryption_may_share_the_kid_of_one_for_signatures() -> None:
    given = read_offer(jwks(jwk(0), jwk(1, kid="k0", use="enc")))
    assert sync(sync(EMPTY, given, START).content, given, hour(1)).kept == ("k0",)


# --- revoked keys


def test_a_revoked_key_never_returns() -> None:
    revoked = with_fields(started(0, 1), "k0", revoked={"at": moment(START), "reason": "lost"})
    made = sync(revoked, offer(0, 1), hour(1))
    assert (made.revoked, made.kept) == (("k0",), ("k1",))
    assert made.content.entries == revoked.entries
    other_kid = sync(revoked, read_offer(jwks(jwk(0, kid="new"), jwk(1))), hour(1))
    assert (other_kid.revoked, other_kid.announced) == (("new",), ())
    assert other_kid.content.entries == revoked.entries


def test_nor_does_its_negative() -> None:
    revoked = with_fields(started(0, 1), "k0", revoked={"at": moment(START), "reason": "lost"})
    key = keys(revoked)["k0"].jwk
    p = 2**256 - 2**224 + 2**192 + 2**96 - 1
    y = p - ec_key(0).public_key().public_numbers().y
    twin = jwk(0, kid="twin", y=base64url(y.to_bytes(32, "big")))
    given = read_offer(jwks(twin, jwk(1)))
    assert given.keys[0].material.jwk.thumbprint == negative_thumbprint(key)
    assert sync(revoked, given, hour(1)).revoked == ("twin",)


def test_only_revoked_keys_are_a_loss() -> None:
    revoked = with_fields(started(0), "k0", revoked={"at": moment(START), "reason": "lost"})
    assert "no key that can be published" in refusal(revoked, offer(0), hour(1))


# --- losses


def test_an_empty_set_is_refused_unless_allowed() -> None:
    told = "the upstream has no key that can be published; nothing was changed"
    assert refusal(EMPTY, offer()) == told
    assert refusal(started(0, 1), offer(), hour(1)) == told
    assert refusal(started(0), read_offer(jwks(jwk(5, use="enc"))), hour(1)) == told
    made = sync(started(0, 1), offer(), hour(1), ALLOWED)
    assert made.vanished == ("k0", "k1")
    assert sync(made.content, offer(), hour(2), ALLOWED).content.entries == made.content.entries
    assert refusal(made.content, offer(), hour(2)) == told


def test_the_loss_of_all_known_keys_at_once_is_refused_unless_allowed() -> None:
    told = refusal(started(0, 1), offer(2, 3), hour(1))
    assert told == "the upstream has lost every known key (`k0`, `k1`) at once; nothing was changed"
    made = sync(started(0, 1), offer(2), hour(1), ALLOWED)
    assert (made.vanished, made.announced) == (("k0", "k1"), ("k2",))


def test_a_key_that_has_an_end_is_none_to_lose() -> None:
    gone = sync(started(0, 1), offer(1), hour(1)).content
    assert "(`k1`)" in refusal(gone, offer(0), hour(2))


# --- what else stands in the file


def test_keys_in_a_vault_and_followed_ones_do_not_mix() -> None:
    vaulted = by_hand([entry(0, vault="local:secret-place")])
    for before in (vaulted, with_fields(started(0, 1), "k1", vault="local:secret-place")):
        told = refusal(before, offer(0), hour(1))
        assert "is in a vault: generated keys are made here or follow an upstream, not both" in told
        assert "secret-place" not in told
    over = by_hand([entry(0, vault="local:x", publish={"until": moment(hour(1))})])
    assert "is in a vault" in refusal(over, offer(1), hour(0.5))
    assert sync(over, offer(1), hour(1)).content.entries[0] == over.entries[0]
    assert "is in a vault" in refusal(over, offer(0), hour(1))
    revoked = by_hand([entry(0, vault="local:x", revoked={"at": moment(START), "reason": "lost"})])
    assert sync(revoked, offer(1), hour(1)).announced == ("k1",)


def test_a_clock_behind_the_last_sync_is_told() -> None:
    assert "the last sync was at 2026-01-01T00:00:00Z" in refusal(started(0), offer(0), hour(-1))
    ahead = with_fields(started(0), "k0", publish={"from": moment(hour(9))})
    assert "published from 2026-01-01T09:00:00Z on, which is in the future" in refusal(ahead, offer(0), hour(1))


def test_a_file_with_a_mistake_is_not_followed() -> None:
    before = with_fields(started(0), "k0", alg="")
    assert refusal(before, offer(0)).startswith("generated.yaml has a mistake: ")


def test_an_unknown_field_of_an_entry_is_a_mistake() -> None:
    assert "generated.yaml has a mistake" in refusal(by_hand([entry(0, note="x")]), offer(0))


def test_a_file_does_not_grow_past_what_is_read() -> None:
    over = [entry(number, publish=window(START, hour(1))) for number in range(10, 509)]
    assert len(sync(by_hand(over), offer(0), hour(2)).content.entries) == 500
    assert "would have more than 500 entries" in refusal(by_hand(over), offer(0, 1), hour(2))
    ended = {"publish": window(START, hour(1)), "signs": window(START, hour(1))}
    long = [entry(number, kid="k" * 251 + f"{number}", **ended) for number in range(10, 509)]
    assert len(written(by_hand(long))) > LIMIT_FILE_BYTES
    assert "or 262,144 bytes" in refusal(by_hand(long), offer(0), hour(2))


@pytest.mark.parametrize(("lead", "retention"), [(timedelta(seconds=-1), timedelta(1)), (timedelta(0), timedelta(0))])
def test_terms_that_make_no_sense(lead: timedelta, retention: timedelta) -> None:
    with pytest.raises(ValueError, match="at least zero"):
        follow(EMPTY, offer(0), URL, Terms(lead=lead, retention=retention), START)


def test_what_is_written_is_the_public_key_and_nothing_else() -> None:
    given = read_offer(jwks(jwk(0, x5t="x", ext=True, issuer="i")))
    made = sync(EMPTY, given, START).content
    assert keyset(made).keys[0].jwk.thumbprint == thumbprint(ec_key(0))
    assert fields(made, "k0")["jwk"] == members(keyset(made).keys[0].jwk)
    assert keyset(read(written(made))).upstream == keyset(made).upstream
