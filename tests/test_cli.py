"""The command line, as a process of its own: what it prints, where, and its exit codes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from program import Ran, command, environment, run
from repos import Repo
from signing import Signer, keyset, make_signer


@pytest.fixture
def many(tmp_path: Path) -> Repo:
    """So many tenants that workers are started."""
    made = Repo(tmp_path / "many")
    made.write("keysets/policy.yaml", "version: 1\n")
    for number in range(600):
        made.write(f"keysets/t{number:04}/keyset.yaml", keyset(f"t{number:04}", [f"login.t{number:04}.example"]))
    return made


NOW = "2026-11-23T12:00:00Z"
ANYTIME = ("--allow", "clock-behind", "--allow", "clock-ahead")
"""For an instant that the store's clock does not agree with."""


def test_check_counts_where_nothing_is_wrong(repo: Repo) -> None:
    ran = run("check", cwd=repo.path)
    assert ran == Ran(code=0, out="2 tenants, 3 domains, 6 keys: no mistakes in the working tree\n", err="")


def test_check_names_every_mistake_at_once_in_order(repo: Repo) -> None:
    repo.write("keysets/eu/globex/keyset.yaml", "version: 2\ntenant: globex\nplan: gold\ndomains: [Login.Example]\n")
    repo.write("keysets/acme/generated.yaml", "version: 1\ngenerated_key: []\n")
    ran = run("check", cwd=repo.path)
    assert ran.code == 1
    assert ran.out.splitlines() == [
        (
            "keysets/acme/generated.yaml:1:1: missing-field: `generated_keys` is missing; add `generated_keys:` "
            "(the platform's keys for this tenant)"
        ),
        (
            "keysets/acme/generated.yaml:2:1: unknown-field: `generated_key` is not a field here; "
            "did you mean `generated_keys`?"
        ),
        "keysets/eu/globex/keyset.yaml:1:10: bad-value: 2 is out of bounds; write 1",
        "keysets/eu/globex/keyset.yaml:3:7: plan-unknown: `gold` is not a plan of policy.yaml; known here: enterprise",
        "keysets/eu/globex/keyset.yaml:4:11: domain-name: `Login.Example` is not in lower case; write `login.example`",
    ]
    assert ran.err == "5 mistakes in the working tree\n"


def test_check_as_json(repo: Repo) -> None:
    repo.write("keysets/acme/generated.yaml", "version: 1\n")
    ran = run("check", "--format", "json", cwd=repo.path)
    assert ran.code == 1
    value = json.loads(ran.out)
    assert value["tenants"] == 2
    assert value["diagnostics"] == [
        {
            "path": "keysets/acme/generated.yaml",
            "line": 1,
            "column": 1,
            "rule": "missing-field",
            "message": "`generated_keys` is missing",
            "hint": "add `generated_keys:` (the platform's keys for this tenant)",
        }
    ]


def test_check_reads_the_working_tree_and_a_revision_apart(repo: Repo) -> None:
    repo.write("keysets/acme/keyset.yaml", "version: 1\n")
    assert run("check", cwd=repo.path).code == 1
    ran = run("check", "--rev", "HEAD", cwd=repo.path)
    assert ran.code == 0
    assert "no mistakes in commit" in ran.out


def test_check_works_without_git_and_from_a_subfolder(repo: Repo, tmp_path: Path) -> None:
    assert run("check", cwd=repo.path / "keysets" / "acme").out.startswith("2 tenants")
    plain = tmp_path / "plain"
    repo.git("worktree", "add", "--detach", str(plain))
    (plain / ".git").unlink()
    assert run("check", cwd=plain).out.startswith("2 tenants")


def test_one_broken_tenant_does_not_hide_another(repo: Repo, signers: dict[str, Signer]) -> None:
    repo.write("keysets/eu/globex/keyset.yaml", "a: &a [*a]\n")
    repo.write("keysets/aaa/keyset.yaml", keyset("aaa", ["login.acme.example"], signers["own-ec"].entry()))
    ran = run("check", cwd=repo.path)
    assert [line.split(": ")[:2] for line in ran.out.splitlines()] == [
        ["keysets/aaa/keyset.yaml:5:5", "domain-owner"],  # the one that HEAD does not have
        [f"keysets/aaa/keyset.yaml:{_line(repo, 'kid: own-ec', 'aaa')}:5", "key-shared"],
        ["keysets/eu/globex/keyset.yaml:1:4", "yaml-alias"],
        ["keysets/eu/globex/keyset.yaml:1:8", "yaml-alias"],
    ]


def _line(repo: Repo, text: str, tenant: str = "acme") -> int:
    lines = (repo.path / f"keysets/{tenant}/keyset.yaml").read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def test_now_is_an_argument(repo: Repo, signers: dict[str, Signer]) -> None:
    entry = signers["globex"].entry("revoked: {at: 2026-05-01T00:00:00Z, reason: laptop stolen}")
    repo.write("keysets/eu/globex/keyset.yaml", keyset("globex", ["id.globex.example"], entry))
    assert run("check", "--now", "2026-04-30T23:55:00Z", cwd=repo.path).code == 0
    early = run("check", "--now", "2026-04-30T23:54:59Z", cwd=repo.path)
    assert early.code == 1
    assert "revoked-in-future" in early.out
    late = run("check", "--now", "9999-12-31T23:59:59Z", cwd=repo.path)
    assert (late.code, "no later year than 9000" in late.err) == (2, True)
    wrong = run("check", "--now", "yesterday", cwd=repo.path)
    assert wrong.code == 2
    assert "2026-01-01T00:00:00Z" in wrong.err


@pytest.mark.parametrize("year", [2026, 2031, 2089, 2090, 2125])
def test_the_sample_key_sets_are_valid_whenever_somebody_clones_them(year: int) -> None:
    ran = run("check", "--now", f"{year}-11-23T00:00:00Z", cwd=Path(__file__).parent)
    assert ran.out == "6 tenants, 8 domains, 23 keys: no mistakes in the working tree\n"


def test_build_writes_what_is_served(repo: Repo, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran = run("build", "--out", str(out), "--now", NOW, "--index", cwd=repo.path)
    assert ran.code == 0, ran.err
    found = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    domains = ["acme.idp.example", "auth.acme.example", "id.globex.example", "login.acme.example"]
    assert found == sorted([*(f"{domain}/.well-known/jwks.json" for domain in domains), "index.html"])
    document = json.loads((out / "login.acme.example/.well-known/jwks.json").read_bytes())
    assert [key["kid"] for key in document["keys"]] == ["own-ec", "own-ed", "own-rsa", "gen-now", "gen-next"]
    canonical = json.loads((out / "acme.idp.example/.well-known/jwks.json").read_bytes())
    assert [key["kid"] for key in canonical["keys"]] == ["gen-now", "gen-next"]
    store = f"file://{tmp_path}/store"
    assert run("publish", "--store", store, "--now", NOW, *ANYTIME, cwd=repo.path).code == 0
    for domain in domains:
        built = (out / domain / ".well-known/jwks.json").read_bytes()
        assert built == (tmp_path / "store/live" / domain / ".well-known/jwks.json").read_bytes()


def test_publish_says_what_it_did_and_how_to_look_at_it(repo: Repo, tmp_path: Path) -> None:
    store = f"file://{tmp_path}/store"
    ran = run("publish", "--store", store, "--now", NOW, *ANYTIME, cwd=repo.path)
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    assert "+ id.globex.example (tenant globex): new document" in lines
    assert any(line.startswith("    + globex-key  ES256  custom  active  ") for line in lines)
    commands = [line.strip() for line in lines if line.strip().startswith("cat ")]
    assert len(commands) == 4
    for line in commands:
        shown = subprocess.run(["sh", "-c", line], check=True, capture_output=True).stdout
        assert json.loads(shown)["keys"]
    again = run("publish", "--store", store, "--now", NOW, *ANYTIME, cwd=repo.path)
    assert again.code == 0
    assert again.out.startswith("Nothing to change: 4 documents live as in commit ")


def test_plan_shows_keys_in_and_out_and_phases_moved(repo: Repo, tmp_path: Path, signers: dict[str, Signer]) -> None:
    store = f"file://{tmp_path}/store"
    run("publish", "--store", store, "--now", NOW, *ANYTIME, cwd=repo.path)
    own = signers["own-rsa"].entry() + signers["own-ec"].entry("revoked: {at: 2026-10-01T00:00:00Z, reason: lost}")
    repo.write("keysets/acme/keyset.yaml", keyset("acme", ["login.acme.example"], own))
    repo.commit("Revoke a key, remove one, and a domain")
    allow = (*ANYTIME, "--allow", "drops-active-key")
    ran = run("plan", "--store", store, "--now", "2090-06-01T00:00:00Z", *allow, cwd=repo.path)
    assert ran.code == 0, ran.out
    text = ran.out
    assert "~ login.acme.example (tenant acme): other keys" in text
    assert "    - own-ec\n" in text
    assert "    - own-ed\n" in text
    assert "    ~ gen-next  announced -> active\n" in text
    assert "- auth.acme.example (tenant acme): withdrawn; an empty document stays until `gc` removes it" in text
    assert "    ! waived: drops-active-key: the key `own-ed` signs without end, and would be gone; " in text
    assert "2 changed, 1 unchanged, 1 withdrawn, from commit" in text
    value = json.loads(run("plan", "--store", store, "--format", "json", *allow, cwd=repo.path).out)
    assert {change["domain"]: change["keys_out"] for change in value["changes"]} == {
        "auth.acme.example": ["own-ec", "own-ed", "own-rsa", "gen-now", "gen-next"],
        "login.acme.example": ["own-ec", "own-ed"],
    }


def test_a_hazard_stops_its_domain_alone_until_waived(repo: Repo, tmp_path: Path, signers: dict[str, Signer]) -> None:
    store = f"file://{tmp_path}/store"
    run("publish", "--store", store, cwd=repo.path)
    repo.write("keysets/eu/globex/keyset.yaml", keyset("globex", ["id.globex.example"]))
    own = "".join(signers[name].entry() for name in ("own-rsa", "own-ec", "own-ed"))
    added = make_signer("added").entry()
    repo.write("keysets/acme/keyset.yaml", keyset("acme", ["login.acme.example", "auth.acme.example"], own + added))
    repo.commit("Drop the only key")
    ran = run("publish", "--store", store, cwd=repo.path)
    assert ran.code == 1
    assert "    ! blocked: empty-set: it serves 1 key, and would serve none; " in ran.out
    assert "    ! blocked: drops-active-key: the key `globex-key` signs without end, and would be gone; " in ran.out
    live = tmp_path / "store/live"
    assert json.loads((live / "id.globex.example/.well-known/jwks.json").read_bytes())["keys"]
    served = json.loads((live / "login.acme.example/.well-known/jwks.json").read_bytes())
    assert [key["kid"] for key in served["keys"]] == ["added", "own-ec", "own-ed", "own-rsa", "gen-now", "gen-next"]
    again = run("publish", "--store", store, cwd=repo.path)
    assert (again.code, "blocked: empty-set" in again.out) == (1, True), "it is said each time"
    allow = ("--allow", "empty-set", "--allow", "drops-active-key")
    waived = run("publish", "--store", store, *allow, cwd=repo.path)
    assert waived.code == 0
    assert (live / "id.globex.example/.well-known/jwks.json").read_bytes() == b'{"keys":[]}'
    assert run("publish", "--store", store, cwd=repo.path).out.startswith("Nothing to change")


def test_strict_publishes_nothing_where_something_cannot_be(
    repo: Repo, tmp_path: Path, signers: dict[str, Signer]
) -> None:
    store = f"file://{tmp_path}/store"
    run("publish", "--store", store, cwd=repo.path)
    repo.write("keysets/eu/globex/keyset.yaml", keyset("globex", ["id.globex.example"]))
    own = "".join(signers[name].entry() for name in ("own-rsa", "own-ec", "own-ed"))
    domains = ["login.acme.example", "auth.acme.example"]
    repo.write("keysets/acme/keyset.yaml", keyset("acme", domains, own + make_signer("added").entry()))
    repo.commit("Drop the only key")
    live = tmp_path / "store/live/login.acme.example/.well-known/jwks.json"
    before = live.read_bytes()
    refused = run("publish", "--store", store, "--strict", cwd=repo.path)
    assert (refused.code, live.read_bytes()) == (1, before)
    assert "blocked: empty-set" in refused.out
    assert not (tmp_path / "store/releases/0000000002.json").exists()


def test_the_canonical_domain_is_not_emptied_by_removing_generated_keys(repo: Repo, tmp_path: Path) -> None:
    store = f"file://{tmp_path}/store"
    run("publish", "--store", store, cwd=repo.path)
    (repo.path / "keysets/acme/generated.yaml").unlink()
    repo.commit("Remove generated keys")
    ran = run("publish", "--store", store, cwd=repo.path)
    assert ran.code == 1
    assert "blocked: empty-set: it serves 2 keys" in ran.out
    live = json.loads((tmp_path / "store/live/acme.idp.example/.well-known/jwks.json").read_bytes())
    assert [key["kid"] for key in live["keys"]] == ["gen-now", "gen-next"]


def test_a_revocation_passes_though_it_leaves_nothing(repo: Repo, tmp_path: Path, signers: dict[str, Signer]) -> None:
    store = f"file://{tmp_path}/store"
    run("publish", "--store", store, cwd=repo.path)
    entry = signers["globex"].entry("revoked: {at: 2026-05-01T00:00:00Z, reason: stolen}")
    repo.write("keysets/eu/globex/keyset.yaml", keyset("globex", ["id.globex.example"], entry))
    repo.commit("Revoke the only key")
    ran = run("publish", "--store", store, cwd=repo.path)
    assert ran.code == 0, ran
    assert "    ! waived: empty-set: it serves 1 key, and would serve none; a revocation passes; " in ran.out
    assert (tmp_path / "store/live/id.globex.example/.well-known/jwks.json").read_bytes() == b'{"keys":[]}'


def test_a_foreign_object_is_not_overwritten(repo: Repo, tmp_path: Path) -> None:
    store = f"file://{tmp_path}/store"
    path = tmp_path / "store/live/id.globex.example/.well-known/jwks.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"keys":[{"kid":"theirs"}]}')
    ran = run("publish", "--store", store, cwd=repo.path)
    assert ran.code == 1
    assert "blocked: foreign-object" in ran.out
    assert path.read_text() == '{"keys":[{"kid":"theirs"}]}'
    assert (tmp_path / "store/live/login.acme.example/.well-known/jwks.json").exists()
    assert run("publish", "--store", store, "--allow", "foreign-object", cwd=repo.path).code == 0
    assert b"globex-key" in path.read_bytes()


def test_a_tenant_with_mistakes_keeps_what_it_serves_and_the_others_go_on(repo: Repo, tmp_path: Path) -> None:
    store = f"file://{tmp_path}/store"
    run("publish", "--store", store, cwd=repo.path)
    repo.write("keysets/acme/keyset.yaml", "version: 1\n")
    added = make_signer("added").entry()
    repo.write("keysets/eu/globex/keyset.yaml", keyset("globex", ["id.globex.example"], added))
    repo.commit("Break acme")
    live = tmp_path / "store/live"
    before = (live / "login.acme.example/.well-known/jwks.json").read_bytes()
    planned = run("plan", "--store", store, "--allow", "drops-active-key", cwd=repo.path)
    assert (planned.code, "missing-field" in planned.out) == (1, True)
    strict = run("publish", "--store", store, "--strict", "--allow", "drops-active-key", cwd=repo.path)
    assert (strict.code, "missing-field" in strict.out) == (1, True)
    assert b"added" not in (live / "id.globex.example/.well-known/jwks.json").read_bytes()
    ran = run("publish", "--store", store, "--allow", "drops-active-key", cwd=repo.path)
    assert ran.code == 1
    assert "keysets/acme/keyset.yaml:1:1: missing-field: `tenant` is missing; " in ran.out
    assert (live / "login.acme.example/.well-known/jwks.json").read_bytes() == before
    assert b"added" in (live / "id.globex.example/.well-known/jwks.json").read_bytes()
    assert json.loads((tmp_path / "store/HEAD.json").read_bytes())["quarantined"] == ["acme"]
    again = run("publish", "--store", store, cwd=repo.path)
    assert (again.code, "missing-field" in again.out) == (1, True), "it is said each time"
    repo.git("checkout", "--quiet", "HEAD~1", "--", "keysets/acme")
    repo.commit("Mend acme")
    assert run("publish", "--store", store, cwd=repo.path).code == 0
    assert json.loads((tmp_path / "store/HEAD.json").read_bytes())["quarantined"] == []


def test_a_new_tenant_with_mistakes_is_not_published(repo: Repo, tmp_path: Path) -> None:
    repo.write("keysets/acme/keyset.yaml", "version: 1\n")
    repo.commit("Break acme")
    ran = run("publish", "--store", f"file://{tmp_path}/store", cwd=repo.path)
    assert (ran.code, "missing-field" in ran.out) == (1, True)
    assert [path.name for path in (tmp_path / "store/live").iterdir()] == ["id.globex.example"]


@pytest.mark.parametrize("text", [None, "version: 2\n", "version: 1\nplan: x\n"])
def test_a_mistake_in_the_policy_stops_before_the_store_is_touched(
    repo: Repo, tmp_path: Path, text: str | None
) -> None:
    if text is None:
        (repo.path / "keysets/policy.yaml").unlink()
    else:
        repo.write("keysets/policy.yaml", text)
    repo.commit("Break the policy")
    for command_name in ("plan", "publish"):
        ran = run(command_name, "--store", f"file://{tmp_path}/store", cwd=repo.path)
        assert ran.code == 1
        assert "keysets/policy.yaml:" in ran.out
        assert "nothing was done" in ran.err
    assert not (tmp_path / "store").exists()


def test_uncommitted_changes_are_named_and_do_not_count(repo: Repo, tmp_path: Path) -> None:
    repo.write("keysets/acme/keyset.yaml", "version: 1\n")
    ran = run("plan", "--store", f"file://{tmp_path}/store", cwd=repo.path)
    assert ran.code == 0
    assert "keysets has changes that are not committed; commit " in ran.err


def test_verify_names_what_differs(repo: Repo, tmp_path: Path) -> None:
    store = f"file://{tmp_path}/store"
    missing = run("verify", "--store", store, cwd=repo.path)
    assert missing.code == 1
    assert "login.acme.example: there is no live document: publish it" in missing.out
    run("publish", "--store", store, cwd=repo.path)
    ran = run("verify", "--store", store, cwd=repo.path)
    assert ran.code == 0
    assert ran.out.startswith("5 domains as in commit ")
    (tmp_path / "store/live/id.globex.example/.well-known/jwks.json").write_text('{"keys":[]}')
    wrong = run("verify", "--store", store, cwd=repo.path)
    assert wrong.code == 1
    assert "id.globex.example: the body is SHA-256 " in wrong.out
    assert "missing keys `globex-key`" in wrong.out


def test_show_as_text_and_json(repo: Repo) -> None:
    text = run("show", "acme", "--now", NOW, cwd=repo.path).out
    assert "canonical domain acme.idp.example: 2 keys, changes at 2090-01-01T00:00:00Z" in text
    assert "generated key gen-next\n    phase       announced\n    algorithm   ES256\n" in text
    value = json.loads(run("show", "acme", "--now", NOW, "--json", cwd=repo.path).out)
    assert [key["kid"] for key in value["keys"]] == ["own-rsa", "own-ec", "own-ed", "gen-now", "gen-next"]
    assert value["keys"][4]["signs"] == {"from": "2090-01-01T00:00:00Z", "until": None}
    assert value["domains"][0]["keys"] == ["own-ec", "own-ed", "own-rsa", "gen-now", "gen-next"]
    unknown = run("show", "nobody", cwd=repo.path)
    assert (unknown.code, "there is no tenant 'nobody'" in unknown.err) == (2, True)


def test_explain_tells_every_rule_and_hazard(repo: Repo) -> None:
    listed = run("explain", cwd=repo.path).out
    assert "kid-twice" in listed
    assert "empty-set" in listed
    assert "jwks-rsa-java#277" in run("explain", "kid-twice", cwd=repo.path).out
    wrong = run("explain", "kid-twize", cwd=repo.path)
    assert wrong.code == 2
    assert "did you mean `kid-twice`?" in wrong.err


def test_options_come_from_the_environment(repo: Repo, tmp_path: Path) -> None:
    allow = {"JWKS_PUBLISHER_ALLOW": "clock-behind clock-ahead"}
    settings = {"JWKS_PUBLISHER_STORE": f"file://{tmp_path}/store", "JWKS_PUBLISHER_NOW": NOW, **allow}
    assert "as of 2026-11-23T12:00:00Z" in run("plan", cwd=repo.path, **settings).out
    assert run("publish", cwd=repo.path, JWKS_PUBLISHER_QUIET="1", **settings) == Ran(code=0, out="", err="")
    missing = run("publish", cwd=repo.path)
    assert missing.code == 2
    assert "give --store URL (or JWKS_PUBLISHER_STORE)" in missing.err


@pytest.mark.parametrize(
    ("arguments", "code", "fragment"),
    [
        (["plan", "--store", "ftp://x"], 2, "s3://bucket/prefix"),
        (["plan", "--store", "file://relative/x"], 2, "file:///"),
        (["plan", "--rev", "nope", "--store", "file:///nonexistent"], 2, "nope"),
        (["check", "--keysets", "nope"], 2, "nope"),
        (["publish", "--store", "file:///proc/nonexistent/store"], 3, "/proc/nonexistent"),
        (["verify"], 2, "--via"),
        (["verify", "--via", "http://127.0.0.1:9"], 1, "127.0.0.1:9"),
        (["verify", "--via", "ftp://cdn.example"], 2, "https://{domain}"),
        (["nonsense"], 2, "nonsense"),
    ],
)
def test_errors_are_one_clear_line(repo: Repo, arguments: list[str], code: int, fragment: str) -> None:
    ran = run(*arguments, cwd=repo.path)
    assert ran.code == code, ran
    assert fragment in ran.err + ran.out
    assert "Traceback" not in ran.err
    logged = run("--log-format", "json", *arguments, cwd=repo.path)
    for line in logged.err.splitlines():
        assert json.loads(line)["level"] in {"error", "info"}


def test_ctrl_c_is_130_without_a_traceback(repo: Repo, tmp_path: Path) -> None:
    run("publish", "--store", f"file://{tmp_path}/store", cwd=repo.path)
    serve = command("serve", "--store", f"file://{tmp_path}/store", "--port", "0")
    process = subprocess.Popen(serve, cwd=repo.path, env=environment(), stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert "serving" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in rest
    assert "interrupted" in rest


def test_a_closed_pipe_is_no_traceback(repo: Repo) -> None:
    pipeline = "set -o pipefail; " + " ".join(command("explain")) + " | head -1"
    done = subprocess.run(["bash", "-c", pipeline], cwd=repo.path, env=environment(), capture_output=True, check=False)
    assert b"Traceback" not in done.stderr
    assert done.stdout.count(b"\n") == 1


@pytest.mark.parametrize("streams", ["| true", ">&-", "2>&-", ">&- 2>&-", "> /dev/full"])
def test_who_does_not_listen_does_not_stop_a_publish(repo: Repo, tmp_path: Path, streams: str) -> None:
    line = " ".join(command("publish", "--store", f"file://{tmp_path}/store")) + " " + streams
    done = subprocess.run(["bash", "-c", line], cwd=repo.path, env=environment(), capture_output=True, check=False)
    assert b"Traceback" not in done.stderr
    assert (tmp_path / "store/live/login.acme.example/.well-known/jwks.json").exists()


def test_what_a_terminal_cannot_show_is_escaped(repo: Repo, tmp_path: Path, signers: dict[str, Signer]) -> None:
    entry = signers["globex"].entry()
    repo.write("keysets/eu/globex/keyset.yaml", keyset("globex", ["xn--80ak6aa92e.example"], entry))
    repo.commit()
    ran = run("plan", "--store", f"file://{tmp_path}/store", cwd=repo.path, PYTHONIOENCODING="latin-1")
    assert ran.code == 0, ran.err
    assert "xn--80ak6aa92e.example (\\u0430" in ran.out


def test_progress_shows_on_a_terminal_only(repo: Repo) -> None:
    master, slave = os.openpty()
    process = subprocess.Popen(
        command("check"), cwd=repo.path, env=environment(TERM="xterm"), stdout=subprocess.PIPE, stderr=slave
    )
    os.close(slave)
    shown = b""
    while True:
        try:
            chunk = os.read(master, 4096)
        except OSError:  # the other end is closed
            break
        if not chunk:
            break
        shown += chunk
    os.close(master)
    assert process.stdout is not None
    assert b"no mistakes" in process.stdout.read()
    process.stdout.close()
    assert process.wait(20) == 0
    assert b"tenants" in shown


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_workers_end_with_the_program(many: Repo, sent: signal.Signals, code: int) -> None:
    """Whoever reads the output of a killed publish is not kept waiting by workers that hold the stream."""
    process = subprocess.Popen(
        # Without -W error: a signal in between two steps of opening a folder leaves it open, which Python warns of.
        [sys.executable, "-m", "publisher", "check", "--jobs", "2"],
        cwd=many.path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while process.poll() is None and len(children.read_text().split()) < 3:
        time.sleep(0.01)
    os.killpg(process.pid, sent) if sent == signal.SIGINT else process.send_signal(sent)
    _, err = process.communicate(timeout=20)
    assert process.returncode == code
    if sent != signal.SIGKILL:  # workers that have not begun yet complain of a parent that vanishes
        assert b"Traceback" not in err


def test_many_tenants_go_through_worker_processes(many: Repo) -> None:
    """More tenants than are done before workers start; the result is the same, and mistakes keep their places."""
    made = many
    made.write("keysets/t0599/keyset.yaml", keyset("t0599", ["login.t0000.example"]))
    ran = run("check", "--jobs", "2", cwd=made.path)
    assert ran.out == (
        "keysets/t0599/keyset.yaml:5:5: domain-owner: "
        "the domain `login.t0000.example` already belongs to keysets/t0000; remove it from one of the two\n"
    )
    assert run("check", "--jobs", "1", cwd=made.path).out == ran.out
