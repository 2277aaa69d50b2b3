"""`custom` as a user runs it: what it does to keyset.yaml, what it refuses, and what it prints."""

import hashlib
import json
from pathlib import Path

import pytest
from keymaker import (
    ec_key,
    flow,
    okp_key,
    private_jwk,
    public_jwk,
    public_pem,
    rsa_key,
    thumbprint,
)
from program import run
from repos import Repo

from publisher.customkeys import custom_keys, document
from publisher.incoming import read_jwks
from publisher.keyset import read_keyset
from publisher.source import File, Folder

from .acme import FOUR, KEYSET, NEW, PATH, custom, jwks, line_of, load_kids, own, text


def test_put_of_get_changes_nothing(repo: Repo) -> None:
    got = custom(repo, "get", "acme")
    assert got.code == 0
    assert [key["kid"] for key in json.loads(got.out)["keys"]] == ["now", thumbprint(rsa_key(0))]
    digest = hashlib.sha256(KEYSET.encode()).hexdigest()
    assert got.err == f"--if-match {digest}\n"
    assert custom(repo, "get", "acme", "--digest").out == f"{digest}\n"
    ran = custom(repo, "put", "acme", "-", "--if-match", digest, given=got.out)
    assert (ran.code, ran.out) == (0, f"{PATH}: nothing to change\n")
    assert text(repo) == KEYSET


def test_put_keeps_adds_and_removes(repo: Repo) -> None:
    ran = custom(
        repo,
        "put",
        "acme",
        "-",
        "--now",
        "2031-06-01T00:00:00Z",
        given=jwks({**public_jwk(ec_key(0)), "kid": "now"}, NEW),
    )
    assert ran.code == 0, ran.err + ran.out
    partner = "  # A partner's.\n  - alg: RS256\n    pem: partner.pem\n\n"
    added = f"  - kid: new\n    alg: EdDSA\n    jwk:\n      kty: OKP\n      crv: Ed25519\n      x: {NEW['x']}\n"
    added += "    signs: {from: 2031-06-03T00:01:00Z}\n"
    lost = "reason: lost}\n"
    after = text(repo)
    assert load_kids(after) == ["now", "lost", "new"]
    assert after.replace(added.replace(f"x: {NEW['x']}", line_of(after, "      x: ")), "§") == KEYSET.replace(
        partner, ""
    ).replace(lost, f"{lost}\n§")
    assert (repo.path / PATH).stat().st_mode & 0o777 == 0o640
    assert not list((repo.path / PATH).parent.glob(".keyset-*"))
    lines = ran.out.splitlines()
    assert lines[:2] == [f"--- a/{PATH}", f"+++ b/{PATH}"]
    assert lines[-2:] == [f"git add {PATH}", "git commit -m 'Replace custom keys of acme'"]
    assert f"`{thumbprint(rsa_key(0))}` is active" in ran.err
    assert "sign with `new` from 2031-06-03T00:01:00Z on" in ran.err
    checked = run("check", cwd=repo.path)
    assert (checked.code, "key-removed" in checked.err) == (0, True)


def test_dry_run_shows_and_writes_nothing(repo: Repo) -> None:
    ran = custom(repo, "put", "acme", "-", "--dry-run", given=jwks(NEW))
    assert ran.code == 0
    assert "+  - kid: new" in ran.out
    assert "git add" not in ran.out
    assert text(repo) == KEYSET


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (jwks(*FOUR), "too-many-custom-keys: 4 custom keys"),
        (jwks({**private_jwk(ec_key(5)), "kid": "p", "alg": "ES256"}), "private-key: `d` is a member of private keys"),
        (jwks(NEW, {**NEW, "kid": "other"}), "key-twice: "),
        (jwks(NEW, NEW), "kid-twice: "),
        (jwks({**public_jwk(ec_key(1)), "kid": "lost", "alg": "ES256"}), "kid-twice: the kid `lost` is already"),
        (jwks({**NEW, "alg": "RS256"}), "algorithm-key: RS256 does not go with Ed25519 keys"),
        (jwks({**public_jwk(rsa_key(1)), "kid": "r"}), "alg-missing: "),
        (jwks({**NEW, "kid": " x"}), "kid-format: "),
        ('{"keys": [], "keys": []}', "yaml-duplicate-key: "),
        ("\ufeff" + jwks(NEW), "yaml-encoding: "),
    ],
)  # fmt: skip
def test_put_is_all_or_nothing(repo: Repo, document: str, says: str) -> None:
    ran = custom(repo, "put", "acme", "-", given=document)
    assert ran.code == 1
    assert says in ran.out
    assert "nothing was done" in ran.err
    assert private_jwk(ec_key(5))["d"][:10] not in ran.out + ran.err
    assert text(repo) == KEYSET


def test_put_gives_a_key_the_only_algorithm_that_goes_with_it(repo: Repo) -> None:
    ran = custom(repo, "put", "acme", "-", given=jwks({**public_jwk(ec_key(7)), "kid": "plain"}))
    assert ran.code == 0, ran.err
    written = text(repo)
    assert "alg: ES256" in written[written.index("kid: plain") :]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("put", "nobody", "-"), 2, "there is no tenant 'nobody' in the working tree"),
        (("put", "eu", "-"), 2, "there is no tenant 'eu'"),
        (("put", "acme", "-", "--rev", "HEAD"), 2, "leave --rev out"),
        (("put", "acme", "-", "--if-match", "0" * 64), 1, "is not what --if-match names"),
        (("put", "acme", "missing.json"), 2, "does not exist"),
        (("delete", "acme", "--kid", "no"), 1, "there is no custom key of this kid: did you mean `now`?"),
        (("delete", "acme", "--kid", "lost"), 1, "its entry is the ledger, and stays"),
        (("challenge", "acme", "--kid", "lost"), 2, "there is no custom key of the kid 'lost' that is not revoked"),
        (("challenge", "acme", "--valid", "31d"), 2, "at most 30d"),
        (("prove", "acme", "e.f.g"), 1, "the proof is not a compact JWS"),
    ],
)  # fmt: skip
def test_refusals(repo: Repo, arguments: tuple[str, ...], code: int, says: str) -> None:
    ran = custom(repo, *arguments, given=jwks())
    assert ran.code == code, ran
    assert says in ran.err
    assert text(repo) == KEYSET


def test_put_refuses_another_alg_of_a_key_that_is_there(repo: Repo) -> None:
    ran = custom(repo, "put", "acme", "-", given=jwks({**public_jwk(rsa_key(0)), "alg": "PS256"}))
    assert (ran.code, text(repo)) == (1, KEYSET)
    assert "custom_keys[1] is there already with another `alg`" in ran.err


def test_another_tenants_key_is_refused_and_its_old_mistakes_are_not(repo: Repo) -> None:
    repo.write("keysets/hooli/keyset.yaml", "version: 2\n")
    ran = custom(repo, "delete", "acme", "--kid", "now", "--dry-run")
    assert ran.code == 0, ran
    taken = f"custom_keys:\n  - kid: g\n    alg: EdDSA\n    jwk: {flow(public_jwk(okp_key(0)))}\n"
    repo.write("keysets/globex/keyset.yaml", f"version: 1\ntenant: globex\nplan: enterprise\ndomains: []\n{taken}")
    ran = custom(repo, "put", "acme", "-", given=jwks(NEW))
    assert ran.code == 1
    assert "key-shared" in ran.out
    assert "hooli" not in ran.out


def test_a_broken_policy_stops_an_edit(repo: Repo) -> None:
    repo.write("keysets/policy.yaml", "version: 1\nplans: []\n")
    ran = custom(repo, "put", "acme", "-", given=jwks(NEW))
    assert ran.code == 1
    assert "keysets/policy.yaml:2:8: wrong-type" in ran.out


def test_delete_one_and_all(repo: Repo) -> None:
    assert custom(repo, "delete", "acme", "--kid", "now").code == 0
    assert "Signs now" not in text(repo)
    assert load_kids(text(repo)) == ["lost"]
    assert custom(repo, "delete", "acme").code == 0
    assert "partner" not in text(repo)
    assert load_kids(text(repo)) == ["lost"]
    assert own(repo) == []
    assert text(repo).endswith("reason: lost}\n# Ask security before a change.\n")


def test_the_git_commands_name_the_repository_from_elsewhere(repo: Repo, tmp_path: Path) -> None:
    ran = run("custom", "delete", "acme", "--kid", "now", "--repo", str(repo.path), cwd=tmp_path)
    commands = ran.out.splitlines()[-2:]
    assert commands[0] == f"git -C {repo.path} add {PATH}"
    for line in commands:
        repo.git(*line.removeprefix(f"git -C {repo.path} ").replace("'", "").split(" ", 2))
    assert repo.git("status", "--porcelain") == ""


def test_put_of_get_is_the_same_keys_whatever_the_form() -> None:
    folder = Folder(
        path="keysets/acme",
        tree=None,
        files={
            "keyset.yaml": File(kind="file", data=KEYSET.encode()),
            "partner.pem": File(kind="file", data=public_pem(rsa_key(0)).encode()),
        },
    )
    keyset = read_keyset(folder).keyset
    assert keyset is not None
    read = read_jwks(document(keyset), "in")
    assert read.diagnostics == ()
    assert [(one.kid, one.material.jwk) for one in read.keys] == [(key.kid, key.jwk) for key in custom_keys(keyset)]
