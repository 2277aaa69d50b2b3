"""What a waiver covers, how long, and the line that grants one."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from strategies import BOUNDED

from publisher.refusals import HAZARDS
from publisher.waiver import LONGEST, LONGEST_WHOLE, SCOPES, Waiver, Waivers, how, line, waivers
from publisher.waiverfile import read

NOW = datetime(2026, 6, 1, tzinfo=UTC)
UNTIL = NOW + timedelta(days=1)
HOSTILE = st.text(
    st.characters(exclude_categories=["Cs"])
    | st.sampled_from("\u202e\u2028\ufeff\x00\x7f\x85\r\n\t \"'#:,{}[]&*!|>%@`-"),
    min_size=1,
    max_size=120,
)
BY_KEY = [name for name, scope in SCOPES.items() if scope == "key or domain"]
BY_DOMAIN = [name for name, scope in SCOPES.items() if scope in ("domain", "key or domain")]


def waiver(rule: str = "drops-active-key", kid: str | None = "k1", domain: str | None = None) -> Waiver:
    return Waiver(rule=rule, tenant="acme", kid=kid, domain=domain, until=UNTIL, reason="moved")


def granted(text: str | None) -> Waivers:
    """What a waivers.yaml with this one line says; there is no mistake in it."""
    assert text is not None
    assert "\n" not in text
    found, mistakes = read(f"version: 1\nwaivers:\n{text}\n".encode(), "waivers.yaml")
    assert [str(one) for one in mistakes] == []
    return found


def test_every_hazard_has_a_scope() -> None:
    assert list(SCOPES) == list(HAZARDS)


def test_a_waiver_covers_its_own_hazard_tenant_and_key_alone() -> None:
    one = waiver()
    found = waivers([one])
    assert found.covering("drops-active-key", "acme", "k1", "login.acme.example", NOW) is one
    assert found.covering("drops-active-key", "acme", "k1", "id.acme.example", NOW) is one
    others: list[tuple[str, str | None, str | None, str]] = [
        ("drops-retiring-key", "acme", "k1", "login.acme.example"),
        ("drops-active-key", "globex", "k1", "login.acme.example"),
        ("drops-active-key", None, "k1", "login.acme.example"),
        ("drops-active-key", "acme", "k2", "login.acme.example"),
        ("drops-active-key", "acme", "K1", "login.acme.example"),
        ("drops-active-key", "acme", None, "login.acme.example"),
    ]
    for other in others:
        assert found.covering(*other, NOW) is None


def test_a_waiver_by_domain_covers_every_key_there_and_no_other_domain() -> None:
    one = waiver(kid=None, domain="login.acme.example")
    found = waivers([one])
    assert found.covering("drops-active-key", "acme", "k1", "login.acme.example", NOW) is one
    assert found.covering("drops-active-key", "acme", "k2", "login.acme.example", NOW) is one
    assert found.covering("drops-active-key", "acme", "k1", "id.acme.example", NOW) is None


def test_it_holds_until_its_end_and_not_at_it() -> None:
    found = waivers([waiver()])
    asked = ("drops-active-key", "acme", "k1", None)
    second = timedelta(seconds=1)
    assert found.covering(*asked, UNTIL - second) is not None
    assert (found.covering(*asked, UNTIL), found.ended(*asked, UNTIL - second)) == (None, None)
    assert found.ended(*asked, UNTIL) is not None
    assert found.covering(*asked, UNTIL - LONGEST) is not None
    assert found.covering(*asked, UNTIL - LONGEST - second) is None


@pytest.mark.parametrize("rule", HAZARDS)
def test_what_no_file_may_waive_is_covered_by_none(rule: str) -> None:
    everything = [
        Waiver(rule=rule, tenant=tenant, kid=kid, domain=domain, until=UNTIL, reason="all")
        for tenant in ("acme", None)
        for kid in ("k1", None)
        for domain in ("d", None)
    ]
    named = {
        target: found.target[1:]
        for target in [("acme", "k1", "d"), ("acme", None, "d"), (None, None, None)]
        if (found := waivers(everything).covering(rule, *target, NOW)) is not None
    }
    by_kid, by_domain = ("acme", "k1", None), ("acme", None, "d")
    expected = {
        "domain": {("acme", "k1", "d"): by_domain, ("acme", None, "d"): by_domain},
        "key or domain": {("acme", "k1", "d"): by_kid, ("acme", None, "d"): by_domain},
        "publish": {(None, None, None): (None, None, None)},
    }
    assert named == expected.get(SCOPES[rule], {})


@settings(BOUNDED, max_examples=80)
@given(st.sampled_from(BY_KEY), HOSTILE, HOSTILE.filter(lambda text: text.strip("*")), HOSTILE)
@example("kid-reused", "no", "null", "2026-01-01")
@example("kid-reused", "0x1F", "a*", "- x")
@example("kid-reused", "a", 'k" , tenant: other}', "}\n- {rule: clock-behind")
@example("kid-reused", "a", "a" + " " * 118 + "b", "#")
def test_a_line_by_kid_reads_back_and_covers_the_hazard(rule: str, tenant: str, kid: str, reason: str) -> None:
    if "*" in tenant:
        tenant = tenant.replace("*", "x")
    found = granted(line(rule, tenant, kid, "login.acme.example", UNTIL, reason))
    (one,) = found
    assert one == Waiver(rule=rule, tenant=tenant, kid=kid, domain=None, until=UNTIL, reason=reason)
    assert found.covering(rule, tenant, kid, "any.example", NOW) is one


@settings(BOUNDED, max_examples=40)
@given(st.sampled_from(BY_DOMAIN), HOSTILE.filter(lambda text: "*" not in text), HOSTILE)
def test_a_line_by_domain_reads_back_and_covers_the_hazard(rule: str, domain: str, reason: str) -> None:
    found = granted(line(rule, "acme", None, domain, UNTIL, reason))
    assert found.covering(rule, "acme", None, domain, NOW) == Waiver(
        rule=rule, tenant="acme", kid=None, domain=domain, until=UNTIL, reason=reason
    )


def test_lines_read_well() -> None:
    assert line("drops-active-key", "acme", "acme-2026-01", "login.acme.example", UNTIL, "the partner moved on") == (
        "  - {rule: drops-active-key, tenant: acme, kid: acme-2026-01, until: 2026-06-02T00:00:00Z, "
        'reason: "the partner moved on"}'
    )
    assert line("empty-set", "acme", None, "login.acme.example", UNTIL, "closing") == (
        "  - {rule: empty-set, tenant: acme, domain: login.acme.example, until: 2026-06-02T00:00:00Z, reason: closing}"
    )
    assert (
        line("too-many-changes", None, None, None, UNTIL, "merger")
        == "  - {rule: too-many-changes, until: 2026-06-02T00:00:00Z, reason: merger}"
    )


def test_there_is_no_line_for_what_no_file_waives() -> None:
    for rule in ("stale-write", "revoked-key-returns", "not-a-descendant", "clock-behind", "clock-ahead", "kid-twice"):
        assert line(rule, "acme", "k1", "login.acme.example", UNTIL, "x") is None
    assert line("empty-set", "acme", None, None, UNTIL, "x") is None
    assert line("empty-set", None, None, "login.acme.example", UNTIL, "x") is None
    assert line("kid-reused", "acme", "*", None, UNTIL, "x") is None


def test_a_kid_that_is_a_star_is_waived_by_its_domain() -> None:
    found = granted(line("drops-active-key", "acme", "*", "login.acme.example", UNTIL, "x"))
    assert found.covering("drops-active-key", "acme", "*", "login.acme.example", NOW) is not None


@pytest.mark.parametrize("rule", HAZARDS)
def test_people_are_told_how_a_hazard_is_waived(rule: str) -> None:
    told = how(rule)
    assert (f"--allow {rule}" in told) == (rule != "stale-write")
    by_file = line(rule, "acme", "k1", "login.acme.example", UNTIL, "x") is not None
    assert ("waivers.yaml" in told) == by_file
    assert (f"{LONGEST.days} days" in told or f"{LONGEST_WHOLE.days} days" in told) == by_file
