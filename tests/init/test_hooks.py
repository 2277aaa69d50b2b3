"""The hooks for pre-commit: of this project for others, and of a new repository for itself."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from program import environment
from repos import ISOLATED, Repo

from .world import ROOT

PRE_COMMIT = Path(sys.executable).parent / "pre-commit"
HOOKS = ROOT / ".pre-commit-hooks.yaml"


def _pre_commit(*arguments: str, cwd: Path, home: Path) -> subprocess.CompletedProcess[str]:
    env = {**environment(), **ISOLATED, "PRE_COMMIT_HOME": str(home)}
    return subprocess.run(
        [PRE_COMMIT, *arguments], cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=500
    )


def test_pre_commit_takes_both_files(origin: Repo, tmp_path: Path) -> None:
    for command, path in (("validate-manifest", HOOKS), ("validate-config", origin.path / ".pre-commit-config.yaml")):
        done = _pre_commit(command, str(path), cwd=tmp_path, home=tmp_path)
        assert done.returncode == 0, done.stdout


def test_the_same_hooks_stand_in_both() -> None:
    hooks = {one["id"]: one for one in yaml.safe_load(HOOKS.read_text())}
    assert set(hooks) == {"jwks-publisher", "jwks-publisher-changed"}
    assert {one["entry"] for one in hooks.values()} == {"jwks-publisher check", "jwks-publisher check --changed"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """This checkout as a repository of its own, with what is not committed yet."""
    made = Repo(tmp_path_factory.mktemp("project"))
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0")
    for name in filter(None, map(os.fsdecode, names)):
        if (ROOT / name).is_file():
            made.write(name, (ROOT / name).read_bytes())
    made.commit("Release")
    return made


@pytest.mark.chaos
def test_hooks_of_this_project_stop_a_bad_commit(project: Repo, origin: Repo, tmp_path: Path) -> None:
    rev = project.git("rev-parse", "HEAD")
    hooks = "".join(f"      - id: {name}\n" for name in ("jwks-publisher-changed", "jwks-publisher"))
    config = f"repos:\n  - repo: {project.path.as_uri()}\n    rev: {rev}\n    hooks:\n{hooks}"
    _stops_a_bad_commit(origin, config, tmp_path)


@pytest.mark.chaos
def test_hooks_of_a_new_repository_stop_a_bad_commit(origin: Repo, tmp_path: Path) -> None:
    _stops_a_bad_commit(origin, (origin.path / ".pre-commit-config.yaml").read_text(), tmp_path)


def _stops_a_bad_commit(origin: Repo, config: str, home: Path) -> None:
    """With real environments, which pip makes from the machine's registry."""
    clone = origin.clone(home / "clone")
    clone.write(".pre-commit-config.yaml", config)
    clone.commit("Use hooks")
    all_of_it = ("run", "--all-files", "--hook-stage", "pre-push")
    done = _pre_commit(*all_of_it, cwd=clone.path, home=home / "cache")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Passed" in done.stdout
    path = clone.path / "keysets/example/keyset.yaml"
    path.write_text(path.read_text().replace("alg: ES256", "alg: none"))
    clone.git("add", "--all")
    done = _pre_commit("run", cwd=clone.path, home=home / "cache")
    assert done.returncode == 1, done.stdout
    assert "keysets/example/keyset.yaml:" in done.stdout
