"""Compiled tenants against the definition, computed naively, and against all that must not make a difference."""

import base64
import hashlib
import json
import multiprocessing
import os
import random
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import BASE, BOUNDED, MOMENTS, POLICY, Entry, Tenant, entry, hour, pool, tenants, window

from publisher import checking, fleet, spread
from publisher.compile import Compiled, DomainTimeline
from publisher.diagnostic import Finding
from publisher.keyset import ALWAYS
from publisher.policy import Policy
from publisher.source import Folder

TICK = timedelta(microseconds=1)
CANONICAL = "acme.idp.example"
FIRST, LAST = datetime(1, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def by_domain(compiled: Compiled) -> dict[str, DomainTimeline]:
    return {one.domain: one for one in compiled.domains}


def naive_bounds(entry: Entry) -> tuple[datetime, datetime, datetime, datetime]:
    """The four instants, from the text of the entry."""

    def read(name: str, end: str, otherwise: datetime) -> datetime:
        given = entry.get(name, {}).get(end)
        return otherwise if given is None else datetime.fromisoformat(given)

    start, end = read("publish", "from", FIRST), read("publish", "until", LAST)
    return start, read("signs", "from", start), read("signs", "until", end), end


def naive_phase(entry: Entry, now: datetime) -> str:
    """DESIGN: publish.from <= signs.from <= signs.until <= publish.until; revoked means gone."""
    announced, active, retiring, withdrawn = naive_bounds(entry)
    if "revoked" in entry or not announced <= now < withdrawn:
        return "absent"
    return "announced" if now < active else "active" if now < retiring else "retiring"


def naive_key(entry: Entry) -> dict[str, Any]:
    real = next(one for one in pool() if one.form == {name: entry[name] for name in one.form if name in entry})
    members = dict(real.members)
    if "certificate" in entry:
        der = ssl.PEM_cert_to_DER_cert(entry["certificate"])
        members["x5c"] = [base64.b64encode(der).decode()]
        members["x5t#S256"] = base64.urlsafe_b64encode(hashlib.sha256(der).digest()).decode().rstrip("=")
    kid = entry.get("kid", real.thumbprint)
    ordered = {"kid": kid, "kty": members["kty"], "use": "sig", "alg": entry["alg"]}
    names = ("crv", "n", "e", "x", "y", "x5c", "x5t#S256")
    return {**ordered, **{name: members[name] for name in names if name in members}}


def naive(tenant: Tenant, domain: str, now: datetime) -> bytes:
    """The document as the design has it: custom keys first, then generated ones; generated alone if canonical."""
    found: list[dict[str, Any]] = []
    for entries in [tenant.generated] if domain == CANONICAL else [tenant.custom, tenant.generated]:
        held = [one for one in entries if "domains" not in one or domain in one["domains"]]
        for phase in ("active", "announced", "retiring"):
            some = [naive_key(one) for one in held if naive_phase(one, now) == phase]
            found += sorted(some, key=lambda key: str(key["kid"]))
    return json.dumps({"keys": found}, separators=(",", ":")).encode()


def naive_instants(tenant: Tenant) -> list[datetime]:
    """Every instant at which anything may change."""
    found = {moment for one in (*tenant.custom, *tenant.generated) for moment in naive_bounds(one)}
    return sorted(found - {FIRST, LAST})


def around(instants: list[datetime]) -> Iterator[datetime]:
    for instant in instants:
        yield from (instant - TICK, instant, instant + TICK)


@BOUNDED
@given(tenant=tenants(), moments=st.lists(MOMENTS, max_size=4))
def test_the_document_at_any_instant_is_the_naively_computed_one(tenant: Tenant, moments: list[datetime]) -> None:
    timelines = by_domain(tenant.compiled())
    assert set(timelines) == {*tenant.domains, CANONICAL}
    for now in (*around(naive_instants(tenant)), *moments, ALWAYS):
        for domain, timeline in timelines.items():
            assert timeline.at(now).body == naive(tenant, domain, now)


@BOUNDED
@given(tenant=tenants(), moments=st.lists(MOMENTS, min_size=1, max_size=4))
def test_the_next_change_is_the_first_instant_with_other_bytes(tenant: Tenant, moments: list[datetime]) -> None:
    instants, timelines = naive_instants(tenant), by_domain(tenant.compiled())
    for now in (*around(instants), *moments):
        for domain, timeline in timelines.items():
            body = naive(tenant, domain, now)
            due = next((one for one in instants if one > now and naive(tenant, domain, one) != body), None)
            assert timeline.next_change(now) == due
            if due is not None:
                assert timeline.at(due - TICK).body == timeline.at(now).body != timeline.at(due).body


@BOUNDED
@given(tenant=tenants(), data=st.data())
def test_between_two_starts_nothing_changes(tenant: Tenant, data: st.DataObject) -> None:
    for timeline in tenant.compiled().domains:
        documents = timeline.documents
        assert documents[0].start == ALWAYS
        for document, following in pairwise(documents):
            now = data.draw(st.datetimes(document.start.replace(tzinfo=None), following.start.replace(tzinfo=None)))
            inside = min(max(now.replace(tzinfo=UTC), document.start), following.start - TICK)
            assert timeline.at(document.start) is timeline.at(inside) is timeline.at(following.start - TICK) is document
            assert timeline.at(following.start) is following
        assert timeline.next_change(documents[-1].start) is None


def shuffled(value: Any, chance: random.Random) -> Any:
    """The same JSON value with the fields of its mappings in another order."""
    if isinstance(value, dict):
        names = chance.sample(list(value), len(value))
        return {name: shuffled(value[name], chance) for name in names}
    return [shuffled(one, chance) for one in value] if isinstance(value, list) else value


@BOUNDED
@given(tenant=tenants(), chance=st.randoms(use_true_random=False))
def test_the_order_of_entries_domains_and_fields_makes_no_difference(tenant: Tenant, chance: random.Random) -> None:
    def mixed(items: Any) -> Any:
        return shuffled(chance.sample(list(items), len(items)), chance)

    other = Tenant(domains=mixed(tenant.domains), custom=mixed(tenant.custom), generated=mixed(tenant.generated))
    before, after = by_domain(tenant.compiled()), by_domain(other.compiled())
    assert before.keys() == after.keys()
    for domain, timeline in before.items():
        facts = [(one.start, one.body, one.digest) for one in timeline.documents]
        assert facts == [(one.start, one.body, one.digest) for one in after[domain].documents]


@settings(BOUNDED, max_examples=30)
@given(tenant=tenants(), others=st.lists(st.integers(0, 3), max_size=2, unique=True))
def test_a_domain_depends_on_no_other_domain(tenant: Tenant, others: list[int]) -> None:
    domains = [*tenant.domains, *(f"more{number}.acme.example" for number in others)]
    wider = Tenant(domains=domains, custom=tenant.custom, generated=tenant.generated)
    before, after = by_domain(tenant.compiled()), by_domain(wider.compiled())
    assert [after[domain].documents for domain in before] == [before[domain].documents for domain in before]


_CHILD = """
import contextlib, hashlib, json, locale, sys
with contextlib.suppress(locale.Error):
    locale.setlocale(locale.LC_ALL, "")
from datetime import datetime
from publisher.compile import compile_keyset
from publisher.keyset import read_keyset
from publisher.policy import Policy
from publisher.source import Folder
from publisher.render import Cache, cache_control
from publisher.source import File, Folder
from publisher.state import live_headers
from publisher.wanted import wanted
given, total = json.load(sys.stdin), hashlib.sha256()
for name, files in given["tenants"]:
    stored = {path: File(kind="file", data=text.encode()) for path, text in files.items()}
    keyset = read_keyset(Folder(path=f"keysets/{name}", tree=None, files=stored)).keyset
    compiled = compile_keyset(keyset, Policy(canonical_suffix=".idp.example"))
    for domain in compiled.domains:
        for one in domain.documents:
            total.update(f"{domain.domain} {one.start.isoformat()} {one.digest}".encode() + one.body)
    for one in wanted(compiled, datetime.fromisoformat(given["now"])):
        headers = live_headers(one.domain, one.tenant, one.body, cache_control(Cache()), 7)
        total.update(repr((one, headers)).encode())
print(total.hexdigest())
"""


def everything() -> list[tuple[str, dict[str, str]]]:
    """Two tenants that show every kind of key, kids that locales sort or spell differently, and windows."""
    kids = ["I", "i", "ss", "Z", "a_b", "a-b", "aB", "\\", '"', "~", "10", "9", None]
    generated = [entry(number, kid, **window(number, number, 9 + number, None)) for number, kid in enumerate(kids)]
    custom = [entry(13, "certified", domains=["id.acme.example"])]
    acme = Tenant(domains=["login.acme.example", "id.acme.example"], custom=custom, generated=generated)
    return [("acme", acme.files()), ("globex", Tenant(name="globex", custom=[entry(2)]).files())]


def test_locale_time_zone_and_hash_seed_make_no_difference() -> None:
    given = json.dumps({"tenants": everything(), "now": hour(5).isoformat()})
    machines = [
        {"LC_ALL": "C", "TZ": "UTC", "PYTHONHASHSEED": "1", "PYTHONUTF8": "0"},
        {"LC_ALL": "tr_TR.UTF-8", "TZ": "XXX-14", "PYTHONHASHSEED": "2"},
        {"LC_ALL": "C.UTF-8", "LANG": "de_DE.UTF-8", "TZ": "YYY+09:30", "PYTHONHASHSEED": "3", "PYTHONOPTIMIZE": "2"},
    ]
    digests = [
        subprocess.run(
            [sys.executable, "-W", "error", "-c", _CHILD],
            input=given,
            env={**os.environ, **machine},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for machine in machines
    ]
    assert len(digests[0].strip()) == 64
    assert digests == [digests[0]] * len(machines)


def test_the_canonical_domain_has_generated_keys_alone() -> None:
    tenant = Tenant(custom=[entry(2, "mine")], generated=[entry(3, "theirs")])
    found = by_domain(tenant.compiled())
    assert [one.key.kid for one in found["login.acme.example"].at(BASE).keys] == ["mine", "theirs"]
    assert [one.key.kid for one in found[CANONICAL].at(BASE).keys] == ["theirs"]
    assert [one.canonical for one in found.values()] == [False, True]


def test_there_is_no_canonical_domain_without_a_pattern() -> None:
    tenant = Tenant(custom=[entry(2, "mine")], generated=[entry(3, "theirs")])
    assert [one.domain for one in tenant.compiled(Policy()).domains] == ["login.acme.example"]


@pytest.mark.parametrize(
    "generated", [[], [entry(3, "theirs", revoked={"at": "2025-12-31T00:00:00Z", "reason": "lost"})]]
)
def test_a_canonical_domain_without_generated_keys_has_no_key(generated: list[dict[str, Any]]) -> None:
    """It is there all the same, so that a plan sees what it served before."""
    found = by_domain(Tenant(custom=[entry(2, "mine")], generated=generated).compiled())
    assert [one.body for one in found[CANONICAL].documents] == [b'{"keys":[]}']


def test_keys_are_limited_to_their_domains() -> None:
    domains = ["login.acme.example", "id.acme.example"]
    custom = [entry(2, "a", domains=["id.acme.example"]), entry(3, "b", domains=[])]
    tenant = Tenant(domains=domains, custom=custom, generated=[entry(4, "c", domains=[CANONICAL])])
    found = {domain: [one.key.kid for one in it.at(BASE).keys] for domain, it in by_domain(tenant.compiled()).items()}
    assert found == {"login.acme.example": [], "id.acme.example": ["a"], CANONICAL: ["c"]}


def test_a_change_that_is_taken_back_is_still_a_change() -> None:
    timeline = Tenant(generated=[entry(2, "a"), entry(3, "b", **window(1, None, None, 2))]).compiled().domains[0]
    first, second, third = (timeline.at(hour(count)) for count in (0, 1, 2))
    assert first.body == third.body != second.body
    assert [timeline.next_change(hour(count)) for count in (0, 1, 2)] == [hour(1), hour(2), None]


def test_a_phase_that_leaves_the_bytes_alone_is_no_change() -> None:
    timeline = Tenant(generated=[entry(2, "a", **window(1, 2, 3, 4))]).compiled().domains[0]
    assert [one.start for one in timeline.documents] == [ALWAYS, *map(hour, (1, 2, 3, 4))]
    assert [timeline.next_change(hour(count)) for count in (0, 1, 2, 3, 4)] == [hour(1), *[hour(4)] * 3, None]


def test_domains_with_the_same_keys_share_their_documents() -> None:
    """Many domains of one tenant do not cost their bytes again."""
    domains = ["login.acme.example", "id.acme.example"]
    first, second, canonical = Tenant(domains=domains, generated=[entry(2), entry(3)]).compiled().domains
    assert first.documents is second.documents is canonical.documents


def test_the_order_of_tenants_and_who_compiles_them_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    named = [Tenant(name=f"t{n}", domains=[f"login.t{n}.example"], custom=[entry(2 + n % 4)]) for n in range(9)]
    folders = [one.folder() for one in named]

    def compiled(given: Sequence[Folder], start: Callable[[], Executor | None]) -> list[checking.Tenant | Finding]:
        return list(fleet.tenants(given, POLICY, checking.Times(served=BASE, checked=BASE), start))

    alone = compiled(folders, lambda: None)
    assert [one.wanted for one in alone if isinstance(one, checking.Tenant)] == [one.wanted(BASE) for one in named]
    assert compiled(folders[::-1], lambda: None) == alone[::-1]
    monkeypatch.setattr(spread, "ALONE", 2)
    monkeypatch.setattr(spread, "CHUNK", 2)
    monkeypatch.setattr(spread, "WAITING", 2)
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        assert compiled(folders, lambda: pool) == alone
