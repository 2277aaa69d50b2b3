"""Every command line of the workflows for GitHub, run in a clone: a real S3 server, and a stub of GitHub's API."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from repos import Repo
from s3server import S3Server
from test_end_to_end import edge

from .forge import READING, TOKEN, Forge, forge
from .world import Job, Runner, load, run_job, run_lines, second_key

STORE = {"vars.JWKS_STORE": "", "vars.JWKS_CDN": "", "vars.JWKS_VIA": ""}
MARKER = "<!-- jwks-publisher review -->"


def _workflow(repo: Repo, name: str) -> Any:
    return load(repo.path / f".github/workflows/{name}.yml")


def _pull_request(origin: Repo, folder: Path, text: str | None = None) -> tuple[Repo, str]:
    """A clone as a runner has it: the merge of a branch with one more key (or that text at the end) into main."""
    clone = origin.clone(folder)
    clone.git("switch", "--quiet", "--create", "change")
    if text is None:
        second_key(clone)
    else:
        path = clone.path / "keysets/example/keyset.yaml"
        path.write_text(path.read_text() + text)
    head = clone.commit("Add a key")
    clone.git("switch", "--quiet", "--detach", "origin/main")
    clone.git("merge", "--quiet", "--no-ff", "--message", "Merge the change", "change")
    return clone, head


def _check(runner: Runner, clone: Repo) -> Job:
    contexts = {"github.event.merge_group.base_sha || 'HEAD^1'": "HEAD^1"}
    return run_job(runner, _workflow(clone, "check"), "check", clone.path, contexts)


def _review(runner: Runner, clone: Repo, head: str, here: Forge, token: str = TOKEN, store: str = "") -> Job:
    clone.git("checkout", "--quiet", head)
    runner.settings |= here.settings
    contexts = {
        "github.base_ref": "main",
        "github.event.pull_request.head.sha": head,
        "github.event.pull_request.number": "7",
        "github.token": token,
        "vars.JWKS_REQUIRE_SIGNED_COMMITS": "",
        "!cancelled() && steps.review.outputs.reviewed == 'true'": "",  # until the review says so
        "steps.aws.outcome == 'success' && vars.JWKS_STORE || ''": store,
    }
    return run_job(runner, _workflow(clone, "check"), "review", clone.path, contexts)


def test_check_passes_what_is_fine_and_annotates_what_is_not(runner: Runner, origin: Repo, tmp_path: Path) -> None:
    clone, _ = _pull_request(origin, tmp_path / "fine")
    done = _check(runner, clone)
    assert (done.codes, done.failed) == ({"Install": 0, "Check": 0}, False), done.log
    clone, _ = _pull_request(origin, tmp_path / "wrong", "  - kid: example-1\n    alg: none\n    jwk: {}\n")
    done = _check(runner, clone)
    assert done.codes == {"Install": 0, "Check": 1}
    assert re.search(r"(?m)^::error file=keysets/example/keyset\.yaml,line=\d+", done.log)


def test_review_is_in_the_summary_and_in_one_comment(runner: Runner, origin: Repo, tmp_path: Path) -> None:
    clone, head = _pull_request(origin, tmp_path / "clone")
    with forge("github") as here:
        done = _review(runner, clone, head, here)
        assert done.codes == {"Install": 0, "Review": 0, "Comment": 0}, done.log
        assert done.summary.startswith(MARKER)
        assert "example-2" in done.summary
        assert here.texts == [done.summary]
        clone.git("switch", "--quiet", "change")
        path = clone.path / "keysets/example/keyset.yaml"
        path.write_text(path.read_text().partition("  - kid: example-2")[0])
        _review(runner, clone, clone.commit("Take it back"), here)
        (text,) = here.texts
        assert text != done.summary
    assert set(run_lines(_workflow(clone, "check"))) <= {*runner.ran, *_check_lines(clone)}


def _check_lines(clone: Repo) -> list[str]:
    """Those of the other job, which the test above runs."""
    return [step["run"] for step in _workflow(clone, "check")["jobs"]["check"]["steps"] if "run" in step]


def test_a_fork_gets_its_review_in_the_summary_alone(runner: Runner, origin: Repo, tmp_path: Path) -> None:
    clone, head = _pull_request(origin, tmp_path / "clone")
    with forge("github") as here:
        done = _review(runner, clone, head, here, token=READING)
        assert done.codes == {"Install": 0, "Review": 0, "Comment": 0}, done.log
        assert done.summary.startswith(MARKER)
        assert (here.texts, here.requests[-1]) == ([], ("POST", 403))
        assert "not commented" in done.log


@pytest.mark.chaos
def test_a_review_that_finds_something_fails_and_is_commented(runner: Runner, origin: Repo, tmp_path: Path) -> None:
    clone, head = _pull_request(origin, tmp_path / "clone", "  - kid: example-1\n    alg: none\n    jwk: {}\n")
    with forge("github") as here:
        done = _review(runner, clone, head, here)
        assert done.codes == {"Install": 0, "Review": 1, "Comment": 0}, done.log
        (text,) = here.texts
        assert text == done.summary


def test_an_unsigned_commit_is_refused_where_signatures_are_asked_for(
    runner: Runner, origin: Repo, tmp_path: Path
) -> None:
    clone, head = _pull_request(origin, tmp_path / "clone")
    clone.git("checkout", "--quiet", head)
    review = next(one for one in _workflow(clone, "check")["jobs"]["review"]["steps"] if one.get("id") == "review")
    places = {"GITHUB_OUTPUT": "/dev/null", "GITHUB_STEP_SUMMARY": "/dev/null", "RUNNER_TEMP": str(runner.temp)}
    done = runner.run(review["run"], clone.path, BASE="origin/main", HEAD=head, SIGNED="true", **places)
    assert done.returncode == 1, done.stderr
    assert "sign" in (runner.temp / "review.md").read_text()


@pytest.mark.chaos
def test_a_review_with_the_role_reckons_with_the_store(
    runner: Runner, origin: Repo, tmp_path: Path, cloud: dict[str, str]
) -> None:
    store = cloud["vars.JWKS_STORE"]
    clone, head = _pull_request(origin, tmp_path / "clone")
    with forge("github") as here:
        done = _review(runner, clone, head, here, store=store)
        assert done.codes == {"Install": 0, "Review": 0, "Comment": 0}, done.log
        alone = _review(runner, clone, head, here)
        assert "nothing was ever published to the store" in done.summary
        assert "nothing was ever published to the store" not in alone.summary.removeprefix(done.summary)


@contextmanager
def _heartbeats() -> Iterator[tuple[str, list[str]]]:
    """A monitor: its address, and the paths that it was asked for."""
    heard: list[str] = []

    class Monitor(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Monitor)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", heard
    server.shutdown()
    server.server_close()


@pytest.fixture
def cloud(runner: Runner, s3_server: S3Server) -> dict[str, str]:
    """The variables of the repository, for an empty bucket. The credentials are those of the runner."""
    runner.settings |= s3_server.settings
    return {**STORE, "vars.JWKS_STORE": f"s3://{s3_server.make_bucket()}/jwks", "inputs.first": ""}


def _publish(runner: Runner, clone: Repo, contexts: dict[str, str]) -> tuple[Job, Job]:
    """Plan and apply: the plan's file goes from one to the other in the runner's temporary folder."""
    workflow = _workflow(clone, "publish")
    planned = run_job(runner, workflow, "plan", clone.path, contexts)
    return planned, run_job(runner, workflow, "apply", clone.path, contexts)


def test_publish_schedule_and_audit(
    runner: Runner, origin: Repo, tmp_path: Path, cloud: dict[str, str], s3_server: S3Server
) -> None:
    clone = origin.clone(tmp_path / "clone")
    planned, applied = _publish(runner, clone, cloud)
    assert (planned.failed, applied.codes) == (False, {"Install": 0, "Publish": 3}), applied.log
    assert "nothing was ever published there" in applied.log
    planned, applied = _publish(runner, clone, {**cloud, "inputs.first": "true"})
    assert not applied.failed, applied.log
    assert "login.example.example" in planned.summary
    with edge(cloud["vars.JWKS_STORE"], clone.path, **s3_server.settings) as base, _heartbeats() as (monitor, heard):
        seen = {**cloud, "vars.JWKS_VIA": base, "secrets.HEARTBEAT_URL": f"{monitor}/ping"}
        second_key(clone)
        clone.commit("Add a key")
        planned, applied = _publish(runner, clone, seen)
        assert not applied.failed, applied.log
        assert f"{base} serves 1 document as published" in applied.log
        schedule = run_job(runner, _workflow(clone, "schedule"), "publish", clone.path, seen)
        assert not schedule.failed, schedule.log
        assert "Nothing to change" in schedule.log
        assert heard == ["/ping"]
        quiet = run_job(
            runner, _workflow(clone, "schedule"), "publish", clone.path, {**seen, "secrets.HEARTBEAT_URL": ""}
        )
        assert (quiet.failed, heard) == (False, ["/ping"])
        audit = run_job(runner, _workflow(clone, "audit"), "audit", clone.path, seen)
        assert not audit.failed, audit.log
        assert "All is as the state says: 1 tenant, 1 domain" in audit.log
    for name in ("publish", "schedule", "audit"):
        assert set(run_lines(_workflow(clone, name))) <= set(runner.ran)


@pytest.mark.chaos
def test_one_bad_tenant_stops_no_other_and_fails_the_run(
    runner: Runner, origin: Repo, tmp_path: Path, cloud: dict[str, str]
) -> None:
    clone = origin.clone(tmp_path / "clone")
    clone.write("keysets/bad/keyset.yaml", "version: 1\ntenant: bad\nplan: none\ndomains: [a.bad.example]\n")
    clone.commit("Add a bad tenant")
    planned, applied = _publish(runner, clone, {**cloud, "inputs.first": "true"})
    assert planned.codes["Plan"] == 0, planned.log
    assert applied.codes["Publish"] == 1, applied.log
    schedule = run_job(runner, _workflow(clone, "schedule"), "publish", clone.path, cloud)
    assert schedule.codes["Publish"] == 1
    audit = run_job(runner, _workflow(clone, "audit"), "audit", clone.path, cloud)
    assert audit.codes["Audit"] == 1
    assert "bad: quarantined" in audit.log


@pytest.mark.chaos
def test_a_plan_that_has_gone_stale_is_not_published(
    runner: Runner, origin: Repo, tmp_path: Path, cloud: dict[str, str]
) -> None:
    clone = origin.clone(tmp_path / "clone")
    workflow, first = _workflow(clone, "publish"), {**cloud, "inputs.first": "true"}
    assert not run_job(runner, workflow, "plan", clone.path, first).failed
    second_key(clone)
    clone.commit("Merge more")
    applied = run_job(runner, workflow, "apply", clone.path, first)
    assert applied.codes["Publish"] == 1
    assert "the plan is stale" in applied.log
