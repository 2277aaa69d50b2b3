"""`publish --plan`: what was reviewed is published, or nothing is. And how `--not-first` and `--lift-hold` are read."""

import json
from pathlib import Path

import click
import pytest
from program import Ran, run
from repos import Repo
from signing import Signer, keyset, make_signer

from publisher.cli.publish import lift_option, wish_of

pytestmark = pytest.mark.chaos

GLOBEX = "live/id.globex.example/.well-known/jwks.json"


class Place:
    """A store in a folder, with the reviewed plan beside it."""

    def __init__(self, repo: Repo, tmp_path: Path) -> None:
        self.repo, self.root, self.file = repo, tmp_path / "store", tmp_path / "plan.json"

    def run(self, command: str, *more: str) -> Ran:
        return run(command, "--store", f"file://{self.root}", *more, cwd=self.repo.path)

    def plan(self, *more: str) -> Ran:
        return self.run("plan", "--out", str(self.file), *more)

    def publish(self, *more: str) -> Ran:
        return self.run("publish", "--plan", str(self.file), *more)

    def change(self, *entries: str) -> None:
        self.repo.write("keysets/eu/globex/keyset.yaml", keyset("globex", ["id.globex.example"], "".join(entries)))
        self.repo.commit("Change globex")

    def kids(self) -> list[str]:
        return [key["kid"] for key in json.loads((self.root / GLOBEX).read_bytes())["keys"]]

    @property
    def head(self) -> int:
        sequence: int = json.loads((self.root / "HEAD.json").read_bytes())["sequence"]
        return sequence


@pytest.fixture
def place(repo: Repo, tmp_path: Path) -> Place:
    return Place(repo, tmp_path)


def test_a_first_plan_is_reviewed_and_published(place: Place) -> None:
    assert place.plan().code == 0
    assert json.loads(place.file.read_bytes())["base"] is None
    ran = place.publish()
    assert ran.code == 0, ran
    assert (place.head, place.kids()) == (1, ["globex-key"])


def test_a_plan_is_published_with_the_waivers_that_it_was_made_with(place: Place, signers: dict[str, Signer]) -> None:
    place.run("publish")
    place.change(make_signer("other").entry())
    assert place.plan().code == 1
    refused = place.publish()
    assert (refused.code, place.kids()) == (1, ["globex-key"])
    place.change(make_signer("another").entry())
    assert place.plan("--allow", "drops-active-key").code == 0
    ran = place.publish()
    assert ran.code == 0, ran
    assert place.kids() == ["another"]


def test_a_plan_whose_base_moved_is_stale(place: Place, signers: dict[str, Signer]) -> None:
    place.run("publish")
    place.change(signers["globex"].entry(), make_signer("second").entry())
    place.plan()
    place.run("publish")
    place.change(signers["globex"].entry(), make_signer("third").entry())
    before = place.kids()
    ran = place.publish("--allow", "drops-active-key")
    assert (ran.code, place.kids(), place.head) == (1, before, 2)
    assert (
        "the plan is stale: it starts from release 1, and the store is at 2; nothing was published; make it again with"
        in ran.err
    )


def test_a_plan_of_another_commit_is_stale(place: Place, signers: dict[str, Signer]) -> None:
    place.run("publish")
    place.change(signers["globex"].entry(), make_signer("second").entry())
    place.plan()
    place.change(signers["globex"].entry(), make_signer("third").entry())
    ran = place.publish()
    assert (ran.code, place.kids(), place.head) == (1, ["globex-key"], 1)
    assert "the plan is stale: it is of commit " in ran.err


def test_a_plan_of_another_commit_is_stale_also_where_nothing_is_to_do(
    place: Place, signers: dict[str, Signer]
) -> None:
    place.plan()
    place.change(signers["globex"].entry(), make_signer("second").entry())
    place.run("publish")
    ran = place.publish()
    assert (ran.code, "the plan is stale: " in ran.err, place.head) == (1, True, 1)


def test_a_plan_that_would_do_something_else_now_is_stale(place: Place, signers: dict[str, Signer]) -> None:
    place.run("publish")
    place.change(signers["globex"].entry(), make_signer("second").entry())
    place.plan()
    (place.root / GLOBEX).write_bytes(b"{}")
    ran = place.publish()
    assert (ran.code, (place.root / GLOBEX).read_bytes(), place.head) == (1, b"{}", 1)
    assert "the plan is stale: what would be published now differs from it" in ran.err


def test_a_plan_that_was_edited_is_stale(place: Place) -> None:
    place.plan()
    value = json.loads(place.file.read_bytes())
    place.file.write_text(json.dumps({**value, "digest": "0" * 64}))
    ran = place.publish()
    assert (ran.code, "the plan is stale" in ran.err, (place.root / "HEAD.json").exists()) == (1, True, False)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "nonsense", '{"digest": "x", "base": 1, "commit": "c", "allow": 5, "lift": [[1]]}'],
)
def test_what_is_no_plan_is_a_usage_error(place: Place, text: str) -> None:
    place.file.write_text(text)
    ran = place.publish()
    assert (ran.code, "--plan: the file is no plan; make it with `plan --out FILE`" in ran.err) == (2, True)


def test_a_published_plan_has_nothing_left_to_do(place: Place) -> None:
    place.plan()
    assert place.publish().code == 0
    again = place.publish()
    assert (again.code, again.out.startswith("Nothing to change"), place.head) == (0, True, 1)


def test_not_first_refuses_a_store_that_was_emptied(place: Place) -> None:
    refused = place.run("publish", "--not-first")
    assert refused.code == 3
    assert f"file://{place.root}: nothing was ever published there: emptied, or another place is meant" in refused.err
    assert not place.root.exists()
    assert place.run("publish").code == 0
    assert place.run("publish", "--not-first").code == 0


@pytest.mark.parametrize(
    ("arguments", "lifted"),
    [
        ([], frozenset()),
        (["--lift-hold"], None),
        (["--lift-hold", "all"], None),
        (["--lift-hold=acme"], frozenset({"acme"})),
        (["--lift-hold", "acme", "--lift-hold", "globex"], frozenset({"acme", "globex"})),
        (["--lift-hold", "--quick"], None),
    ],
)
def test_holds_are_lifted_by_name_or_all(arguments: list[str], lifted: frozenset[str] | None) -> None:
    seen: list[tuple[str, ...]] = []

    @click.command()
    @lift_option
    @click.option("--quick", is_flag=True)
    def command(lift: tuple[str, ...], quick: bool) -> None:
        seen.append(lift)

    command.main(arguments, standalone_mode=False)
    assert wish_of(seen[0]).lift == lifted
