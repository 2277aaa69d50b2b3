"""Upstreams' sets for tests, and following them through the file as it is written."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from keymaker import ec_key, public_jwk

from publisher.generatedfile import Content, read, written
from publisher.incoming import RefusedError
from publisher.keyset import Key, KeySet, read_keyset
from publisher.offer import Offer, read_offer
from publisher.source import File, Folder
from publisher.upstream import Followed, Terms, follow

URL = "https://idp.example/jwks?p=1"
START = datetime(2026, 1, 1, tzinfo=UTC)
TERMS = Terms(lead=timedelta(hours=24), retention=timedelta(hours=36))
KEYSET = b"version: 1\ntenant: acme\nplan: enterprise\ndomains: [login.acme.example]\n"
EMPTY = Content(entries=())


def hour(count: float) -> datetime:
    return START + timedelta(hours=count)


def text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def jwk(number: int, kid: str | None = None, **members: Any) -> dict[str, Any]:
    """A key as an upstream gives it: `kN` where no kid is given."""
    return {
        "kid": f"k{number}" if kid is None else kid,
        "use": "sig",
        "alg": "ES256",
        **public_jwk(ec_key(number)),
        **members,
    }


def jwks(*keys: Mapping[str, Any], **members: Any) -> bytes:
    return json.dumps({"keys": keys, **members}).encode()


def offer(*numbers: int) -> Offer:
    """The set of these keys."""
    return read_offer(jwks(*(jwk(number) for number in numbers)))


def sync(content: Content, given: Offer, now: datetime, terms: Terms = TERMS, url: str = URL) -> Followed:
    """A sync whose result went through the file."""
    followed = follow(content, given, url, terms, now)
    assert read(written(followed.content)) == followed.content
    return followed


def started(*numbers: int, at: datetime = START) -> Content:
    """The content after a first sync."""
    return sync(EMPTY, offer(*numbers), at).content


def keyset(content: Content) -> KeySet:
    """The tenant with this generated.yaml, in which there is no mistake."""
    files = {"keyset.yaml": KEYSET, "generated.yaml": written(content)}
    folder = Folder(
        path="keysets/acme", tree=None, files={name: File(kind="file", data=data) for name, data in files.items()}
    )
    found = read_keyset(folder)
    assert found.diagnostics == ()
    assert found.keyset is not None
    return found.keyset


def keys(content: Content) -> dict[str, Key]:
    """The keys by kid."""
    return {key.kid: key for key in keyset(content).keys}


def fields(content: Content, kid: str) -> Mapping[str, Any]:
    """An entry as it stands."""
    return next(one for one in content.entries if one["kid"] == kid)


def with_fields(content: Content, kid: str, **changed: Any) -> Content:
    """The content with other fields in one entry."""
    made = tuple({**one, **changed} if one["kid"] == kid else one for one in content.entries)
    return Content(entries=made, upstream=content.upstream)


def by_hand(entries: Iterable[Mapping[str, Any]]) -> Content:
    """A content that follows nothing."""
    return Content(entries=tuple(entries))


def refusal(content: Content, given: Offer, now: datetime = START, terms: Terms = TERMS, url: str = URL) -> str:
    """Why this sync is refused."""
    with pytest.raises(RefusedError) as caught:
        follow(content, given, url, terms, now)
    message = str(caught.value)
    assert message.isprintable()
    return message


def entry(number: int, **more: Any) -> dict[str, Any]:
    """An entry as a person might have written it."""
    named = {"kid": f"k{number}", "alg": "ES256", "jwk": public_jwk(ec_key(number))}
    return {**named, **more}
