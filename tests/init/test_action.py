"""The action's own command lines, in a clone of a repository of key sets. It installs this checkout with pip."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from repos import Repo

from .forge import forge
from .world import ROOT, Runner, load, run_job, second_key

MARKER = "<!-- jwks-publisher review -->"
EMPTY = "author-may is empty: name the tenants that may change, or leave it out for all"
ACTION = load(ROOT / ".github/action/action.yml")


def _contexts(head: str, **inputs: str) -> dict[str, str]:
    """Values by expression: the inputs' defaults, but for those given, and what steps have not said yet."""
    known = {"github.base_ref": "main", "github.event.pull_request.head.sha || github.sha": head, "github.token": "x"}
    given = {name: str(one["default"]) for name, one in ACTION["inputs"].items()} | inputs
    filled = {f"inputs.{name}": value for name, value in given.items()}
    for name, value in filled.items():
        for expression, meant in known.items():
            filled[name] = filled[name].replace(f"${{{{ {expression} }}}}", meant)
        assert "${{" not in filled[name], value
    comment = "inputs.comment == 'true' && steps.review.outputs.review != '' && github.event.pull_request.number"
    return {**filled, comment: given["comment"], "github.event.pull_request.number": "7"}


def test_an_empty_list_of_tenants_is_no_permission_for_all(tmp_path: Path) -> None:
    (script,) = (step["run"] for step in ACTION["runs"]["steps"] if step["name"] == "Check and review")
    settings = {"PATH": os.environ["PATH"], "RUNNER_TEMP": str(tmp_path), "AUTHOR_MAY": " ", "SIGNED": "false"}
    command = ["bash", "-eo", "pipefail", "-c", script]
    ran = subprocess.run(command, env=settings, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (2, f"::error::{EMPTY}\n")


@pytest.mark.chaos
def test_it_checks_reviews_comments_and_fails_in_the_end(runner: Runner, origin: Repo, tmp_path: Path) -> None:
    clone = origin.clone(tmp_path / "clone")
    clone.git("switch", "--quiet", "--create", "change")
    second_key(clone)
    head = clone.commit("Add a key")
    steps: dict[str, Any] = {"jobs": {"action": ACTION["runs"]}}
    with forge("github") as here:
        given = {**here.settings, "GITHUB_ACTION_PATH": str(ROOT / ".github/action")}
        runner.settings |= {**given, "PIP_NO_DEPS": "0", "PIP_NO_INDEX": "0", "PIP_IGNORE_INSTALLED": "0"}
        fine = run_job(runner, steps, "action", clone.path, _contexts(head, token=here.settings["GITHUB_TOKEN"]))
        assert fine.codes == {"Install": 0, "Check and review": 0, "Comment": 0, "Verdict": 0}, fine.log
        assert here.texts == [fine.summary]
        assert fine.summary.startswith(MARKER)
        assert fine.outputs["steps.review.outputs.findings"] == "false"
        refused = _contexts(head, comment="false", **{"author-may": "globex hooli", "require-signed-commits": "true"})
        found = run_job(runner, steps, "action", clone.path, refused)
        assert found.codes == {"Install": 0, "Check and review": 0, "Verdict": 1}, found.log
        assert found.outputs["steps.review.outputs.findings"] == "true"
        assert here.texts == [fine.summary]
    assert [step["run"] for step in ACTION["runs"]["steps"]] == runner.ran[:4]
