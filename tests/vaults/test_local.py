"""The local vault: keys that are made once, files for one user alone, and nothing lost to a kill or a race."""

import os
import shutil
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from keymaker import public_jwk
from keymaker import thumbprint as key_thumbprint
from repos import Repo

from publisher.algorithm import FITS
from publisher.fields import Reading
from publisher.jwk import kind, members
from publisher.publickey import parse
from publisher.vault import Made, VaultError
from publisher.vaults import folder, open_vault
from publisher.vaults.local import LocalVault

from .conftest import PASSPHRASE, reopened

NONE: frozenset[str] = frozenset()


def thumbprint(made: Made) -> str:
    return made.handle.removeprefix("local:")


def keys(place: Path, tenant: str = "acme") -> list[str]:
    return sorted(path.name for path in (place / tenant).glob("*.pem"))


@pytest.fixture(params=[0o000, 0o022, 0o077, 0o777], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.mark.parametrize("alg", FITS)
def test_a_token_by_the_private_half_verifies_with_what_was_made(alg: str, local: LocalVault, place: Path) -> None:
    made = local.make("acme", alg, NONE)
    private = load_pem_private_key((place / "acme" / f"{thumbprint(made)}.pem").read_bytes(), PASSPHRASE)
    signed_as = "EdDSA" if alg in ("Ed25519", "Ed448") else alg
    token = jwt.encode({"sub": "x"}, private, algorithm=signed_as)  # type: ignore[arg-type]
    key = jwt.PyJWK(dict(made.jwk), algorithm=signed_as)
    assert jwt.decode(token, key, algorithms=[signed_as]) == {"sub": "x"}


@pytest.mark.parametrize("alg", FITS)
def test_what_was_made_is_a_public_key_as_key_sets_have_it(alg: str, local: LocalVault, place: Path) -> None:
    made = local.make("acme", alg, NONE)
    reading = Reading(file="generated.yaml")
    jwk = parse(dict(made.jwk), (), reading)
    assert reading.findings == []
    assert jwk is not None
    assert members(jwk) == made.jwk
    assert jwk.thumbprint == thumbprint(made)
    assert kind(jwk) == FITS[alg][0]
    private = load_pem_private_key((place / "acme" / f"{thumbprint(made)}.pem").read_bytes(), PASSPHRASE)
    assert public_jwk(private) == made.jwk  # type: ignore[arg-type]


def test_what_nobody_used_is_given_again_also_to_another_process(local: LocalVault, place: Path) -> None:
    first = local.make("acme", "ES256", NONE)
    assert local.make("acme", "ES256", NONE) == first
    assert reopened(place).make("acme", "ES256", {"another"}) == first
    assert keys(place) == [f"{thumbprint(first)}.pem"]


def test_what_was_used_is_not_given_again_also_when_it_is_forgotten(local: LocalVault, place: Path) -> None:
    first = local.make("acme", "ES256", NONE)
    second = local.make("acme", "ES256", {thumbprint(first)})
    assert second != first
    assert reopened(place).make("acme", "ES256", NONE) == second


def test_all_that_is_used_is_noted_also_beside_a_key_that_is_not(local: LocalVault, place: Path) -> None:
    """Whatever the order of their names."""
    for _ in range(8):
        used = local.make("acme", "ES256", NONE)
        unused = local.make("acme", "ES256", {thumbprint(used)})
        (place / "acme" / f"{thumbprint(used)}.used").unlink()  # as if nobody had looked yet
        assert local.make("acme", "ES256", {thumbprint(used)}) == unused
        assert local.make("acme", "ES256", NONE) == unused
        local.retire("acme", used.handle)
        local.retire("acme", unused.handle)


def test_a_vault_that_has_lost_what_tells_its_passphrase_is_refused(local: LocalVault, place: Path) -> None:
    made = local.make("acme", "ES256", NONE)
    (place / "_passphrase.pem").unlink()
    with pytest.raises(VaultError, match=r"_passphrase\.pem: this is missing, which tells the passphrase"):
        reopened(place, b"another one of length").make("globex", "ES256", NONE)
    shutil.copy2(place / "acme" / f"{thumbprint(made)}.pem", place / "_passphrase.pem")
    assert reopened(place).make("acme", "ES256", NONE) == made


def test_tenants_and_kinds_have_keys_of_their_own(local: LocalVault) -> None:
    acme = [local.make("acme", alg, NONE) for alg in ("ES256", "ES384", "RS256", "EdDSA")]
    globex = local.make("globex", "ES256", NONE)
    assert len({made.handle for made in [*acme, globex]}) == 5
    assert local.make("acme", "Ed25519", NONE) == acme[3]
    assert local.make("acme", "PS512", NONE) == acme[2]


def test_rsa_keys_have_the_size_that_is_asked_for(local: LocalVault, place: Path) -> None:
    small = local.make("acme", "RS256", NONE)
    large = reopened(place, bits=3072).make("acme", "RS256", NONE)
    assert (len(small.jwk["n"]), len(large.jwk["n"])) == (342, 512)
    assert reopened(place, bits=3072).make("acme", "RS256", NONE) == large


def test_files_are_for_their_owner_alone_under_any_umask(umask: int, local: LocalVault, place: Path) -> None:
    first = local.make("acme", "ES256", NONE)
    local.make("acme", "ES256", {thumbprint(first)})
    local.retire("acme", first.handle)
    modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in (place, *place.rglob("*"))}
    assert len(modes) >= 8
    assert {path: mode for path, mode in modes.items() if mode != (0o700 if path.is_dir() else 0o600)} == {}


@pytest.mark.parametrize("what", ["", "acme", "_passphrase.pem", "acme/KEY"])
@pytest.mark.parametrize("right", [0o040, 0o010, 0o004, 0o020])
def test_what_others_can_read_is_refused(what: str, right: int, local: LocalVault, place: Path) -> None:
    made = local.make("acme", "ES256", NONE)
    path = place / what.replace("KEY", f"{thumbprint(made)}.pem")
    path.chmod(path.stat().st_mode | right)
    with pytest.raises(VaultError, match=r"others than its owner have rights there; `chmod [67]00` takes"):
        reopened(place).make("acme", "ES256", NONE)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_belongs_to_another_user_is_refused(local: LocalVault, place: Path) -> None:
    local.make("acme", "ES256", NONE)
    os.chown(place / "acme", 12345, 12345)
    with pytest.raises(VaultError, match="this belongs to another user"):
        local.make("acme", "ES256", NONE)


@pytest.mark.parametrize("inside", ["vault", "deep/er/vault", ".git/vault"])
def test_a_place_in_a_git_repository_is_refused(inside: str, tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo")
    place = repo.path / inside
    place.parent.mkdir(parents=True, exist_ok=True)
    with pytest.raises(VaultError, match=r"this is in the Git repository .*, where private keys have no place"):
        reopened(place).make("acme", "ES256", NONE)
    assert not place.exists()
    (tmp_path / "link").symlink_to(place.parent)
    with pytest.raises(VaultError, match="this is in the Git repository"):
        reopened(tmp_path / "link" / place.name).make("acme", "ES256", NONE)


def test_a_place_in_a_bare_repository_or_a_linked_work_tree_is_refused(tmp_path: Path) -> None:
    bare, linked = tmp_path / "bare.git", tmp_path / "linked"
    subprocess.run(["git", "init", "-q", "--bare", bare], check=True)
    linked.mkdir()
    (linked / ".git").write_text("gitdir: /elsewhere\n")
    for place in (bare / "vault", linked / "vault"):
        with pytest.raises(VaultError, match="this is in the Git repository"):
            reopened(place).make("acme", "ES256", NONE)


def test_a_vault_that_becomes_a_repository_is_refused(local: LocalVault, place: Path) -> None:
    made = local.make("acme", "ES256", NONE)
    subprocess.run(["git", "init", "-q", place], check=True)
    with pytest.raises(VaultError, match="this is in the Git repository"):
        local.make("acme", "ES256", NONE)
    with pytest.raises(VaultError, match="this is in the Git repository"):
        local.retire("acme", made.handle)


def test_another_passphrase_is_refused_also_for_a_new_tenant(local: LocalVault, place: Path) -> None:
    local.make("acme", "ES256", NONE)
    for tenant in ("acme", "globex"):
        with pytest.raises(VaultError, match="this is not the vault's passphrase; correct it"):
            reopened(place, b"another one of length").make(tenant, "ES256", NONE)
    assert not (place / "globex").exists()


@pytest.mark.parametrize(
    ("passphrase", "text"),
    [
        (b"", "too short; take 12"),
        (b"eleven char", "too short; take 12"),
        ("é".encode() * 11, "too short; take 12"),
        (b"x" * 1024, "too long"),
        (b"long enough, but\n", "line break or control character"),
        (b"long enough,\0 but", "line break or control character"),
    ],
)
def test_passphrases_that_are_no_good(passphrase: bytes, text: str, place: Path) -> None:
    with pytest.raises(VaultError, match=text):
        reopened(place, passphrase).make("acme", "ES256", NONE)
    assert not place.exists()


def test_a_passphrase_is_needed_to_make_and_asked_for_once(place: Path) -> None:
    with pytest.raises(VaultError, match="a passphrase is needed; set JWKS_PUBLISHER_VAULT_PASSPHRASE"):
        open_vault(f"local:{place}").make("acme", "ES256", NONE)
    asked: list[int] = []

    def ask() -> bytes:
        asked.append(1)
        return PASSPHRASE

    vault = reopened(place, ask)
    made = vault.make("acme", "ES256", NONE)
    vault.make("globex", "ES256", NONE)
    assert len(asked) == 1
    open_vault(f"local:{place}").retire("acme", made.handle)
    assert keys(place) == []


@pytest.mark.parametrize("tenant", ["", "..", ".", "a/b", "A", "_retired", "a_b", "/etc", "x" * 64, "a\n", "xn--a"])
def test_what_is_no_tenants_name_is_refused(tenant: str, local: LocalVault, place: Path) -> None:
    with pytest.raises(VaultError, match="is not a tenant's name"):
        local.make(tenant, "ES256", NONE)
    with pytest.raises(VaultError, match="is not a tenant's name"):
        local.retire(tenant, "local:" + "A" * 43)
    assert not place.exists()


@pytest.mark.parametrize("alg", ["", "HS256", "none", "RS1", "es256"])
def test_algorithms_that_no_key_is_made_for(alg: str, local: LocalVault, place: Path) -> None:
    with pytest.raises(VaultError, match="no key can be made for"):
        local.make("acme", alg, NONE)
    assert not place.exists()


def test_a_retired_key_is_put_aside_with_its_time_and_not_given_again(local: LocalVault, place: Path) -> None:
    made = local.make("acme", "ES256", NONE)
    file = place / "acme" / f"{thumbprint(made)}.pem"
    os.utime(file, (1_000_000_000, 1_000_000_000))
    before = file.read_bytes()
    for _ in range(2):
        local.retire("acme", made.handle)
    aside = place / "_retired" / "acme" / file.name
    assert aside.read_bytes() == before
    assert aside.stat().st_mtime == 1_000_000_000
    assert not file.exists()
    assert local.make("acme", "ES256", NONE) != made


def test_retiring_leaves_other_tenants_keys_alone(local: LocalVault, place: Path) -> None:
    made = local.make("acme", "ES256", NONE)
    local.make("globex", "ES256", NONE)
    for tenant in ("globex", "nobody"):
        local.retire(tenant, made.handle)
    assert keys(place) == [f"{thumbprint(made)}.pem"]
    assert len(keys(place, "globex")) == 1
    assert not (place / "nobody").exists()


@pytest.mark.parametrize(
    "handle",
    ["", "local:", "local:../x", "local:" + "A" * 42, "local:" + "A" * 43 + "\n", "aws-kms:arn:aws:kms:x:1:key/1"],
)
def test_handles_of_other_vaults_are_refused(handle: str, local: LocalVault) -> None:
    local.make("acme", "ES256", NONE)
    with pytest.raises(VaultError, match="is no key of a local vault"):
        local.retire("acme", handle)


def test_a_vault_that_is_not_there_has_nothing_to_retire(local: LocalVault) -> None:
    with pytest.raises(VaultError, match="there is no such folder; make it, or correct the path"):
        local.retire("acme", "local:" + "A" * 43)


def test_the_folder_above_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(VaultError, match="there is no such folder"):
        reopened(tmp_path / "slip" / "vault").make("acme", "ES256", NONE)


def test_links_and_other_things_in_the_vault_are_not_followed(local: LocalVault, place: Path, tmp_path: Path) -> None:
    made = local.make("acme", "ES256", NONE)
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (place / "globex").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(VaultError, match=r"globex: .*symbolic link"):
        local.make("globex", "ES256", NONE)
    file = place / "acme" / f"{thumbprint(made)}.pem"
    shutil.move(file, tmp_path / "elsewhere" / "key")
    file.symlink_to(tmp_path / "elsewhere" / "key")
    with pytest.raises(VaultError, match=r"\.pem: this is no plain file"):
        local.make("acme", "ES256", NONE)
    file.unlink()
    os.mkfifo(file, 0o600)
    with pytest.raises(VaultError, match=r"\.pem: this is no plain file"):
        local.make("acme", "ES256", NONE)


def test_damaged_and_renamed_keys_are_told_of_and_never_given(local: LocalVault, place: Path) -> None:
    made = local.make("acme", "ES256", NONE)
    file = place / "acme" / f"{thumbprint(made)}.pem"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(VaultError, match="this key is damaged, or has another passphrase"):
        local.make("acme", "ES256", NONE)
    file.write_bytes(whole)
    file.rename(file.with_name("A" * 43 + ".pem"))
    with pytest.raises(VaultError, match="holds another key than its name says"):
        local.make("acme", "ES256", NONE)


@pytest.mark.parametrize("step", ["write", "rename", "fsync"])
def test_a_kill_at_any_step_leaves_a_whole_key_or_none(
    step: str, local: LocalVault, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = local.make("acme", "ES256", NONE)
    used = {thumbprint(first)}

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(folder, "write", killed) if step == "write" else patch.setattr(os, step, killed)
        with pytest.raises(KeyboardInterrupt):
            local.make("acme", "ES256", used)
    left = keys(place)
    assert left == [f"{thumbprint(first)}.pem"]
    again = reopened(place).make("acme", "ES256", used)
    assert reopened(place).make("acme", "ES256", used) == again
    assert len(keys(place)) == 2
    assert not (place / "acme" / ".new").exists()


def test_a_kill_after_the_rename_wastes_no_key(local: LocalVault, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rename = os.rename

    def killed(*arguments: str, **settings: Any) -> None:
        rename(*arguments, **settings)
        raise KeyboardInterrupt

    local.make("acme", "ES256", NONE)  # so that the vault has its passphrase
    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", killed)
        with pytest.raises(KeyboardInterrupt):
            local.make("globex", "ES256", NONE)
    (left,) = keys(place, "globex")
    assert f"{thumbprint(reopened(place).make('globex', 'ES256', NONE))}.pem" == left


def test_many_at_once_get_whole_keys_and_waste_none(place: Path) -> None:
    barrier, got = threading.Barrier(8), []

    def work() -> None:
        vault = reopened(place)
        barrier.wait()
        got.append(vault.make("acme", "ES256", NONE))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 8
    assert {f"{thumbprint(made)}.pem" for made in got} == set(keys(place))
    assert len(set(keys(place))) == 1


def test_a_full_disk_is_one_line_and_leaves_nothing_half(
    local: LocalVault, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local.make("acme", "ES256", NONE)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(VaultError, match=r"globex: no space is left on the device; make room$"):
            local.make("globex", "ES256", NONE)
    assert keys(place, "globex") == []
    assert local.make("globex", "ES256", NONE)


def test_a_killed_process_leaves_whole_keys_alone(place: Path) -> None:
    """SIGKILL in the middle of making many keys: every file is a key by its name, and the next run goes on."""
    program = (
        "import itertools, pathlib, sys\n"
        "from publisher.vaults.local import LocalVault\n"
        "vault = LocalVault(pathlib.Path(sys.argv[1]), passphrase=sys.argv[2].encode(), rounds=1000)\n"
        "for number in itertools.count():\n"
        "    vault.make(f't{number % 7}', 'ES256', {p.stem for p in pathlib.Path(sys.argv[1]).rglob('*.pem')})\n"
    )
    for killed_after in (3, 9, 30):
        work = subprocess.Popen([sys.executable, "-c", program, place, PASSPHRASE.decode()])
        before = len(list(place.rglob("*.pem")))
        while work.poll() is None and len(list(place.rglob("*.pem"))) < before + killed_after:
            time.sleep(0.001)
        assert work.poll() is None
        work.kill()
        work.wait()
        found = [path for path in place.rglob("*.pem") if path.parent != place]
        assert found
        for path in found:
            private = load_pem_private_key(path.read_bytes(), PASSPHRASE)
            assert key_thumbprint(private) == path.stem  # type: ignore[arg-type]
    assert reopened(place).make("t0", "ES256", NONE)
