"""`generated rotate`: what is announced, ended, kept and dropped, and when."""

import subprocess
import threading
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from keymaker import ec_key, public_pem, thumbprint
from keymaker import entry as pem_entry
from program import command, environment
from repos import Repo

from publisher.keyset import NEVER
from publisher.vaults.local import LocalVault

from .conftest import PASSPHRASE
from .running import (
    DAY,
    HOUR,
    LEAD,
    NOW,
    RETENTION,
    World,
    active,
    at,
    entry,
    generated,
    kid,
    run,
    signing_since,
)

START = NOW - 100 * DAY


@pytest.fixture
def acme(world: World) -> World:
    """A tenant whose key has signed for a hundred days."""
    world.tenant("acme", generated(signing_since(0, START)))
    return world


# --- one tenant


def test_a_new_key_is_announced_and_the_present_one_ends_and_stays_for_its_tokens(acme: World) -> None:
    said = acme.done("rotate", "acme")
    old, new = acme.made()
    assert (old.window.signs_until, old.window.publish_until) == (NOW + LEAD, NOW + LEAD + RETENTION)
    assert (old.window.publish_from, old.window.signs_from) == (START - 2 * DAY, START)
    assert (new.window.publish_from, new.window.signs_from) == (NOW, NOW + LEAD)
    assert (new.window.signs_until, new.window.publish_until) == (NEVER, NEVER)
    assert (new.alg, new.vault) == ("ES256", f"local:{new.jwk.thumbprint}")
    assert new.kid == new.jwk.thumbprint
    assert f"acme: {new.kid} signs from {at(NOW + LEAD)} on, when {old.kid} ends\n" in said
    assert "add keysets/acme/generated.yaml\n" in said
    assert "commit -m 'Rotate keys of acme'\n" in said
    assert acme.mistakes() == []


def test_the_first_key_signs_at_once_and_a_second_run_is_no_second_rotation(world: World) -> None:
    world.tenant()
    said = world.done("rotate", "acme")
    (key,) = world.made()
    assert key.window.publish_from == key.window.signs_from == NOW
    assert f"acme: {key.kid} signs from {at(NOW)} on\n" in said
    before = world.text()
    for later in (NOW, NOW + LEAD - HOUR):
        assert "is its only key and was just made" in world.done("rotate", "acme", now=later)
    assert world.text() == before
    world.done("rotate", "acme", now=NOW + LEAD)
    assert len(world.made()) == 2
    assert world.mistakes() == []


def test_a_key_beside_custom_ones_waits_for_the_lead(world: World) -> None:
    world.tenant(keyset=f"custom_keys:\n{pem_entry('ES256', kid='own', pem=public_pem(ec_key(9)))}")
    world.done("rotate", "acme")
    assert [key.window.signs_from for key in world.made()] == [NOW + LEAD]
    assert world.mistakes() == []


def test_twice_is_once_until_the_new_key_signs(acme: World) -> None:
    acme.done("rotate", "acme")
    before, new = acme.text(), acme.made()[1]
    for later in (NOW, NOW + HOUR, NOW + LEAD - HOUR):
        said = acme.done("rotate", "acme", now=later)
        assert said == f"acme: a rotation is under way, {new.kid} signs from {at(NOW + LEAD)} on\n"
    assert acme.text() == before
    assert acme.private_halves() == [new.kid]
    acme.done("rotate", "acme", now=NOW + LEAD)
    assert len(acme.made()) == 3


def test_a_run_that_was_killed_between_vault_and_file_wastes_no_key(acme: World) -> None:
    with patch("publisher.cli.editing.write", side_effect=KeyboardInterrupt):
        assert acme.do("rotate", "acme").code == 130
    assert acme.text() == generated(signing_since(0, START))
    (made,) = acme.private_halves()
    acme.done("rotate", "acme", now=NOW + HOUR)
    assert [key.kid for key in acme.made()] == [kid(0), made]
    assert acme.private_halves() == [made]


def test_a_run_that_was_killed_after_a_key_was_retired_is_finished_by_the_next(acme: World) -> None:
    acme.done("rotate", "acme")
    old = acme.made()[1]
    acme.done("rotate", "acme", now=NOW + 90 * DAY)
    later = NOW + 100 * DAY
    with patch("publisher.cli.editing.write", side_effect=KeyboardInterrupt):
        assert acme.do("rotate", "acme", now=later).code == 130
    assert old.kid not in acme.private_halves()
    assert f"{old.kid} is over, and its entry went" in acme.done("rotate", "acme", now=later)
    assert old.kid not in acme.text()


def test_of_two_runs_at_once_one_rotates(acme: World) -> None:
    gate, ended = threading.Barrier(2), []

    def one() -> None:
        given = ("--now", at(NOW), "--jobs", "1", "--vault", f"local:{acme.vault}")
        gate.wait()
        done = subprocess.run(
            command("generated", "rotate", "acme", *given),
            cwd=acme.repo.path,
            env=environment(JWKS_PUBLISHER_VAULT_PASSPHRASE=PASSPHRASE),
            capture_output=True,
            check=False,
        )
        ended.append((done.returncode, done.stdout.decode() + done.stderr.decode()))

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(code for code, _ in ended) in ([0, 0], [0, 1]), ended
    assert sum("when" in said for code, said in ended if code == 0) == 1
    assert all("was changed by somebody else" in said for code, said in ended if code == 1)
    assert len(acme.made()) == 2
    assert acme.mistakes() == []


def test_a_file_that_changed_meanwhile_is_not_overwritten(acme: World) -> None:
    real = LocalVault.make

    def make(self: LocalVault, tenant: str, alg: str, used: frozenset[str]) -> object:
        acme.file().write_text(generated(signing_since(1, START)))
        return real(self, tenant, alg, used)

    with patch.object(LocalVault, "make", make):
        ran = acme.do("rotate", "acme")
    assert ran.code == 1
    assert "was changed by somebody else meanwhile; nothing was done" in ran.err
    assert acme.text() == generated(signing_since(1, START))
    assert [path.name for path in acme.file().parent.iterdir()].count("generated.yaml") == 1
    assert not list(acme.file().parent.glob(".keyset-*"))


def test_what_is_over_goes_a_lead_after_its_end_and_revoked_entries_stay(world: World) -> None:
    end = NOW - LEAD
    gone = entry(1, publish=f"until: {at(end)}", signs=f"until: {at(end - 2 * DAY)}")
    stays = entry(2, publish=f"until: {at(end + HOUR)}", signs=f"until: {at(end - 2 * DAY)}")
    lost = entry(3, publish=f"until: {at(end - DAY)}", revoked=f"at: {at(end - 9 * DAY)}, reason: lost")
    world.tenant("acme", generated(gone, stays, lost, signing_since(0, START)))
    said = world.done("rotate", "acme")
    assert f"acme: {kid(1)} is over, and its entry went\n" in said
    assert [key.kid for key in world.made()][:3] == [kid(2), kid(3), kid(0)]
    assert world.text().startswith(generated(stays, lost))
    said = world.done("rotate", "acme", now=NOW + HOUR)  # while the rotation is under way
    assert f"{kid(2)} is over, and its entry went" in said
    assert "a rotation is under way" in said
    assert [key.kid for key in world.made()][:2] == [kid(3), kid(0)]


def test_private_halves_of_what_is_over_are_put_away(acme: World) -> None:
    acme.done("rotate", "acme")
    first = acme.made()[1]
    acme.done("rotate", "acme", now=NOW + 90 * DAY)
    end = next(key for key in acme.made() if key.kid == first.kid).window.publish_until
    acme.done("rotate", "acme", now=end + LEAD - HOUR)
    assert first.kid in acme.private_halves()
    acme.done("rotate", "acme", now=end + LEAD)
    assert first.kid not in acme.private_halves()
    assert (acme.vault / "_retired" / "acme" / f"{first.kid}.pem").exists()


# --- standby keys, and when


def test_a_standby_takes_over_and_a_new_one_comes(world: World) -> None:
    far = NOW + 20_000 * DAY
    standby = entry(1, publish=f"from: {at(START)}", signs=f"from: {at(far)}")
    world.tenant("acme", generated(signing_since(0, START), standby))
    said = world.done("rotate", "acme")
    old, heir, new = world.made()
    assert (old.window.signs_until, old.window.publish_until) == (NOW + LEAD, NOW + LEAD + RETENTION)
    assert (heir.window.publish_from, heir.window.signs_from) == (START, NOW + LEAD)
    assert (new.window.publish_from, new.window.signs_from) == (NOW, far)
    assert f"{heir.kid} signs from {at(NOW + LEAD)} on, when {old.kid} ends\n" in said
    assert f"{new.kid} is announced, to stand by\n" in said
    assert "under way" in world.done("rotate", "acme")
    assert len(world.made()) == 3
    assert world.mistakes() == []


def test_a_standby_that_was_announced_long_ago_can_take_over_sooner(world: World) -> None:
    standby = entry(1, publish=f"from: {at(START)}", signs="from: 2090-01-01T00:00:00Z")
    world.tenant("acme", generated(signing_since(0, START), standby))
    world.done("rotate", "acme", "--at", at(NOW + HOUR))
    assert [key.window.signs_from for key in world.made()][:2] == [START, NOW + HOUR]
    assert world.made()[0].window.signs_until == NOW + HOUR
    assert world.mistakes() == []


@pytest.mark.parametrize("away", [HOUR, LEAD, LEAD + HOUR, 89 * DAY])
def test_a_standby_whose_date_is_near_keeps_it_or_takes_over_sooner(world: World, away: timedelta) -> None:
    standby = entry(1, publish=f"from: {at(START)}", signs=f"from: {at(NOW + away)}")
    world.tenant("acme", generated(signing_since(0, START), standby))
    world.done("rotate", "acme")
    old, heir, new = world.made()
    assert heir.window.signs_from == old.window.signs_until == NOW + min(away, LEAD)
    assert new.window.signs_from == heir.window.signs_from + 90 * DAY
    assert world.mistakes() == []


def test_a_key_that_was_overtaken_by_a_standbys_date_ends_with_the_next_rotation(world: World) -> None:
    standby = entry(1, publish=f"from: {at(START)}", signs=f"from: {at(NOW - DAY)}")
    world.tenant("acme", generated(signing_since(0, START), standby))
    assert len(active(world.made(), NOW)) == 2
    world.done("rotate", "acme")
    old, heir, new = world.made()
    assert (old.window.signs_until, old.window.publish_until) == (NOW, NOW + RETENTION)
    assert heir.window.signs_until == new.window.signs_from == NOW + LEAD
    assert world.mistakes() == []


def test_an_announced_key_is_no_successor_of_one_that_is_gone_already(world: World) -> None:
    lost = entry(0, revoked=f"at: {at(NOW)}, reason: lost")
    standby = entry(1, publish=f"from: {at(START)}", signs="from: 2090-01-01T00:00:00Z")
    world.tenant("acme", generated(lost, standby))
    world.done("rotate", "acme")
    assert active(world.made(), NOW) == [kid(1)]
    assert world.mistakes() == []


def test_a_key_that_ends_without_a_successor_is_due_and_goes_on_until_there_is_one(world: World) -> None:
    end = NOW + HOUR
    ending = entry(
        0,
        publish=f"from: {at(START)}, until: {at(end + 30 * DAY)}",
        signs=f"from: {at(NOW - DAY)}, until: {at(end)}",
    )
    world.tenant("acme", generated(ending))
    world.done("rotate", "--all-due")
    old, new = world.made()
    assert old.window.signs_until == new.window.signs_from == NOW + LEAD
    assert old.window.publish_until == end + 30 * DAY
    assert world.mistakes() == []


def test_too_early_is_refused_with_the_earliest_date_and_later_is_not(acme: World) -> None:
    ran = acme.do("rotate", "acme", "--at", at(NOW + LEAD - HOUR))
    assert ran.code == 1
    assert f"lead-too-short: it signs from {at(NOW + LEAD - HOUR)} on, published since {at(NOW)}" in ran.out
    assert f"signs.from must be {at(NOW + LEAD)} or later\n" in ran.out
    assert "nothing was done" in ran.err
    assert acme.text() == generated(signing_since(0, START))
    acme.done("rotate", "acme", "--at", at(NOW + 30 * DAY))
    old, new = acme.made()
    assert old.window.signs_until == new.window.signs_from == NOW + 30 * DAY
    assert acme.private_halves() == [new.kid]  # the one that the refused run made
    assert "under way" in acme.done("rotate", "acme", now=NOW + 20 * DAY)


def test_an_instant_in_fractions_of_minutes_is_rounded_up(acme: World) -> None:
    acme.done("rotate", "acme", now=NOW + timedelta(seconds=1))
    old, new = acme.made()
    assert new.window.publish_from == NOW + timedelta(seconds=1)
    assert new.window.signs_from == NOW + LEAD + timedelta(minutes=1)
    assert old.window.publish_until == NOW + LEAD + timedelta(minutes=1) + RETENTION


def test_an_instant_beyond_the_longest_period_is_refused_as_it_would_end_rotation(acme: World) -> None:
    ran = acme.do("rotate", "acme", "--at", "9999-12-30T00:00:00Z")
    assert ran.code == 1
    assert "--at is later than 2031-01-02T00:00:00Z" in ran.err
    assert acme.mistakes() == []


# --- settings


def test_plans_and_tenants_say_how_they_rotate(world: World) -> None:
    world.tenant("acme", generated(signing_since(0, NOW - 29 * DAY)))
    world.tenant("globex", generated(signing_since(1, NOW - 29 * DAY)), plan="quick")
    own = "rotation: {every: 31d, lead: 72h, alg: ES384}\ntoken_lifetime: 1h\n"
    world.tenant("hooli", generated(signing_since(2, NOW - 29 * DAY)), keyset=own)
    world.done("rotate", "--all-due")
    assert len(world.made("acme")) == 1
    assert [key.alg for key in world.made("globex")] == ["ES256", "EdDSA"]
    old, new = world.made("hooli")
    assert (new.alg, new.window.signs_from) == ("ES384", NOW + 72 * HOUR)
    assert old.window.publish_until == NOW + 72 * HOUR + RETENTION - 23 * HOUR
    assert world.mistakes() == []


def test_the_algorithm_can_be_named(acme: World) -> None:
    acme.done("rotate", "acme", "--alg", "EdDSA")
    assert [key.alg for key in acme.made()] == ["ES256", "EdDSA"]


def test_an_algorithm_that_is_unknown_or_not_allowed_is_refused(acme: World) -> None:
    assert acme.do("rotate", "acme", "--alg", "HS256").code == 2
    ran = acme.do("rotate", "acme", "--alg", "ES256K")
    assert ran.code == 1
    assert "the policy does not allow ES256K (`algorithms`); nothing was done" in ran.err
    assert acme.text() == generated(signing_since(0, START))
    assert not acme.vault.exists()  # no key was made for it


# --- what is refused


def test_a_tenant_with_mistakes_is_refused(acme: World) -> None:
    acme.file().write_text(acme.text() + "    pubish: {}\n")
    ran = acme.do("rotate", "acme")
    assert ran.code == 1
    assert "unknown-field" in ran.out
    assert "keysets/acme has mistakes: nothing was done" in ran.err
    assert not acme.vault.exists()


def test_what_a_rule_refuses_is_not_written(acme: World) -> None:
    acme.tenant("acme", generated(signing_since(0, START)), plan="unknown")
    ran = acme.do("rotate", "acme")
    assert (ran.code, "plan-unknown" in ran.out) == (1, True)
    assert acme.text() == generated(signing_since(0, START))


def test_generated_yaml_that_is_a_link_or_too_large_is_left_alone(world: World, tmp_path: Path) -> None:
    world.tenant()
    elsewhere = tmp_path / "elsewhere.yaml"
    elsewhere.write_text(generated(signing_since(0, START)))
    world.file().symlink_to(elsewhere)
    for _ in range(2):
        ran = world.do("rotate", "acme")
        assert (ran.code, "is no plain file, or too large" in ran.err) == (1, True)
        world.file().unlink()
        world.file().write_bytes(b"#" * 300_000)
    assert elsewhere.read_text() == generated(signing_since(0, START))
    assert not world.vault.exists()


def test_a_followed_tenant_is_left_alone(world: World) -> None:
    text = f"version: 1\nupstream: {{url: https://idp.example/jwks}}\n{generated(signing_since(0, START))[11:]}"
    world.tenant("acme", text)
    ran = world.do("rotate", "acme")
    assert ran.code == 0
    assert "acme follows an upstream, which rotates" in ran.err
    assert world.done("rotate", "--all-due") == "no rotation is due\n"
    assert world.text() == text
    assert not world.vault.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("acme", "--all-due"),
        ("--all-due", "--at", at(NOW)),
        ("--all-due", "--alg", "ES256"),
        ("acme", "--at", at(NOW - HOUR)),
        ("acme", "--most", "1"),
        ("nobody",),
        ("acme", "--rev", "HEAD"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(acme: World, arguments: tuple[str, ...]) -> None:
    assert acme.do("rotate", *arguments).code == 2
    assert acme.text() == generated(signing_since(0, START))


def test_without_a_vault_nothing_is_made(acme: World) -> None:
    ran = acme.do("rotate", "acme", vault=False)
    assert ran.code == 2
    assert "give --vault (or JWKS_PUBLISHER_VAULT)" in ran.err
    assert acme.text() == generated(signing_since(0, START))


# --- all that are due


def test_all_that_are_due_rotate_the_longest_due_first(world: World) -> None:
    days = {"acme": 95, "globex": 120, "hooli": 88, "initech": 87}
    for number, (name, since) in enumerate(days.items()):
        world.tenant(name, generated(signing_since(number, NOW - since * DAY)))
    world.tenant("soylent")  # was never given a key
    ran = world.do("rotate", "--all-due", "--most", "2")
    assert [line.split(":")[0] for line in ran.out.splitlines() if " signs from " in line] == ["globex", "acme"]
    assert "1 rotation more that are due are left for later" in ran.err
    assert "commit -m 'Rotate keys of 2 tenants'" in ran.out
    assert "hooli: " in world.done("rotate", "--all-due", "--most", "2")
    assert world.done("rotate", "--all-due") == "no rotation is due\n"
    assert [len(world.made(name)) for name in days] == [2, 2, 2, 1]
    assert not world.file("soylent").exists()
    assert world.mistakes() == []


def test_a_key_is_due_so_early_that_the_next_one_signs_when_its_period_is_over(world: World) -> None:
    world.tenant("acme", generated(signing_since(0, START)))
    due = START + 90 * DAY - LEAD
    assert world.done("rotate", "--all-due", now=due - timedelta(seconds=1)) == "no rotation is due\n"
    world.done("rotate", "--all-due", now=due)
    assert world.made()[1].window.signs_from == START + 90 * DAY


def test_one_tenant_that_fails_stops_no_other(world: World) -> None:
    world.tenant("acme", generated(signing_since(0, START)), plan="unknown")
    world.tenant("broken", "version: 2\n")
    world.tenant("hooli", generated(signing_since(1, START)))
    foreign = entry(3, publish=f"until: {at(START)}", vault="?")
    foreign = foreign.replace("vault: {?}", "vault: aws-kms:x")
    world.tenant("initech", generated(foreign, signing_since(2, START)))
    world.tenant("soylent", generated(signing_since(4, START)))
    ran = world.do("rotate", "--all-due")
    assert ran.code == 3
    assert "error: keysets/broken has mistakes, and is left out; see `check`" in ran.err
    assert "error: acme: 1 mistake in what keysets/acme/generated.yaml would become; nothing was done" in ran.err
    assert "error: initech: " in ran.err
    assert [len(world.made(name)) for name in ("acme", "hooli", "initech", "soylent")] == [1, 2, 2, 2]
    assert "add keysets/hooli/generated.yaml keysets/soylent/generated.yaml\n" in ran.out


def test_a_wrong_passphrase_is_a_failure(acme: World, monkeypatch: pytest.MonkeyPatch) -> None:
    acme.done("rotate", "acme")
    monkeypatch.setenv("JWKS_PUBLISHER_VAULT_PASSPHRASE", "another passphrase")
    ran = acme.do("rotate", "acme", now=NOW + 90 * DAY)
    assert (ran.code, "this is not the vault's passphrase" in ran.err) == (3, True)
    assert "another passphrase" not in ran.err


def test_three_hundred_tenants_rotate_quickly(world: World) -> None:
    for number in range(300):
        world.tenant(f"t{number}", generated(signing_since(number, START)))
    said = world.done("rotate", "--all-due")
    assert said.count(" signs from ") == 300
    assert f"git -C {world.repo.path} add keysets\n" in said
    assert world.mistakes() == []


# --- what a dry run says


def test_a_dry_run_makes_and_writes_nothing(acme: World) -> None:
    over = entry(5, publish=f"until: {at(START)}")
    acme.file().write_text(text := generated(over, signing_since(0, START)))
    said = acme.done("rotate", "acme", "--dry-run")
    assert said == f"acme: would announce a new ES256 key\nacme: {kid(5)} is over, and its entry would go\n"
    assert acme.done("rotate", "--all-due", "--dry-run") == said
    assert acme.do("rotate", "acme", "--dry-run", "--alg", "RS256", vault=False).out.startswith(
        "acme: would announce a new RS256 key\n"
    )
    assert acme.text() == text
    assert not acme.vault.exists()
    acme.done("rotate", "acme")
    assert "under way" in acme.done("rotate", "acme", "--dry-run")


def test_rotating_needs_no_repository(tmp_path: Path, acme: World) -> None:
    bare = tmp_path / "plain"
    bare.mkdir()
    (acme.repo.path / "keysets").rename(bare / "keysets")
    ran = run("generated", "rotate", "acme", "--repo", str(bare), "--now", at(NOW), "--vault", f"local:{acme.vault}")
    assert ran.code == 0
    assert thumbprint(ec_key(0)) in (bare / "keysets/acme/generated.yaml").read_text()


def test_a_vault_in_the_repository_is_refused(acme: World, tmp_path: Path) -> None:
    inside = World(repo=Repo(acme.repo.path), vault=acme.repo.path / "vault")
    ran = inside.do("rotate", "acme")
    assert (ran.code, "where private keys have no place" in ran.err) == (3, True)
    assert not inside.vault.exists()


def test_after_an_emergency_one_key_is_made_and_signs_at_once(world: World) -> None:
    world.tenant()
    world.done("rotate", "acme")
    first = world.made()[0].kid
    world.done("revoke", "acme", first, "--reason", "lost", "--emergency", "--replace")
    for _ in range(3):
        world.done("rotate", "acme")
    assert [key.revoked is None for key in world.made()] == [False, True]


def test_after_the_only_key_was_revoked_the_next_signs_at_once_and_twice_is_once(world: World) -> None:
    world.tenant()
    world.done("rotate", "acme")
    first = world.made()[0].kid
    world.do("revoke", "acme", first, "--reason", "lost", "--emergency")
    keyset = world.file().read_text()
    world.file().write_text(keyset.rstrip() + "\n    revoked: {at: 2029-12-31T00:00:00Z, reason: lost}\n")
    for _ in range(3):
        world.done("rotate", "acme")
    (key,) = (key for key in world.made() if key.revoked is None)
    assert key.window.signs_from <= NOW
