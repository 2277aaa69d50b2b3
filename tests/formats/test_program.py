"""`check --format` as CI runs it: exit codes, standard output, hostile files and folders in a real repository."""

import json
from pathlib import Path

import pytest
from program import Ran, run
from repos import Repo
from rules.trees import HEAD, SOUND, write

from .viewers import lively, obeyed

pytestmark = pytest.mark.chaos

FORMS = ("github", "gitlab", "sarif")
KIDS = ["::error::x", "a\\n::error::x", "##[add-mask]x", "<script>", "](javascript:x", "@everyone", "\\e[31m", "]]>"]
EVIL = "<img src=x>@everyone ##[add-mask]e, title=x%0A::error::y"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose tenants write what they can into kids, names, domains, fields, and names of folders."""
    path = tmp_path_factory.mktemp("hostile")
    repo = Repo(path)
    keys = "".join(f'  - {{kid: "{kid}", alg: "{kid}", jwk: "{kid}", "{kid}": 1}}\n' for kid in KIDS)
    write(
        path,
        {
            "policy.yaml": "version: 1\n",
            "acme/keyset.yaml": f"{HEAD}custom_keys:\n{keys}",
            "evil/keyset.yaml": 'version: 1\ntenant: "::error::x"\ndomains: ["@a.example", "https://evil.example/"]\n',
            f"{EVIL}/keyset.yaml": HEAD,
            "new\nline::error::/keyset.yaml": HEAD,
        },
    )
    repo.commit("::error::forged by a message")
    return path


def _check(path: Path, form: str, *more: str) -> Ran:
    return run(*more, "check", "--format", form, "--jobs", "1", "--now", "2026-06-01T00:00:00Z", cwd=path)


@pytest.mark.parametrize("form", FORMS)
def test_strangers_forge_nothing_in_a_log(form: str, hostile: Path) -> None:
    ran = _check(hostile, form)
    assert ran.code == 1, ran
    told = [command for line in [*ran.out.split("\n"), *ran.err.split("\n")] if (command := obeyed(line))]
    if form == "github":
        names = [command.name for command in told]
        assert names == ["error"] * 10 + ["group", "endgroup"]
        assert not any(lively(command.data) for command in told)
        plain = [line for line in ran.out.splitlines() if obeyed(line) is None]
        assert len(plain) > 10
        assert [(line, lively(line)) for line in plain if lively(line)] == []
    else:
        assert told == []
        assert json.loads(ran.out)
    assert "forged" not in ran.out


def test_every_format_tells_the_same_findings(hostile: Path) -> None:
    expected = {(one["line"], one["rule"]) for one in json.loads(_check(hostile, "json").out)["diagnostics"]}
    report = json.loads(_check(hostile, "gitlab").out)
    assert {(one["location"]["lines"]["begin"], one["check_name"]) for one in report} == expected
    results = json.loads(_check(hostile, "sarif").out)["runs"][0]["results"]
    lines = [one["locations"][0]["physicalLocation"]["region"]["startLine"] for one in results]
    assert set(zip(lines, (one["ruleId"] for one in results), strict=True)) == expected
    assert len(report) == len(results) == len({one["fingerprint"] for one in report})
    log = _check(hostile, "github").out
    assert sum(line.startswith("- ") for line in log.splitlines()) == len(report)


@pytest.mark.parametrize("form", FORMS)
def test_a_run_says_the_same_every_time_and_also_where_it_is_quiet(form: str, hostile: Path) -> None:
    ran = _check(hostile, form)
    assert _check(hostile, form) == ran
    assert _check(hostile, form, "--quiet").out == ran.out


@pytest.mark.parametrize("form", FORMS)
def test_sound_key_sets_exit_with_0_also_where_there_are_warnings(form: str, tmp_path: Path) -> None:
    write(tmp_path, {**SOUND, "policy.yaml": str(SOUND["policy.yaml"]) + "rotation: {every: 90d, lead: 5h}\n"})
    ran = _check(tmp_path, form)
    assert ran.code == 0, ran
    if form == "github":
        lines = ran.out.splitlines()
        assert lines[0].startswith("::warning file=keysets/policy.yaml,line=")
        assert lines[-1] == "2 tenants, 3 domains, 8 keys: no mistakes in the working tree"
    elif form == "gitlab":
        assert {one["severity"] for one in json.loads(ran.out)} == {"minor"}
    else:
        assert {one["level"] for one in json.loads(ran.out)["runs"][0]["results"]} == {"warning"}
