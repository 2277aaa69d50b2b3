"""One key in two places, one domain or name in two tenants: the finding is at the side that the base does not have."""

from pathlib import Path

import pytest

from .cases import Tree
from .world import BASE, NOW, ROOMY, World, check, generated, key, keyset, said

KEY = key("mine", 9, f"signs: {{from: {ROOMY}}}")
SAME = KEY.replace("kid: mine", "kid: other")
PATHS = ("keysets/aaa", "keysets/zzz")


def side(name: str, origin: str, text: str, domain: str = "") -> Tree:
    """A tenant with one key, custom or generated."""
    plain = keyset(*([text] if origin == "custom" else []), tenant=name, domains=domain or f"{name}.example")
    return {
        f"{name}/keyset.yaml": plain,
        **({f"{name}/generated.yaml": generated(text)} if origin == "generated" else {}),
    }


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "repo", {"policy.yaml": BASE["policy.yaml"]})


def only(world: World, rule: str) -> str:
    (found,) = [one for one in world.check().diagnostics if one.rule == rule]
    return str(found)


@pytest.mark.parametrize("old", ["custom", "generated"])
@pytest.mark.parametrize("new", ["custom", "generated"])
@pytest.mark.parametrize("first", ["aaa", "zzz"])
def test_a_key_in_two_tenants(world: World, first: str, old: str, new: str) -> None:
    second = "zzz" if first == "aaa" else "aaa"
    world.commit(side(first, old, KEY))
    world.change(side(second, new, SAME))
    file = "keyset.yaml:6:5" if new == "custom" else "generated.yaml:3:5"
    expected = (
        f"keysets/{second}/{file}: key-shared: the key `other` is also a key of keysets/{first}; make each tenant"
    )
    assert only(world, "key-shared").startswith(expected)


@pytest.mark.parametrize("old", ["custom", "generated"])
@pytest.mark.parametrize("text", [KEY, SAME])
def test_a_key_as_custom_and_as_generated(world: World, old: str, text: str) -> None:
    rule = "kid-twice" if text == KEY else "key-twice"
    other = "generated" if old == "custom" else "custom"
    world.commit(side("aaa", old, KEY))
    world.change({**side("aaa", other, text), **(side("aaa", old, KEY) if old == "custom" else {})})
    both = {**side("aaa", "custom", KEY if old == "custom" else text)}
    both["aaa/generated.yaml"] = generated(text if old == "custom" else KEY)
    world.change(both)
    file = "generated.yaml" if old == "custom" else "keyset.yaml"
    assert only(world, rule).startswith(f"keysets/aaa/{file}:")
    assert f" of {old}_keys[0] (`mine`) in " in only(world, rule)


def test_of_two_custom_keys_the_new_one_is_to_blame_wherever_it_stands(world: World) -> None:
    world.commit(side("aaa", "custom", KEY))
    other = key("mine", 10, f"signs: {{from: {ROOMY}}}")
    for entries, line in (((KEY, other), 10), ((other, KEY), 6)):
        world.change({"aaa/keyset.yaml": keyset(*entries, tenant="aaa", domains="aaa.example")})
        found = only(world, "kid-twice")
        assert found.startswith(f"keysets/aaa/keyset.yaml:{line}:10: kid-twice: the kid `mine` is already that of")


@pytest.mark.parametrize("first", ["aaa", "zzz"])
def test_a_domain_in_two_tenants(world: World, first: str) -> None:
    second = "zzz" if first == "aaa" else "aaa"
    world.commit(side(first, "custom", KEY))
    world.change({f"{second}/keyset.yaml": keyset(tenant=second, domains=f"{second}.example, {first}.example")})
    assert only(world, "domain-owner").startswith(f"keysets/{second}/keyset.yaml:4:")
    world.repo.commit()
    world.change({f"{first}/keyset.yaml": None})
    assert said(world.check().diagnostics) == []


@pytest.mark.parametrize("first", ["aaa", "zzz"])
def test_a_name_in_two_folders(world: World, first: str) -> None:
    second = "zzz" if first == "aaa" else "aaa"
    text = keyset(tenant="acme", domains="acme.example")
    world.commit({f"{first}/acme/keyset.yaml": text})
    world.change({f"{second}/acme/keyset.yaml": text.replace("acme.example", "other.example")})
    assert only(world, "tenant-twice").startswith(f"keysets/{second}/acme/keyset.yaml:2:")


def test_a_tenant_that_moved_is_not_to_blame(world: World) -> None:
    world.commit(side("zzz", "custom", KEY))
    world.change({"zzz/keyset.yaml": None, "eu/zzz/keyset.yaml": side("zzz", "custom", KEY)["zzz/keyset.yaml"]})
    world.change(side("aaa", "custom", SAME, domain="zzz.example"))
    assert only(world, "key-shared").startswith("keysets/aaa/")
    assert only(world, "domain-owner").startswith("keysets/aaa/")
    world.change({"aaa/keyset.yaml": None})
    world.change(side("hhh", "custom", SAME, domain="zzz.example"))
    assert only(world, "key-shared").startswith("keysets/hhh/")
    assert only(world, "domain-owner").startswith("keysets/hhh/")


def test_without_a_base_the_later_path_is_to_blame(world: World) -> None:
    world.commit({**side("aaa", "custom", KEY), **side("zzz", "custom", SAME)})
    (found,) = check(world.repo.path, rev="HEAD", now=NOW).diagnostics
    assert (found.path, found.rule) == ("keysets/zzz/keyset.yaml", "key-shared")
    # With one that had both already, too.
    world.change({"aaa/keyset.yaml": f"{side('aaa', 'custom', KEY)['aaa/keyset.yaml']}# \n"})
    assert only(world, "key-shared").startswith("keysets/zzz/")
