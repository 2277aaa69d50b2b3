"""What keyset.yaml, generated.yaml and waivers.yaml may hold, field by field. `keyset` and `waiverfile` read them."""

import re
from datetime import timedelta

from publisher.kinds import Duration, Field, Instant, Integer, ListOf, Raw, Shape, Text

LIMIT_REASON = 500
_PEM = Text(what="PEM text or a file's name", max_length=65_536)
_NAME = Text(what="a name", max_length=255)
CONSUMER_NAMES = ListOf(item=Text(what="a verifier's name", max_length=64), most=100, distinct=True)
UPSTREAM_URL = re.compile(r"https://[A-Za-z0-9._:\[\]-]+(?:[/?][\x21\x22\x24-\x7e]*)?", re.ASCII)
"""https, in ASCII, without user name, password and fragment."""
_URL = Text(what="an https URL, without user name, password and fragment", pattern=UPSTREAM_URL, max_length=2048)
_DOMAINS = ListOf(item=Text(what="a host name", max_length=1024), most=200, distinct=True)

WINDOW = Shape(
    fields={
        "from": Field(kind=Instant(), doc="first instant; open if left out"),
        "until": Field(kind=Instant(), doc="end, not included; open if left out"),
    }
)
REVOKED = Shape(
    fields={
        "at": Field(kind=Instant(), doc="when the key was compromised", required=True),
        "reason": Field(kind=Text(what="a reason", max_length=LIMIT_REASON), doc="why, for the ledger", required=True),
    }
)
KEY = Shape(
    fields={
        "kid": Field(kind=Text(what="a kid", max_length=8192), doc="key ID; the RFC 7638 thumbprint if left out"),
        "alg": Field(kind=Text(what="an algorithm", max_length=64), doc="signature algorithm: RS256, ES256, EdDSA"),
        "jwk": Field(kind=Raw(), doc="the key as a JWK"),
        "pem": Field(kind=_PEM, doc="public key in PEM, or its file"),
        "certificate": Field(kind=_PEM, doc="certificate chain in PEM, or its file"),
        "domains": Field(kind=_DOMAINS, doc="the domains that publish this key; all if left out"),
        "publish": Field(kind=WINDOW, doc="when the key is in the documents"),
        "signs": Field(kind=WINDOW, doc="when tokens are signed with it"),
        "proof": Field(
            kind=Text(what="a compact JWS", max_length=8192), doc="proof that the tenant has the private half"
        ),
        "vault": Field(
            kind=Text(what="a vault's name for a key", max_length=2048), doc="where the private half is, `local:...`"
        ),
        "revoked": Field(kind=REVOKED, doc="revoked: gone at the next publish, for ever"),
    }
)
MOST_ENTRIES = 500
_ENTRIES = ListOf(item=KEY, most=MOST_ENTRIES)
ROTATION = Shape(
    fields={
        "every": Field(kind=Duration(most=timedelta(days=3660)), doc="time between rotations"),
        "lead": Field(
            kind=Duration(most=timedelta(days=366)), doc="least time that a key is published before it signs"
        ),
        "alg": Field(kind=Text(what="an algorithm", max_length=64), doc="algorithm of new generated keys"),
    }
)
KEYSET = Shape(
    fields={
        "version": Field(kind=Integer(least=1, most=1), doc="the format's version, 1", required=True),
        "tenant": Field(kind=_NAME, doc="the tenant: its folder's name", required=True),
        "plan": Field(kind=_NAME, doc="a plan of policy.yaml", required=True),
        "domains": Field(kind=_DOMAINS, doc="custom domains", required=True),
        "consumers": Field(kind=CONSUMER_NAMES, doc="verifiers that read this tenant's documents, []"),
        "rotation": Field(kind=ROTATION, doc="how this tenant's generated keys rotate, within the platform's bounds"),
        "token_lifetime": Field(
            kind=Duration(most=timedelta(days=366)), doc="longest lifetime of this tenant's tokens; the plan's"
        ),
        "custom_keys": Field(kind=_ENTRIES, doc="the tenant's own keys"),
    }
)
UPSTREAM = Shape(
    fields={
        "url": Field(kind=_URL, doc="the JWKS that is followed", required=True),
        "synced": Field(kind=Instant(), doc="when it was last read without a fault"),
    }
)
GENERATED = Shape(
    fields={
        "version": Field(kind=Integer(least=1, most=1), doc="the format's version, 1", required=True),
        "upstream": Field(kind=UPSTREAM, doc="the key set that these keys follow, if they follow one"),
        "generated_keys": Field(kind=_ENTRIES, doc="the platform's keys for this tenant", required=True),
    }
)
WAIVER = Shape(
    fields={
        "rule": Field(kind=Text(what="a hazard's id", max_length=64), doc="the hazard's id", required=True),
        "tenant": Field(kind=_NAME, doc="the tenant that it is accepted for"),
        "kid": Field(kind=Text(what="a kid", max_length=255), doc="the key that it concerns; or `domain`"),
        "domain": Field(kind=Text(what="a host name", max_length=253), doc="the domain that it concerns; or `kid`"),
        "until": Field(kind=Instant(), doc="end, not included; at most 90 days ahead", required=True),
        "reason": Field(kind=Text(what="a reason", max_length=LIMIT_REASON), doc="why it is accepted", required=True),
    }
)
WAIVERS = Shape(
    fields={
        "version": Field(kind=Integer(least=1, most=1), doc="the format's version, 1", required=True),
        "waivers": Field(kind=ListOf(item=WAIVER, most=MOST_ENTRIES), doc="hazards that are accepted", required=True),
    }
)
