"""What a change does to other tenants: every rule with what breaks it, and a neighbour that does not."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import BOUNDED

from publisher.trespass import RULES, Holding, trespasses

ACME = Holding(
    folder="keysets/acme",
    tenant="acme",
    domains=("login.acme.example", "id.acme.example"),
    canonical="acme.idp.example",
    keys=frozenset({b"a1", b"a2"}),
    documents={"login.acme.example": "1", "id.acme.example": "2", "acme.idp.example": "3"},
)
GLOBEX = Holding(
    folder="keysets/eu/globex",
    tenant="globex",
    domains=("login.globex.example",),
    canonical="globex.idp.example",
    keys=frozenset({b"g1"}),
    documents={"login.globex.example": "4", "globex.idp.example": "5"},
)
BOTH = (ACME, GLOBEX)
FILES = tuple(f"{one.folder}/keyset.yaml" for one in BOTH)


def _with(holding: Holding, *domains: str) -> Holding:
    documents = {**holding.documents, **dict.fromkeys(domains, "new")}
    return replace(holding, domains=(*holding.domains, *domains), documents=documents)


def _without(holding: Holding, domain: str) -> Holding:
    documents = {name: digest for name, digest in holding.documents.items() if name != domain}
    return replace(holding, domains=tuple(one for one in holding.domains if one != domain), documents=documents)


MOVED = replace(GLOBEX, folder="keysets/us/globex")
MOVE = (FILES[1], "keysets/us/globex/keyset.yaml")
EU = Holding(folder="keysets/eu", tenant="eu")
HOOLI = Holding(folder="keysets/hooli", tenant="hooli")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A change of BOTH (or `base`) to `head`; what is said of `about`, or nothing at all."""

    head: tuple[Holding, ...]
    changed: Iterable[str] = FILES
    base: tuple[Holding, ...] = BOTH
    about: str = ""
    says: str = ""


BAD: list[tuple[str, Case]] = [
    (
        "domain-taken",
        Case(
            head=(ACME, _with(GLOBEX, "id.acme.example")),
            about="id.acme.example",
            says="id.acme.example is of `keysets/acme` in the base revision, and would be of `keysets/eu/globex`",
        ),
    ),
    (
        "domain-taken",  # given up and claimed in one change
        Case(head=(_without(ACME, "id.acme.example"), _with(GLOBEX, "id.acme.example")), about="id.acme.example"),
    ),
    (
        "domain-taken",  # of a tenant that goes
        Case(head=(_with(GLOBEX, "login.acme.example"),), about="login.acme.example"),
    ),
    (
        "domain-taken",  # by a new one
        Case(head=(*BOTH, _with(HOOLI, "ID.acme.example.")), about="ID.acme.example.", changed=["keysets/hooli/a"]),
    ),
    (
        "domain-taken",  # the canonical one of the other
        Case(head=(_without(ACME, "id.acme.example"), _with(GLOBEX, "acme.idp.example")), about="acme.idp.example"),
    ),
    (
        "domain-taken",  # by a namesake, beside the tenant itself
        Case(
            head=(*BOTH, Holding(folder="keysets/us/acme", tenant="acme", domains=("id.acme.example",))),
            changed=["keysets/us/acme/keyset.yaml"],
            about="id.acme.example",
        ),
    ),
    (
        "canonical-taken",
        Case(
            head=(ACME, _with(GLOBEX, "hooli.idp.example"), replace(HOOLI, canonical="hooli.idp.example")),
            about="hooli.idp.example",
            says="hooli.idp.example, a custom domain of `keysets/eu/globex`, is the canonical domain of "
            "`keysets/hooli`",
        ),
    ),
    (
        "key-taken",
        Case(
            head=(ACME, replace(GLOBEX, keys=frozenset({b"g1", b"a2"}))),
            about="globex",
            says="`keysets/eu/globex` gets a key that `keysets/acme` has in the base revision",
        ),
    ),
    (
        "key-taken",
        Case(
            head=(replace(ACME, keys=frozenset({b"a1"})), GLOBEX, replace(HOOLI, keys=frozenset({b"a2"}))),
            about="hooli",
        ),
    ),
    (
        "tenant-moved",
        Case(
            head=(ACME, replace(MOVED, keys=frozenset({b"g2"}))),
            changed=MOVE,
            about="globex",
            says="the tenant `globex` moves from `keysets/eu/globex` to `keysets/us/globex`, and has other keys there",
        ),
    ),
    (
        "tenant-moved",
        Case(
            head=(ACME, _with(MOVED, "new.globex.example")),
            changed=MOVE,
            about="globex",
            says="the tenant `globex` moves from `keysets/eu/globex` to `keysets/us/globex`, and has other domains, "
            "documents there",
        ),
    ),
    (
        "tenant-swallowed",
        Case(
            head=(*BOTH, EU),
            changed=["keysets/eu/keyset.yaml"],
            about="keysets/eu/globex",
            says="a new keyset.yaml in `keysets/eu` makes `keysets/eu/globex` a part of that tenant",
        ),
    ),
    (
        "tenant-swallowed",
        Case(head=(ACME, EU), changed=[FILES[1], "keysets/eu/keyset.yaml"], about="keysets/eu/globex"),
    ),
    (
        "bytes-outside",
        Case(
            head=(ACME, replace(GLOBEX, documents={**GLOBEX.documents, "globex.idp.example": "6"})),
            changed=[FILES[0], "keysets/eu/globex2/keyset.yaml", "keysets/eu/globex", "policy.yaml"],
            about="globex.idp.example",
            says="the documents of globex.idp.example change, and nothing in `keysets/eu/globex` nor policy.yaml does",
        ),
    ),
    (
        "bytes-outside",
        Case(
            base=(ACME, replace(GLOBEX, documents={"login.globex.example": "4"})),
            head=(ACME,),
            changed=[FILES[0]],
            about="login.globex.example",
        ),
    ),
]

GOOD: list[Case] = [
    Case(head=BOTH),
    Case(head=BOTH, changed=[]),
    Case(head=(_without(ACME, "id.acme.example"), GLOBEX)),
    Case(head=(_with(ACME, "new.acme.example"), GLOBEX)),
    Case(head=(GLOBEX,)),
    Case(head=(*BOTH, _with(HOOLI, "hooli.example")), changed=["keysets/hooli/keyset.yaml"]),
    Case(base=(GLOBEX,), head=(_with(GLOBEX, "id.acme.example"),)),  # given up by an earlier change
    Case(head=(ACME, _with(GLOBEX, "hooli.idp.example"))),
    Case(head=(replace(ACME, keys=frozenset({b"a3"})), GLOBEX)),
    Case(head=(ACME, MOVED), changed=MOVE),
    Case(head=(ACME, replace(MOVED, domains=("LOGIN.globex.example",))), changed=MOVE),
    Case(head=(*BOTH, replace(EU, folder="keysets/e")), changed=["keysets/e/keyset.yaml"]),
    Case(base=(*BOTH, EU), head=(*BOTH, EU)),  # a mistake that is there already
    Case(head=(ACME, replace(GLOBEX, documents={"login.globex.example": "9"})), changed=["keysets/policy.yaml"]),
    Case(head=(ACME, replace(GLOBEX, documents={"login.globex.example": "9"})), changed=["keysets/eu/globex/keys/a"]),
]


@pytest.mark.parametrize(("rule", "case"), BAD)
def test_trespasses_are_told(rule: str, case: Case) -> None:
    found = trespasses(case.base, case.head, frozenset(case.changed), "keysets")
    assert [(one.rule.id, one.about) for one in found.objections] == [(rule, case.about)]
    (one,) = found.objections
    assert one.message == case.says or not case.says
    assert one.hint
    assert not one.message.endswith(".")
    assert found.notes == ()


@pytest.mark.parametrize("case", GOOD)
def test_neighbours_pass(case: Case) -> None:
    assert trespasses(case.base, case.head, frozenset(case.changed), "keysets").objections == ()


def test_a_tenant_that_moves_as_it_is_is_noted() -> None:
    found = trespasses(BOTH, (ACME, MOVED), frozenset(MOVE), "keysets")
    (note,) = found.notes
    assert note.startswith("the tenant `globex` moves from `keysets/eu/globex` to `keysets/us/globex`, as it is; see ")
    assert found.objections == ()


def test_the_policy_lies_in_the_root() -> None:
    after = (replace(ACME, folder="acme", documents={}),)
    before = (replace(ACME, folder="acme"),)
    assert trespasses(before, after, frozenset({"policy.yaml"}), ".").objections == ()
    assert len(trespasses(before, after, frozenset({"eu/policy.yaml"}), ".").objections) == 3


def test_every_rule_has_a_case() -> None:
    assert list(dict.fromkeys(rule for rule, _ in BAD)) == [rule.id for rule in RULES]


def test_hostile_names_are_told_safely() -> None:
    odd = "\x1b[2J\n`::error::\u202e"
    head = (Holding(folder=f"keysets/{odd}", tenant=odd, domains=("id.acme.example", odd), keys=ACME.keys),)
    found = trespasses(BOTH, head, frozenset({f"keysets/{odd}/keyset.yaml"}), "keysets")
    assert found.objections
    assert all(one.message.isprintable() for one in found.objections)


TENANT = st.sampled_from(["acme", "globex", "hooli", "eu"])
DOMAIN = st.sampled_from([f"{name}.example" for name in "abcd"])


@st.composite
def fleets(draw: st.DrawFn) -> tuple[Holding, ...]:
    """Tenants with one owner for each domain and key, as `check` demands of one commit."""
    names = draw(st.lists(TENANT, unique=True))
    owners = draw(st.dictionaries(DOMAIN, st.sampled_from(names))) if names else {}
    keys = draw(st.dictionaries(st.sampled_from([b"1", b"2", b"3"]), st.sampled_from(names))) if names else {}
    made = []
    for name in names:
        domains = tuple(sorted(domain for domain, owner in owners.items() if owner == name))
        held = frozenset(key for key, owner in keys.items() if owner == name)
        documents = {domain: f"{sorted(held)}" for domain in domains}
        folder = f"keysets/{draw(st.sampled_from(['', 'x/']))}{name}"
        made.append(Holding(folder=folder, tenant=name, domains=domains, keys=held, documents=documents))
    return tuple(made)


@BOUNDED
@given(fleets(), fleets())
def test_nothing_passes_from_one_tenant_to_another(base: tuple[Holding, ...], head: tuple[Holding, ...]) -> None:
    changed = frozenset(f"{one.folder}/keyset.yaml" for one in (*base, *head))
    told = {(one.rule.id, one.about) for one in trespasses(base, head, changed, "keysets").objections}
    expected = set()
    for old in base:
        for new in head:
            if old.tenant != new.tenant:
                expected |= {("domain-taken", domain) for domain in {*old.domains} & {*new.domains}}
                expected |= {("key-taken", new.tenant)} if old.keys & new.keys else set()
            elif old.folder != new.folder and (old.keys, old.domains) != (new.keys, new.domains):
                expected |= {("tenant-moved", new.tenant)}
    assert told == expected


@BOUNDED
@given(fleets(), st.data())
def test_bytes_change_with_files_alone(base: tuple[Holding, ...], data: st.DataObject) -> None:
    folders = st.sets(st.sampled_from([one.folder for one in base])) if base else st.just(set[str]())
    bumped, touched = data.draw(folders), data.draw(folders)
    head = tuple(
        replace(one, documents=dict.fromkeys(one.documents, "other")) if one.folder in bumped else one for one in base
    )
    changed = frozenset(f"{folder}/keys/a.pem" for folder in touched)
    found = trespasses(base, head, changed, "keysets").objections
    assert {(one.rule.id, one.about) for one in found} == {
        ("bytes-outside", domain) for one in base if one.folder in bumped - touched for domain in one.documents
    }
