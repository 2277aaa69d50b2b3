"""Every command line of .gitlab-ci.yml, run in a clone: a real S3 server, and a stub of GitLab's API."""

from pathlib import Path
from typing import Any

import pytest
from repos import Repo
from s3server import S3Server
from test_end_to_end import edge

from .forge import Forge, forge
from .world import Runner, load, second_key

MARKER = "<!-- jwks-publisher review -->"


def _job(pipeline: Any, name: str) -> dict[str, Any]:
    """A job with what it extends."""
    job = pipeline[name]
    above = pipeline[job["extends"]] if "extends" in job else {}
    variables = {**pipeline["variables"], **above.get("variables", {}), **job.get("variables", {})}
    return {**pipeline["default"], **above, **job, "variables": variables}


def _run(runner: Runner, clone: Repo, name: str, **project: str) -> tuple[int, str]:
    """Run a job's lines as one script, as GitLab's runner does. What the project sets wins over what the file sets."""
    job = _job(load(clone.path / ".gitlab-ci.yml"), name)
    settings = {key: value for key, value in job["variables"].items() if not str(value).startswith("$")}
    token = runner.temp / "id-token"
    env = {**settings, "AWS_ID_TOKEN": "header.claims.signature", "AWS_WEB_IDENTITY_TOKEN_FILE": str(token), **project}
    assert job["before_script"][0] == load(clone.path / ".gitlab-ci.yml")["default"]["before_script"][0]
    installed = runner.run(job["before_script"][0], clone.path)
    assert installed.returncode == 0, installed.stderr
    runner.ran.extend(job["before_script"][1:] + job["script"])
    done = runner.run("\n".join(job["before_script"][1:] + job["script"]), clone.path, **env)
    if "id_tokens" in job:
        assert (token.read_text(), token.stat().st_mode & 0o777) == ("header.claims.signature", 0o600)
        token.unlink()
    return done.returncode, done.stdout + done.stderr


def _merge_request(origin: Repo, folder: Path, here: Forge, text: str | None = None) -> tuple[Repo, dict[str, str]]:
    """A clone at the head of a branch with a key more (or that text), and its pipeline's variables."""
    clone = origin.clone(folder)
    clone.git("switch", "--quiet", "--create", "change")
    path = clone.path / "keysets/example/keyset.yaml"
    if text is None:
        second_key(clone)
    else:
        path.write_text(path.read_text() + text)
    return clone, {
        **here.settings,
        "CI_COMMIT_SHA": clone.commit("Add a key"),
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": clone.git("rev-parse", "origin/main"),
        "CI_MERGE_REQUEST_IID": "7",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "JWKS_PUBLISHER_STORE": "s3://not-for-this-job/jwks",
    }


def test_check_and_review_of_a_merge_request(runner: Runner, origin: Repo, tmp_path: Path) -> None:
    with forge("gitlab") as here:
        clone, project = _merge_request(origin, tmp_path / "clone", here)
        assert _run(runner, clone, "check", **project)[0] == 0
        assert (clone.path / "gl-code-quality-report.json").read_text() == "[]\n"
        code, log = _run(runner, clone, "review", **project)
        assert code == 0, log
        (text,) = here.texts
        assert text.startswith(MARKER)
        assert "example-2" in text
        assert (clone.path / "review.md").exists()
        assert "does to `origin/main` (" in text
        _run(runner, clone, "review", **{**project, "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "in-no-fork"})
        (again,) = here.texts  # edited in place
        assert f"does to `{project['CI_MERGE_REQUEST_DIFF_BASE_SHA']}`, as of " in again
        assert _run(runner, clone, "review", **{**project, "JWKS_REVIEW_TOKEN": ""})[0] == 0
        assert _run(runner, clone, "review", **project, JWKS_REQUIRE_SIGNED_COMMITS="true")[0] == 1


def test_mistakes_fail_the_check_and_are_in_its_report(runner: Runner, origin: Repo, tmp_path: Path) -> None:
    with forge("gitlab") as here:
        wrong = "  - kid: example-1\n    alg: none\n    jwk: {}\n"
        clone, project = _merge_request(origin, tmp_path / "clone", here, wrong)
        code, log = _run(runner, clone, "check", **project)
        assert (code, "keysets/example/keyset.yaml:" in log) == (1, True)
        assert "keysets/example/keyset.yaml" in (clone.path / "gl-code-quality-report.json").read_text()


@pytest.mark.chaos
def test_plan_apply_schedule_and_audit(runner: Runner, origin: Repo, tmp_path: Path, s3_server: S3Server) -> None:
    clone = origin.clone(tmp_path / "clone")
    project = {**s3_server.settings, "JWKS_PUBLISHER_STORE": f"s3://{s3_server.make_bucket()}/jwks"}
    assert _run(runner, clone, "plan", **project)[0] == 0
    code, log = _run(runner, clone, "apply", **project)
    assert (code, "nothing was ever published there" in log) == (3, True)
    assert _run(runner, clone, "apply", **project, JWKS_FIRST="true")[0] == 0
    with edge(project["JWKS_PUBLISHER_STORE"], clone.path, **s3_server.settings) as base:
        project["JWKS_PUBLISHER_VIA"] = base
        second_key(clone)
        clone.commit("Add a key")
        assert _run(runner, clone, "plan", **project)[0] == 0
        code, log = _run(runner, clone, "apply", **project)
        assert (code, f"{base} serves 1 document as published" in log) == (0, True), log
        assert "Nothing to change" in _run(runner, clone, "schedule", **project)[1]
        code, log = _run(runner, clone, "audit", **project)
        assert (code, "All is as the state says: 1 tenant, 1 domain" in log) == (0, True), log


def test_every_line_is_of_a_job_that_is_run_here(origin: Repo) -> None:
    pipeline = load(origin.path / ".gitlab-ci.yml")
    jobs = {name for name, value in pipeline.items() if isinstance(value, dict) and "script" in value}
    assert jobs == {"check", "review", "plan", "apply", "schedule", "audit"}
    assert pipeline["stages"] == ["check", "plan", "publish"]
    assert {_job(pipeline, name)["stage"] for name in jobs} == set(pipeline["stages"])
    writes = {name for name in jobs if _job(pipeline, name)["variables"].get("AWS_ROLE_ARN") == "$AWS_APPLY_ROLE"}
    assert writes == {name for name in jobs if "resource_group" in pipeline[name]} == {"apply", "schedule"}
