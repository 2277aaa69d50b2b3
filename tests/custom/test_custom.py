"""`custom` as a user runs it: what it does to keyset.yaml, what it refuses, and what it prints."""

import hashlib
import json
import subprocess
from pathlib import Path

import pytest
from keymaker import (
    certificate,
    certificate_pem,
    ec_key,
    flow,
    okp_key,
    private_jwk,
    private_pem,
    public_jwk,
    public_pem,
    rsa_key,
    thumbprint,
)
from program import Ran, command, environment, run
from proofs import proof
from repos import Repo

from publisher.customkeys import custom_keys, document
from publisher.incoming import read_jwks
from publisher.keyset import read_keyset
from publisher.source import File, Folder

KEYSET = f"""\
# Acme's own keys.
version: 1
tenant: acme
plan: enterprise
domains:
  - login.acme.example
custom_keys:
  # Signs now.
  - kid: now
    alg: ES256
    jwk: {flow(public_jwk(ec_key(0)))}  # from the HSM
    publish: {{from: 2026-01-01T00:00:00Z}}

  # A partner's.
  - alg: RS256
    pem: partner.pem

  # Lost.
  - kid: lost
    alg: ES256
    jwk: {flow(public_jwk(ec_key(1)))}
    revoked: {{at: 2026-05-01T00:00:00Z, reason: lost}}
# Ask security before a change.
"""
PATH = "keysets/eu/acme/keyset.yaml"
NEW = {**public_jwk(okp_key(0)), "kid": "new", "alg": "EdDSA", "use": "sig", "key_ops": ["verify"]}
FOUR = [{**public_jwk(ec_key(n)), "kid": f"k{n}", "alg": "ES256"} for n in range(10, 14)]


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = Repo(tmp_path / "repo")
    made.write("keysets/policy.yaml", "version: 1\nplans: {enterprise: {custom_keys: 3}, free: {custom_keys: 0}}\n")
    made.write(PATH, KEYSET).chmod(0o640)
    made.write("keysets/eu/acme/partner.pem", public_pem(rsa_key(0)))
    made.write("keysets/globex/keyset.yaml", "version: 1\ntenant: globex\nplan: free\ndomains: [id.globex.example]\n")
    made.commit("Add tenants")
    return made


def custom(repo: Repo, *arguments: str, given: str | bytes = "", **settings: str) -> Ran:
    done = subprocess.run(
        command("custom", *arguments),
        cwd=repo.path,
        env=environment(**settings),
        input=given.encode() if isinstance(given, str) else given,
        capture_output=True,
        timeout=120,
        check=False,
    )
    return Ran(code=done.returncode, out=done.stdout.decode(), err=done.stderr.decode())


def text(repo: Repo) -> str:
    return (repo.path / PATH).read_bytes().decode()


def jwks(*keys: object) -> str:
    return json.dumps({"keys": list(keys)})


def own(repo: Repo) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(custom(repo, "get", "acme").out)["keys"]
    return found


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
        "2026-06-01T00:00:00Z",
        given=jwks({**public_jwk(ec_key(0)), "kid": "now"}, NEW),
    )
    assert ran.code == 0, ran.err + ran.out
    partner = "  # A partner's.\n  - alg: RS256\n    pem: partner.pem\n\n"
    added = f"  - kid: new\n    alg: EdDSA\n    jwk:\n      kty: OKP\n      crv: Ed25519\n      x: {NEW['x']}\n"
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
    assert run("check", cwd=repo.path).code == 0


def load_kids(data: str) -> list[str]:
    return [line.rpartition(" ")[2] for line in data.splitlines() if " kid: " in line]


def line_of(data: str, start: str) -> str:
    return next(line.strip() for line in data.splitlines() if line.startswith(start))


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
        (jwks({name: item for name, item in NEW.items() if name != "alg"}), "alg-missing: "),
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


@pytest.mark.parametrize("form", ["pem", "jwk", "certificate"])
def test_add_takes_each_form(repo: Repo, form: str) -> None:
    key = ec_key(9)
    texts = {
        "pem": public_pem(key).replace("\n", "\r\n"),
        "jwk": json.dumps(public_jwk(key)),
        "certificate": certificate_pem(certificate(key)),
    }
    repo.write("key.txt", texts[form])
    ran = custom(repo, "add", "acme", "key.txt", "--kid", "nine", "--now", "2026-06-01T00:00:00Z")
    if form == "certificate":  # an open end outlives every certificate
        assert ran.code == 1
        assert "certificate-validity" in ran.out
        return
    assert ran.code == 0, ran.out + ran.err
    assert own(repo)[-1] == {"kid": "nine", "kty": "EC", "use": "sig", "alg": "ES256", **public_jwk(key)}


def test_add_asks_for_the_algorithm_where_several_fit(repo: Repo) -> None:
    ran = custom(repo, "add", "acme", "-", given=public_pem(rsa_key(2)))
    assert (ran.code, text(repo)) == (1, KEYSET)
    assert "name the algorithm with --alg: RS256, RS384, RS512, PS256, PS384, PS512" in ran.err
    assert custom(repo, "add", "acme", "-", "--alg", "PS256", given=public_pem(rsa_key(2))).code == 0
    assert own(repo)[-1]["kid"] == thumbprint(rsa_key(2))


def test_add_refuses_what_differs_from_the_jwk(repo: Repo) -> None:
    ran = custom(repo, "add", "acme", "-", "--kid", "other", given=json.dumps(NEW))
    assert ran.code == 1
    assert "key-disagrees" in ran.out


def test_a_private_key_is_never_shown(repo: Repo) -> None:
    secret = private_pem(ec_key(5))
    ran = custom(repo, "add", "acme", "-", given=secret)
    assert ran.code == 1
    assert "private-key" in ran.out
    assert secret.splitlines()[1][:20] not in ran.out + ran.err


def test_a_proof_from_challenge_to_check(repo: Repo) -> None:
    repo.write(
        "keysets/policy.yaml",
        "version: 1\nrequire_proof: true\nplans: {enterprise: {custom_keys: 3}, free: {custom_keys: 0}}\n",
    )
    repo.write(PATH, KEYSET.replace("  # A partner's.\n  - alg: RS256\n    pem: partner.pem\n\n", ""))
    assert "proof-missing" in run("check", cwd=repo.path).out
    ran = custom(repo, "challenge", "acme", "--now", "2026-06-01T00:00:00Z")
    assert ran.out.startswith("now\tey")
    assert ran.err == "to come in before 2026-06-08T00:00:00Z\n"
    stale = custom(repo, "prove", "acme", proof("acme", ec_key(0), "ES256"), "--now", "2026-06-08T00:00:00Z")
    assert (stale.code, "expired" in stale.err) == (1, True)
    made = proof("acme", ec_key(0), "ES256")
    done = custom(repo, "prove", "acme", made, "--now", "2026-06-01T00:00:00Z")
    assert done.code == 0, done
    assert f"2026-01-01T00:00:00Z}}\n    proof: {made}\n" in text(repo)
    assert run("check", "--now", "2099-01-01T00:00:00Z", cwd=repo.path).code == 0
    refused = custom(repo, "put", "acme", "-", "--now", "2026-06-01T00:00:00Z", given=jwks(NEW))
    assert "proof-missing" in refused.out
    proven = ("--proof", proof("acme", okp_key(0), "EdDSA"), "--now", "2026-06-01T00:00:00Z")
    assert custom(repo, "put", "acme", "-", *proven, given=jwks(NEW)).code == 0
    stray = ("--proof", proof("acme", ec_key(3), "ES256"), "--now", "2026-06-01T00:00:00Z")
    ran = custom(repo, "put", "acme", "-", *stray, given=jwks(NEW))
    assert "a proof is for none of these keys" in ran.err


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


def test_a_private_key_that_goes_is_not_shown(repo: Repo) -> None:
    secret = private_jwk(ec_key(5))
    entry = f"  - kid: bad\n    alg: ES256\n    jwk: {flow(secret)}\n"
    repo.write(PATH, KEYSET.replace("# Ask", f"{entry}# Ask"))
    kept = json.dumps({"keys": [{**public_jwk(ec_key(0)), "kid": "now"}, public_jwk(rsa_key(0))]})
    got = custom(repo, "get", "acme")
    assert (got.code, "private-key" in got.out) == (1, True)
    ran = custom(repo, "put", "acme", "-", given=kept)
    assert ran.code == 0, ran
    assert "so that the difference is not shown" in ran.out
    assert secret["d"][:10] not in ran.out + ran.err + got.out + got.err
    assert text(repo) == KEYSET
