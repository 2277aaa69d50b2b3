"""A golden case for every hazard, in the order of `explain`. Tokens live for 24 h, clocks differ by 5 minutes."""

from typing import Any

from keymaker import ec_key, public_jwk
from strategies import Entry, Tenant, entry, hour, text, window

from .stories import Case, Moment

LOGIN, ID = "login.acme.example", "id.acme.example"
REVOKED = {"at": text(hour(0)), "reason": "stolen"}


def acme(*custom: Entry, domains: tuple[str, ...] = (LOGIN,), generated: tuple[Entry, ...] = ()) -> tuple[Tenant, ...]:
    return (Tenant(domains=domains, custom=custom, generated=generated),)


def a(**fields: Any) -> Entry:
    return entry(2, "a", **fields)


def b(**fields: Any) -> Entry:
    return entry(3, "b", **fields)


def c(**fields: Any) -> Entry:
    return entry(4, "c", **fields)


GLOBEX = Tenant(name="globex", domains=(ID,), custom=[entry(5, "g")])
ENDS = window(None, None, 10, None)
"""Signs until 10; its tokens live until 34:05."""
ANNOUNCED = window(0, 90, None, None)
NEXT = window(10, 60, None, None)
"""To be published from 10 on, and to sign from 60 on."""
MANY = tuple({"kid": f"m{n}", "alg": "ES256", "jwk": public_jwk(ec_key(80 + n))} for n in range(14))
SIXTEEN = "consumers: [cloudflare-api-shield]\nlimits: {custom_keys: 14}\nplans: {enterprise: {custom_keys: 14}}\n"
A_ENDS = a(**window(None, None, 75, 100))
B_FOLLOWS = b(**window(0, 75, None, None))

CASES = (
    Case(
        rule="empty-set",
        says="it serves 1 key, and would serve none",
        domain=LOGIN,
        past=(Moment(at=0, tenants=acme(a(**ANNOUNCED))),),
        bad=Moment(at=5, tenants=acme()),
        good=Moment(at=5, tenants=acme(b())),
    ),
    Case(
        rule="foreign-object",
        says="the live document was not written by jwks-publisher, or was changed since",
        domain=LOGIN,
        past=(Moment(at=0, tenants=acme(a())),),
        bad=Moment(at=1, tenants=acme(a(), b()), foreign=(LOGIN,)),
        good=Moment(at=1, tenants=acme(a(), b())),
    ),
    Case(
        rule="stale-write",
        says="release 1 wrote the live document, later than the state knows",
        domain=LOGIN,
        past=(Moment(at=0, tenants=acme(a())), Moment(at=1, tenants=acme(a(), b()))),
        bad=Moment(at=2, tenants=acme(a(), b(), c()), late=(LOGIN,)),
        good=Moment(at=2, tenants=acme(a(), b(), c())),
        passes=True,
    ),
    Case(
        rule="drops-active-key",
        says="the key `b` signs without end, and would be gone",
        domain=LOGIN,
        past=(Moment(at=0, tenants=acme(a(), b())),),
        bad=Moment(at=5, tenants=acme(a())),
        good=Moment(at=5, tenants=acme(a(), b(revoked=REVOKED))),
    ),
    Case(
        rule="drops-active-key",
        says="the key `a` signs without end, and would be gone",
        domain=ID,
        past=(Moment(at=0, tenants=acme(a(), domains=(LOGIN, ID))),),
        bad=Moment(at=5, tenants=acme(a())),
        good=Moment(at=5, tenants=acme(a(), domains=(LOGIN, ID, "more.acme.example"))),
    ),
    Case(
        rule="drops-active-key",
        says="the key `b` signs until 2026-01-01T10:00:00Z, and would be gone",
        domain=LOGIN,
        past=(Moment(at=0, tenants=acme(a(), b(**ENDS))),),
        bad=Moment(at=5, tenants=acme(a(), b(**window(None, None, 1, 2)))),
        good=Moment(at=5, tenants=acme(a(), b(**window(None, None, 1, 40)))),
    ),
    Case(
        rule="drops-retiring-key",
        says="the key `b` ended at 2026-01-01T10:00:00Z, and its tokens live on",
        domain=LOGIN,
        past=(Moment(at=0, tenants=acme(a(), b(**ENDS))),),
        bad=Moment(at=34, tenants=acme(a())),
        good=Moment(at=34.1, tenants=acme(a())),
    ),
    Case(
        rule="kid-reused",
        says="the kid `b` was published for another key",
        domain=LOGIN,
        past=(Moment(at=0, tenants=acme(a(), b(**window(0, 0, 1, 26)))), Moment(at=40, tenants=acme(a()))),
        bad=Moment(at=41, tenants=acme(a(), entry(4, "b"))),
        good=Moment(at=41, tenants=acme(a(), entry(4, "b2"))),
    ),
    Case(
        rule="kid-reused",
        says="the kid `b` was published for another key",
        domain=ID,
        past=(Moment(at=0, tenants=acme(a(), b(**window(0, 0, 1, 26)))), Moment(at=40, tenants=acme(a()))),
        bad=Moment(at=41, tenants=acme(a(), entry(4, "b", domains=[ID]), domains=(LOGIN, ID))),
        good=Moment(at=41, tenants=acme(a(), entry(4, "b2", domains=[ID]), domains=(LOGIN, ID))),
    ),
    Case(
        rule="revoked-key-returns",
        says="the key `b` was revoked",
        domain=LOGIN,
        past=(Moment(at=0, tenants=acme(a(), b())), Moment(at=1, tenants=acme(a(), b(revoked=REVOKED)))),
        bad=Moment(at=2, tenants=acme(a(), b())),
        good=Moment(at=2, tenants=acme(a(), c())),
    ),
    Case(
        rule="revoked-key-returns",
        says="the key `new` was revoked",
        domain=LOGIN,
        past=(Moment(at=0, tenants=acme(a(), b())), Moment(at=1, tenants=acme(a(), b(revoked=REVOKED)))),
        bad=Moment(at=2, tenants=acme(a(), entry(3, "new"))),
        good=Moment(at=2, tenants=acme(a(), b(revoked=REVOKED), entry(4, "new"))),
    ),
    Case(
        rule="revoked-key-returns",
        says="the key `b` was revoked",
        domain=ID,
        past=(Moment(at=0, tenants=acme(a(), b())), Moment(at=1, tenants=acme(a(), b(revoked=REVOKED)))),
        bad=Moment(at=2, tenants=acme(a(), b(domains=[ID]), domains=(LOGIN, ID))),
        good=Moment(at=2, tenants=acme(a(), c(domains=[ID]), domains=(LOGIN, ID))),
    ),
    Case(
        rule="domain-changes-tenant",
        says="the tenant `acme` gave it up; it may be claimed from 2026-01-03T01:15:00Z on",
        domain=ID,
        past=(
            Moment(at=0, tenants=acme(a(), domains=(LOGIN, ID))),
            Moment(at=1, tenants=acme(a()), allowed=("drops-active-key",)),
        ),
        bad=Moment(at=49.2, tenants=(*acme(a()), GLOBEX)),
        good=Moment(at=49.25, tenants=(*acme(a()), GLOBEX)),
    ),
    Case(
        rule="domain-changes-tenant",
        says="the tenant `acme` has it",
        domain=ID,
        firm=True,
        past=(Moment(at=0, tenants=acme(a(), domains=(LOGIN, ID))),),
        bad=Moment(at=1, tenants=(*acme(a(), domains=(LOGIN, ID)), GLOBEX)),
        good=Moment(
            at=1,
            tenants=(
                *acme(a(), domains=(LOGIN, ID)),
                Tenant(name="globex", domains=("id.globex.example",), custom=[entry(5, "g")]),
            ),
        ),
    ),
    Case(
        rule="signs-before-published",
        says="the key `b` signs at once, and not every verifier has it before 2026-01-01T01:16:00Z",
        domain=LOGIN,
        past=(Moment(at=0, tenants=acme(generated=(a(),))),),
        bad=Moment(at=1, tenants=acme(generated=(a(), b()))),
        good=Moment(at=1, tenants=acme(generated=(a(), b(**window(None, 1.27, None, None))))),
    ),
    Case(
        rule="signs-before-published",
        says="the key `b` signs from 2026-01-01T01:15:00Z on, and not every verifier has it before",
        domain=LOGIN,
        past=(Moment(at=0, tenants=acme(a())),),
        bad=Moment(at=1, tenants=acme(a(), b(**window(None, 1.25, None, None)))),
        good=Moment(at=1, tenants=acme(a(), b())),  # nobody is told that it signs
    ),
    Case(  # the publish is late: `b` was to be published from 10 on
        rule="signs-before-published",
        says="the key `c` signs at once",
        domain=LOGIN,
        past=(Moment(at=0, tenants=acme(generated=(a(), b(**NEXT)))),),
        bad=Moment(at=60, tenants=acme(generated=(a(), c(**window(59.5, 60, None, None))))),
        good=Moment(at=60, tenants=acme(generated=(a(), b(**NEXT)))),
    ),
    Case(  # the publish is late, but it is to sign earlier than it was when it was accepted
        rule="signs-before-published",
        says="the key `b` signs at once",
        domain=LOGIN,
        past=(Moment(at=0, tenants=acme(generated=(a(), b(**NEXT)))),),
        bad=Moment(at=59, tenants=acme(generated=(a(), b(**window(10, 58.9, None, None))))),
        good=Moment(at=59.9, tenants=acme(generated=(a(), b(**NEXT)))),
    ),
    Case(  # it takes the place of a revoked key
        rule="signs-before-published",
        says="the key `b` signs at once",
        domain=LOGIN,
        past=(Moment(at=0, tenants=acme(generated=(a(),))),),
        bad=Moment(at=1, tenants=acme(generated=(a(), b(), c(revoked=REVOKED)))),
        good=Moment(at=1, tenants=acme(generated=(a(revoked=REVOKED), b()))),
    ),
    Case(  # nobody has a copy of a first document
        rule="signs-before-published",
        says="the key `b` signs at once",
        domain=ID,
        past=(Moment(at=0, tenants=acme(generated=(a(),), domains=(LOGIN, ID))),),
        bad=Moment(at=1, tenants=acme(generated=(a(), b(domains=[ID])), domains=(LOGIN, ID))),
        good=Moment(
            at=1,
            tenants=acme(generated=(a(), b(domains=["new.acme.example"])), domains=(LOGIN, ID, "new.acme.example")),
        ),
    ),
    Case(  # `a` was to go at 100, and stays until 122:05, as `b` was published late
        rule="consumer-limit",
        says="cloudflare-api-shield takes no more than 16 keys, and there are 17",
        domain=LOGIN,
        past=(
            Moment(at=0, tenants=acme(*MANY, generated=(a(),)), policy=SIXTEEN),
            Moment(at=50, tenants=acme(*MANY, generated=(A_ENDS, B_FOLLOWS)), policy=SIXTEEN),
        ),
        bad=Moment(
            at=101,
            tenants=acme(*MANY, generated=(A_ENDS, B_FOLLOWS, c(**window(101, 160, None, None)))),
            policy=SIXTEEN,
        ),
        good=Moment(
            at=122.1,
            tenants=acme(*MANY, generated=(A_ENDS, B_FOLLOWS, c(**window(122, 190, None, None)))),
            policy=SIXTEEN,
        ),
    ),
    Case(
        rule="not-a-descendant",
        says="commit ",
        domain=None,
        past=(Moment(at=0, tenants=acme(a())),),
        bad=Moment(at=1, tenants=acme(a(), b()), aside=True),
        good=Moment(at=1, tenants=acme(a(), b())),
    ),
    Case(
        rule="clock-behind",
        says="the time is 2026-01-01T09:54:00Z, and release 1 is of 2026-01-01T10:00:00Z",
        domain=None,
        past=(Moment(at=10, tenants=acme(a())),),
        bad=Moment(at=9.9, tenants=acme(a(), b())),
        good=Moment(at=9 + 55 / 60, tenants=acme(a(), b())),
    ),
    Case(
        rule="clock-behind",
        says="the time here is 2026-01-01T01:00:00Z, and the store's 2026-01-01T01:06:00Z",
        domain=None,
        past=(Moment(at=0, tenants=acme(a())),),
        bad=Moment(at=1, tenants=acme(a(), b()), theirs=1.1),
        good=Moment(at=1, tenants=acme(a(), b()), theirs=1 + 5 / 60),
    ),
    Case(
        rule="clock-ahead",
        says="the time here is 2026-01-01T01:00:00Z, and the store's 2026-01-01T00:54:00Z",
        domain=None,
        past=(Moment(at=0, tenants=acme(a())),),
        bad=Moment(at=1, tenants=acme(a(), b()), theirs=0.9),
        good=Moment(at=1, tenants=acme(a(), b()), theirs=55 / 60),
    ),
    Case(
        rule="too-many-changes",
        says="2 domains would lose keys or their document; the policy takes 1 at once",
        domain=None,
        past=(Moment(at=0, tenants=acme(a(), b(**ANNOUNCED), domains=(LOGIN, ID)), policy="limits: {removals: 1}\n"),),
        bad=Moment(at=1, tenants=acme(a(), domains=(LOGIN, ID)), policy="limits: {removals: 1}\n"),
        good=Moment(
            at=1,
            tenants=acme(a(), b(**ANNOUNCED, domains=[ID]), domains=(LOGIN, ID)),
            policy="limits: {removals: 1}\n",
        ),
    ),
)
