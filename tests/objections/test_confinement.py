"""Which paths an author may change: named cases, and that there is no way around."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import BOUNDED

from publisher.confinement import Grant, granted, outside

TENANTS = ("keysets/acme", "keysets/acme2", "keysets/eu/globex", "keysets/eu/umbrella", "keysets/us/initech")
FINE: list[str] = []


def refused(
    paths: list[str], may: list[str], base: tuple[str, ...] = TENANTS, head: tuple[str, ...] | None = None
) -> list[str]:
    found = outside(paths, base, base if head is None else head, "keysets", may)
    for one in found:
        assert one.rule.id == "outside-author"
        assert one.message.isprintable()
        assert one.hint
    return [one.about for one in found]


def test_a_tenants_own_files_are_its_owners() -> None:
    own = ["keysets/acme/keyset.yaml", "keysets/acme/keys/partner.pem"]
    assert refused(own, ["acme"]) == FINE
    assert refused(own, ["globex"]) == sorted(own)
    assert refused(own, []) == sorted(own)
    assert refused([], []) == FINE


@pytest.mark.parametrize(
    "path",
    [
        "keysets/policy.yaml",
        "keysets/waivers.yaml",
        "keysets/allowed_signers",
        "keysets/allowed_signers.asc",
        "keysets/eu/README.md",
        "keysets/new/keyset.yaml",
        ".github/workflows/check.yaml",
        ".gitattributes",
        "CODEOWNERS",
        "acme/keyset.yaml",
        "other/keysets/acme/keyset.yaml",
    ],
)
def test_what_is_no_tenants_is_the_platforms(path: str) -> None:
    every = ["acme", "acme2", "eu/", "us/", "generated.yaml"]
    assert refused([path, "keysets/acme/keyset.yaml"], every) == [path]
    (found,) = outside([path], TENANTS, TENANTS, "keysets", every)
    assert "the platform's" in found.hint


@pytest.mark.parametrize(
    "path",
    [
        "keysets/acme/../eu/globex/keyset.yaml",
        "keysets/acme/./keyset.yaml",
        "keysets/acme//keyset.yaml",
        "keysets/acme/",
        "keysets/acme",
        "/keysets/acme/keyset.yaml",
        "./keysets/acme/keyset.yaml",
        "keysets/Acme/keyset.yaml",
        "Keysets/acme/keyset.yaml",
        "keysets/acme2/keyset.yaml",
        "keysets/acme /keyset.yaml",
        "keysets/ac\u200bme/keyset.yaml",
        "keysets/acme\\keyset.yaml",
        "keysets/\uff41cme/keyset.yaml",
        "",
    ],
)
def test_paths_that_only_look_like_it_are_refused(path: str) -> None:
    assert refused([path], ["acme"]) == [path]


def test_unicode_forms_are_other_names() -> None:
    composed = "keysets/caf\u00e9"
    other = unicodedata.normalize("NFD", composed)
    assert refused([f"{composed}/a", f"{other}/a"], ["caf\u00e9"], (composed,)) == [f"{other}/a"]


def test_generated_keys_have_owners_of_their_own() -> None:
    paths = [f"keysets/{one}/generated.yaml" for one in ("acme", "eu/globex")]
    assert refused(paths, ["acme", "eu/"]) == paths
    (found,) = outside(paths[:1], TENANTS, TENANTS, "keysets", ["acme"])
    assert found.hint.endswith("`--author-may acme/generated.yaml`")
    assert refused(paths, ["acme/generated.yaml", "globex/generated.yaml"]) == FINE
    assert refused(paths, ["eu/globex/generated.yaml"]) == paths[:1]
    assert refused(paths, ["generated.yaml"]) == FINE
    everything = [*paths, "keysets/acme/keyset.yaml", "keysets/acme/keys/generated.yaml"]
    assert refused(everything, ["generated.yaml"]) == sorted(everything[2:])
    assert refused(everything[3:], ["acme"]) == FINE  # it is not read there


@pytest.mark.parametrize(
    ("name", "folders"),
    [
        ("acme", {"keysets/acme"}),
        ("globex", {"keysets/eu/globex"}),
        ("eu/globex", {"keysets/eu/globex"}),
        ("eu/", {"keysets/eu/globex", "keysets/eu/umbrella"}),
        ("acme/", {"keysets/acme"}),
        *[
            (name, set())
            for name in (
                *("eu", "acm", "e", "", "/", "./", "../", "*", "/acme", "eu//globex", "eu/../acme", "keysets/acme"),
                *("us/globex", "ACME", "keysets/", "eu/./", "e/", "acme/keyset.yaml", "..", "."),
            )
        ],
    ],
)
def test_names_stand_for_folders(name: str, folders: set[str]) -> None:
    grant = granted(TENANTS, TENANTS, "keysets", [name])
    unknown = () if folders else (name,)
    assert grant == Grant(folders=frozenset(folders), generated=frozenset(), unknown=unknown)
    generated = granted(TENANTS, TENANTS, "keysets", [f"{name}/generated.yaml"]).generated
    assert generated == (set() if name.endswith("/") or not name else folders)


def test_a_new_tenant_is_its_namers() -> None:
    head = (*TENANTS, "keysets/eu/hooli")
    path = ["keysets/eu/hooli/keyset.yaml"]
    for name in ("hooli", "eu/hooli", "eu/"):
        assert refused(path, [name], head=head) == FINE
        assert refused(path, [name]) == path  # a folder that becomes no tenant's
    assert refused(path, ["globex", "us/"], head=head) == path


def test_a_tenant_that_goes_is_its_owners() -> None:
    assert refused(["keysets/acme/keyset.yaml"], ["acme"], head=TENANTS[1:]) == FINE


def test_a_name_is_the_bases_not_that_of_a_namesake() -> None:
    head = (*TENANTS, "keysets/globex", "keysets/us/acme")
    paths = ["keysets/globex/keyset.yaml", "keysets/us/acme/keyset.yaml"]
    assert refused(paths, ["acme", "globex"], head=head) == paths
    assert refused(paths, ["us/acme"], head=head) == paths[:1]
    twice = ("keysets/eu/acme", "keysets/us/acme")
    for base in (twice, ()):
        assert refused(["keysets/eu/acme/keyset.yaml"], ["acme"], base, twice) == ["keysets/eu/acme/keyset.yaml"]
        assert granted(base, twice, "keysets", ["acme"]).unknown == ("acme",)


def test_a_move_needs_both_places() -> None:
    paths = ["keysets/acme/keyset.yaml", "keysets/eu/acme/keyset.yaml"]
    head = (*TENANTS[1:], "keysets/eu/acme")
    assert refused(paths, ["acme"], head=head) == paths[1:]
    assert refused(paths, ["eu/"], head=head) == paths[:1]
    assert refused(paths, ["acme", "eu/acme"], head=head) == FINE


def test_a_tenant_above_or_inside_another_opens_nothing() -> None:
    paths = ["keysets/eu/keyset.yaml", "keysets/eu/globex/keyset.yaml"]
    for head in ((*TENANTS, "keysets/eu"), ("keysets/acme", "keysets/eu")):
        assert refused(paths, ["eu"], head=head) == sorted(paths)
        assert refused(paths, ["eu", "globex"], head=head) == sorted(paths)
    assert refused(paths, ["eu/"], head=(*TENANTS, "keysets/eu")) == FINE
    inner = ["keysets/acme/hooli/keyset.yaml"]
    head = (*TENANTS, "keysets/acme/hooli")
    assert refused(inner, ["hooli"], head=head) == refused(inner, ["acme"], head=head) == inner
    assert refused(inner, ["hooli", "acme"], head=head) == FINE


def test_the_root_may_be_the_whole_repository() -> None:
    paths = ["acme/keyset.yaml", "eu/globex/keyset.yaml", "policy.yaml", ".github/workflows/x.yaml"]
    found = outside(paths, ["acme", "eu/globex"], ["acme", "eu/globex"], ".", ["acme", "eu/"])
    assert [one.about for one in found] == [".github/workflows/x.yaml", "policy.yaml"]
    assert granted(["acme"], ["acme"], ".", ["/", "./", ""]).folders == frozenset()


def test_hostile_paths_are_told_safely() -> None:
    path = "keysets/acme2/\x1b[2J\n::error::\u202e"
    (found,) = outside([path], TENANTS, TENANTS, "keysets", ["acme"])
    assert found.message.isascii()
    assert found.message.isprintable()


NAME = st.sampled_from(["acme", "acme2", "Acme", "eu", "us", "globex", "caf\u00e9", "cafe\u0301", "a"])
FOLDER = st.lists(NAME, min_size=1, max_size=3).map(lambda parts: "/".join(["keysets", *parts]))
FOLDERS = st.sets(FOLDER, max_size=6)
REST = st.lists(
    st.sampled_from(["keyset.yaml", "generated.yaml", "keys", "..", ".", "", "acme", "globex"]), min_size=0, max_size=3
)


def _real(path: str) -> bool:
    return not {"", ".", ".."} & set(path.split("/"))


@BOUNDED
@given(FOLDERS, FOLDERS, st.data())
def test_what_lies_in_granted_folders_passes_and_nothing_else_does(
    base: set[str], head: set[str], data: st.DataObject
) -> None:
    both = sorted(base | head)
    allowed = data.draw(st.sets(st.sampled_from(both), max_size=4)) if both else set()
    # By paths with a name before, so that none is a bare one.
    may = [folder.removeprefix("keysets/") for folder in allowed if folder.count("/") > 1]
    allowed = {folder for folder in allowed if folder.count("/") > 1}
    start = st.sampled_from([*both, "keysets", ".github", "keysets/eu"])
    pieces = data.draw(st.lists(st.tuples(start, REST), max_size=8))
    paths = ["/".join([folder, *rest]) for folder, rest in pieces]
    found = {one.about for one in outside(paths, base, head, "keysets", may)}
    swallows = {
        folder
        for folder in allowed
        if folder not in base and any(one.startswith(folder + "/") and one not in allowed for one in base)
    }
    for path in paths:
        above = [folder for folder in both if path.startswith(folder + "/")]
        generated = any(path == folder + "/generated.yaml" for folder in above)
        inside = _real(path) and bool(above) and set(above) <= allowed - swallows and not generated
        assert (path not in found) == inside, path


@BOUNDED
@given(st.sets(st.sampled_from(TENANTS)), st.lists(st.tuples(st.sampled_from(TENANTS), REST)))
def test_names_grant_as_their_folders_do(tenants: set[str], pieces: list[tuple[str, list[str]]]) -> None:
    paths = ["/".join([folder, *rest]) for folder, rest in pieces]
    by_name = outside(paths, TENANTS, TENANTS, "keysets", [one.rpartition("/")[2] for one in tenants])
    by_folder = outside(paths, TENANTS, TENANTS, "keysets", [one.removeprefix("keysets/") + "/" for one in tenants])
    assert by_name == by_folder
    assert not [one.about for one in by_name if _real(one.about) and _owned(one.about, tenants)]


def _owned(path: str, tenants: set[str]) -> bool:
    return any(path.startswith(one + "/") and path != one + "/generated.yaml" for one in tenants)
