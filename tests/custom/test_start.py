"""From when a new custom key signs: `put` and `add` write it where verifiers have documents without the key."""

import json

import pytest
from keymaker import certificate, certificate_pem, ec_key, public_jwk, public_pem
from program import run
from repos import Repo

from .acme import FOUR, KEYSET, NEW, PATH, custom, jwks, load_kids, text

pytestmark = pytest.mark.chaos

NOW = ("--now", "2031-05-01T10:20:30Z")
LEAD = "2031-05-03T10:21:00Z"
"""The default lead from then, in whole minutes."""
TOLD = f"sign with `new` from {LEAD} on: then every verifier has it\n"
THERE = {**public_jwk(ec_key(0)), "kid": "now"}
EMPTY = "version: 1\ntenant: acme\nplan: enterprise\ndomains:\n  - login.acme.example\n"


def starts(data: str) -> list[str]:
    """The kids whose entries say from when they sign."""
    return [
        entry.partition("\n")[0] for entry in data.split("  - kid: ")[1:] if f"    signs: {{from: {LEAD}}}\n" in entry
    ]


def test_put_stamps_the_one_new_key(repo: Repo) -> None:
    got = json.loads(custom(repo, "get", "acme").out)["keys"]
    ran = custom(repo, "put", "acme", "-", *NOW, given=jwks(*got, NEW))
    assert ran.code == 0, ran
    assert starts(text(repo)) == ["new"]
    assert text(repo).count(LEAD) == 1
    assert ran.err == TOLD
    assert run("check", *NOW, cwd=repo.path).code == 0
    repo.commit()
    again = custom(repo, "get", "acme").out
    later = custom(repo, "put", "acme", "-", "--now", "2031-05-20T00:00:00Z", given=again)
    assert (later.code, later.out, later.err) == (0, f"{PATH}: nothing to change\n", "")


def test_add_stamps_too_and_a_dry_run_tells_it(repo: Repo) -> None:
    repo.write("new.json", json.dumps(NEW))
    dry = custom(repo, "add", "acme", "new.json", *NOW, "--dry-run")
    assert (dry.code, dry.err, text(repo)) == (0, TOLD, KEYSET)
    ran = custom(repo, "add", "acme", "new.json", *NOW)
    assert (ran.code, ran.err, starts(text(repo))) == (0, TOLD, ["new"])
    # Before it is merged, another time may be written by hand, and the key may go again.
    repo.write(PATH, text(repo).replace(LEAD, "2031-05-02T10:21:00Z"))
    assert run("check", *NOW, cwd=repo.path).code == 0
    gone = custom(repo, "delete", "acme", "--kid", "new", *NOW)
    assert (gone.code, gone.err, load_kids(text(repo))) == (0, "", ["now", "lost"])


@pytest.mark.parametrize(
    "more",
    [
        "",
        # What is revoked, over or to come is in no document.
        "revoked: {at: 2026-05-01T00:00:00Z, reason: lost}",
        "publish: {until: 2026-01-01T00:00:00Z}",
        "publish: {from: 2040-01-01T00:00:00Z}\n    signs: {from: 2040-02-01T00:00:00Z}",
    ],
)
@pytest.mark.parametrize("command", ["put", "add"])
def test_the_first_keys_of_a_tenant_need_no_start(repo: Repo, more: str, command: str) -> None:
    repo.write("keysets/eu/acme/lost.pem", public_pem(ec_key(1)))
    lost = f"custom_keys:\n  - kid: lost\n    alg: ES256\n    pem: lost.pem\n    {more}\n"
    repo.write(PATH, EMPTY + (lost if more else ""))
    repo.commit()
    kept = [{**public_jwk(ec_key(1)), "kid": "lost"}] if "publish" in more else []
    given = jwks(*kept, NEW, FOUR[0]) if command == "put" else json.dumps(NEW)
    ran = custom(repo, command, "acme", "-", *NOW, given=given)
    assert (ran.code, ran.err) == (0, ""), ran
    assert "kid: new" in text(repo)
    assert text(repo).count("signs:") == more.count("signs:")
    assert run("check", *NOW, cwd=repo.path).code == 0


def test_a_plans_lead_and_a_tenants_are_kept(repo: Repo) -> None:
    repo.write(
        "keysets/policy.yaml",
        "version: 1\nplans: {enterprise: {custom_keys: 3, rotation: {lead: 72h}}, free: {custom_keys: 0}}\n",
    )
    ran = custom(repo, "put", "acme", "-", *NOW, given=jwks(THERE, NEW))
    assert "from 2031-05-04T10:21:00Z on" in ran.err
    repo.write(PATH, KEYSET.replace("custom_keys:", "rotation: {lead: 96h}\ncustom_keys:"))
    ran = custom(repo, "put", "acme", "-", *NOW, "--dry-run", given=jwks(THERE, NEW))
    assert "from 2031-05-05T10:21:00Z on" in ran.err


def test_a_start_that_is_dated_back_comes_from_the_clock(repo: Repo) -> None:
    ran = custom(repo, "put", "acme", "-", "--now", "2026-06-01T00:00:00Z", given=jwks(THERE, NEW))
    assert ran.code == 0, ran
    assert run("check", cwd=repo.path).code == 0


def test_an_edit_is_judged_against_what_is_committed(repo: Repo) -> None:
    repo.write(PATH, KEYSET.replace("# Ask", f"  - alg: ES256\n    jwk: {json.dumps(FOUR[0])}\n# Ask"))
    ran = custom(repo, "delete", "acme", "--kid", "now")
    assert ran.code == 1
    assert "lead-too-short: it signs at once" in ran.out
    repo.commit()
    assert custom(repo, "delete", "acme", "--kid", "now").code == 0


def test_what_is_committed_says_whether_there_are_documents(repo: Repo) -> None:
    assert custom(repo, "delete", "acme", *NOW).code == 0
    ran = custom(repo, "add", "acme", "-", *NOW, given=json.dumps(NEW))
    assert (ran.code, starts(text(repo))) == (0, ["new"]), ran
    repo.write("keysets/hooli/keyset.yaml", EMPTY.replace("acme", "hooli"))
    for key in FOUR[:2]:
        ran = custom(repo, "add", "hooli", "-", *NOW, given=json.dumps(key))
        assert (ran.code, ran.err) == (0, ""), ran
    assert run("check", *NOW, cwd=repo.path).code == 0


def test_a_certificate_that_ends_too_soon_is_refused_and_not_stamped_past_its_end(repo: Repo) -> None:
    ran = custom(repo, "add", "acme", "-", "--kid", "c", *NOW, given=certificate_pem(certificate(ec_key(9))))
    assert (ran.code, text(repo)) == (1, KEYSET)
    assert "certificate-validity" in ran.out
