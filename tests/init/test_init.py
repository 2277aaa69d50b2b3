"""`init`: a repository that works at once, made whole or not at all."""

import json
import re
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
import yaml
from program import run
from repos import Repo

from publisher.cli.schema import all_schemas
from publisher.scaffold import Start, scaffold

from .world import Runner


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(folder).parts
    }


def test_the_commands_that_it_prints_work_in_turn(runner: Runner, origin: Repo, tmp_path: Path) -> None:
    """The wheel makes it: all its templates are there."""
    requirement = (origin.path / "requirements.txt").read_text().splitlines()[-1]
    store = f"file://{tmp_path}/store"
    made = runner.run(f"jwks-publisher init keys --store {store} --install '{requirement}'", tmp_path)
    assert made.returncode == 0, made.stderr
    lines = [line.strip() for line in made.stdout.splitlines()[1:]]
    assert [line.split()[0] for line in lines] == ["cd", "jwks-publisher", "git", "jwks-publisher"]
    done = runner.run("\n".join(lines), tmp_path)
    assert done.returncode == 0, done.stderr
    assert "1 tenant, 1 domain, 1 key: no mistakes" in done.stdout
    assert (tmp_path / "store/live/login.example.example/.well-known/jwks.json").exists()
    assert Repo(tmp_path / "keys").git("rev-parse", "--abbrev-ref", "HEAD") == "main"
    assert Repo(tmp_path / "keys").git("status", "--porcelain") == ""
    readme = (tmp_path / "keys/README.md").read_text()
    told = [line.split("  #")[0] for line in readme.splitlines() if line.startswith("jwks-publisher ")]
    assert len(told) == 3
    done = runner.run("\n".join(told), tmp_path / "keys")
    assert done.returncode == 0, done.stderr


def test_what_the_options_say_is_in_the_files(tmp_path: Path) -> None:
    options = (
        "--tenant",
        "acme",
        "--domain",
        "id.acme.example",
        "--store",
        "gs://keys/a",
        "--install",
        "./vendor/x.whl",
    )
    ran = run("init", "keys", *options, cwd=tmp_path)
    assert ran.code == 0, ran.err
    files = {path: data.decode() for path, data in _files(tmp_path / "keys").items()}
    assert "tenant: acme\n" in files["keysets/acme/keyset.yaml"]
    assert "  - id.acme.example\n" in files["keysets/acme/keyset.yaml"]
    for name in ("publish", "schedule", "audit"):
        assert "${{ vars.JWKS_STORE || 'gs://keys/a' }}" in files[f".github/workflows/{name}.yml"]
    assert yaml.safe_load(files[".gitlab-ci.yml"])["variables"]["JWKS_PUBLISHER_STORE"] == "gs://keys/a"
    assert files["requirements.txt"].endswith("\n./vendor/x.whl\n")
    hooks = yaml.safe_load(files[".pre-commit-config.yaml"])["repos"][0]["hooks"]
    assert [one["additional_dependencies"] for one in hooks] == [["./vendor/x.whl"]] * 2
    assert not [path for path, text in files.items() if re.search(r"\[\[ |\[%|\[#|\{%", text)]


@pytest.mark.parametrize("name", ["123", "on", "null", "1e3"])
def test_a_tenant_whose_name_yaml_takes_for_a_number_is_text(tmp_path: Path, name: str) -> None:
    assert run("init", "keys", "--tenant", name, cwd=tmp_path).code == 0
    ran = run("check", cwd=tmp_path / "keys")
    assert (ran.code, "1 tenant, 1 domain, 1 key: no mistakes" in ran.out) == (0, True), ran.out


def test_it_overwrites_nothing_and_says_all_that_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    here = Repo(tmp_path / "keys")
    here.write("README.md", "mine\n")
    here.write("deploy", "a file\n")
    here.link(".github", "../elsewhere")
    here.link("requirements.txt", "nowhere")
    before = _files(here.path)
    ran = run("init", "keys", cwd=tmp_path)
    assert ran.code == 1
    told = [line.removesuffix(": is there already").removeprefix("keys/") for line in ran.out.splitlines()]
    assert {"README.md", "requirements.txt", "deploy/kubernetes/cronjob.yaml", ".github/CODEOWNERS"} <= set(told)
    assert "keysets/policy.yaml" not in told
    assert "nothing was written" in ran.err
    assert _files(here.path) == before
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_disk_that_fills_up_leaves_no_file(runner: Runner, tmp_path: Path) -> None:
    """Files of more than 8 KiB cannot be written here; some are longer, and not the first."""
    done = runner.run("ulimit -f 8; jwks-publisher init keys", tmp_path)
    assert (done.returncode, "File too large" in done.stderr) == (3, True), done.stderr
    assert _files(tmp_path / "keys") == {}


def test_it_fills_a_repository_that_is_there(tmp_path: Path) -> None:
    here = Repo(tmp_path / "keys")
    here.write("LICENSE", "ours\n")
    here.commit("Begin")
    assert run("init", ".", cwd=here.path).code == 0
    assert here.git("log", "--format=%s") == "Begin"
    assert (here.path / "LICENSE").read_text() == "ours\n"
    ran = run("init", "below/it", cwd=here.path)
    assert (ran.code, "inside of the Git repository" in ran.err) == (2, True)
    assert not (here.path / "below").exists()


START = Start(tenant="acme", domain="id.acme.example", store="s3://b/x", requirement="jwks-publisher==1")


@pytest.mark.parametrize(
    "change",
    [
        {"tenant": "../evil"},
        {"tenant": "a/b"},
        {"tenant": "Acme"},
        {"domain": "x\n  - y.example"},
        {"domain": "localhost"},
        {"store": "s3://b/x' || secrets.A || '"},
        {"store": 's3://b/x"\nrun: evil'},
        {"store": "https://example.com"},
        {"requirement": "x\n--index-url http://evil.example"},
        {"requirement": "--index-url=http://evil.example"},
        {"requirement": 'x"]\nrepos: ["'},
        {"requirement": ""},
    ],
)
def test_values_that_would_be_more_than_a_value_are_refused(change: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"\A[^\n]+\Z"):
        scaffold(replace(START, **change), {})
    assert scaffold(START, {})


def test_a_refused_value_is_a_usage_error_and_nothing_is_made(tmp_path: Path) -> None:
    ran = run("init", "keys", "--tenant", "../evil", cwd=tmp_path)
    assert (ran.code, ran.out, ran.err[:6]) == (2, "", "Usage:")
    assert list(tmp_path.iterdir()) == []


def test_editors_find_the_schema_of_each_file_and_it_fits(origin: Repo) -> None:
    modelines = {}
    for path in (origin.path / "keysets").rglob("*.yaml"):
        first, second, *_ = path.read_text().splitlines()
        if path.name == "waivers.yaml" and not (origin.path / "schemas/waivers.json").exists():
            continue  # no schema, no modeline
        named = first.removeprefix("# yaml-language-server: $schema=")
        assert second == f"# $schema: {named}"
        schema = json.loads((path.parent / named).read_text())
        jsonschema.Draft7Validator.check_schema(schema)
        jsonschema.Draft7Validator(schema).validate(yaml.safe_load(path.read_text()))
        modelines[path.name] = (path.parent / named).resolve().stem
    assert modelines == {name: name.removesuffix(".yaml") for name in modelines}
    assert {"keyset.yaml", "policy.yaml"} <= set(modelines)
    assert {path.stem for path in (origin.path / "schemas").iterdir()} == set(all_schemas())


def test_each_example_key_is_another_and_its_private_half_is_nowhere(tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert run("init", name, cwd=tmp_path).code == 0
    one, two = (_files(tmp_path / name) for name in ("one", "two"))
    assert {path for path in one if one[path] != two[path]} == {"keysets/example/keyset.yaml"}
    assert not [path for path, data in one.items() if b"PRIVATE KEY" in data]
    assert b"-----BEGIN PUBLIC KEY-----" in one["keysets/example/keyset.yaml"]


def _owner(rules: list[list[str]], path: str) -> str:
    """Whom the last pattern that fits names, as docs.github.com/articles/about-code-owners says."""
    owner = ""
    for pattern, *owners in rules:
        text = re.escape(pattern.removeprefix("/")).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")
        fits = pattern == "*" or re.fullmatch(text + (".*" if pattern.endswith("/") else ""), path)
        owner = " ".join(owners) if fits else owner
    return owner


def test_a_tenant_owns_its_key_set_and_the_platform_the_rest(origin: Repo) -> None:
    lines = (origin.path / ".github/CODEOWNERS").read_text().splitlines()
    rules = [line.split() for line in lines if line and not line.startswith("#")]
    paths = [*_files(origin.path), "keysets/example/generated.yaml", "keysets/eu/globex/generated.yaml"]
    paths += ["keysets/example/partner.pem", "keysets/allowed_signers", "keysets/allowed_signers.asc"]
    owned = {path for path in paths if _owner(rules, path) == "@example/team-example"}
    assert owned == {"keysets/example/keyset.yaml", "keysets/example/partner.pem"}
    assert {_owner(rules, path) for path in paths} == {"@example/team-example", "@example/platform"}
