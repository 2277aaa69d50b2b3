"""A repository that `init` made, and its workflows' command lines, run by bash as a runner would run them.

What is run is the wheel of this checkout, in an environment of its own, installed by the workflows' own lines.
"""

import os
import re
import shlex
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from program import environment
from repos import ISOLATED, Repo
from signing import make_signer

ROOT = Path(__file__).parents[2]
BASH = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]


@cache
def wheel(folder: Path) -> Path:
    """The wheel of this checkout, built into the folder."""
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (made,) = folder.glob("jwks_publisher-*.whl")
    return made


def virtual_environment(folder: Path) -> Path:
    """Its `bin`: an environment that has what this one has, but the program, so that nothing is fetched."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = folder / "lib" / version / "site-packages"
    (site / "others.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    pip = folder / "bin/pip"
    pip.write_text(f'#!/bin/sh\nexec {folder}/bin/python -m pip "$@"\n')
    pip.chmod(0o755)
    return folder / "bin"


@dataclass(slots=True, kw_only=True)
class Runner:
    """A machine that runs steps: its programs, its temporary folder, and what the platform sets."""

    bin: Path
    temp: Path
    settings: dict[str, str] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    installed: set[str] = field(default_factory=set)

    def run(self, script: str, cwd: Path, **env: str) -> "subprocess.CompletedProcess[str]":
        """Run one script to its end; what installs the program, once."""
        self.ran.append(script)
        if script in self.installed:
            return subprocess.CompletedProcess(script, 0, "", "")
        path = f"{self.bin}:{os.environ['PATH']}"
        pip = {"PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1", "PIP_IGNORE_INSTALLED": "1", "PIP_ROOT_USER_ACTION": "ignore"}
        given = {**environment(PATH=path, **pip), **ISOLATED, **self.settings, **env}
        done = subprocess.run(
            [*BASH, script], cwd=cwd, env=given, capture_output=True, text=True, check=False, timeout=120
        )
        if "pip install" in script and done.returncode == 0:
            self.installed.add(script)
        return done


@dataclass(slots=True, kw_only=True)
class Job:
    """A job of a GitHub workflow as it ran: each step's exit code by its name, its outputs, its output."""

    codes: dict[str, int] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    log: str = ""
    summary: str = ""

    @property
    def failed(self) -> bool:
        """Whether a step failed that counts."""
        return any(self.codes.values())


def load(path: Path) -> Any:
    """A YAML file; GitHub's `on` is no boolean here."""
    value = yaml.safe_load(path.read_text())
    return {("on" if name is True else name): item for name, item in value.items()}


def run_lines(workflow: Mapping[str, Any]) -> list[str]:
    """Every command line of a workflow."""
    return [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]


def run_job(runner: Runner, workflow: Mapping[str, Any], name: str, cwd: Path, contexts: Mapping[str, str]) -> Job:
    """Run a job's own steps; those of actions are the caller's. `contexts` are values by expression.

    Every expression must be known: one that is not raises KeyError. After a step that failed, only steps run that ask
    for it (`!cancelled()`).
    """
    done = Job()
    job = workflow["jobs"][name]
    common = {**workflow.get("env", {}), **job.get("env", {})}
    output, summary = runner.temp / "output", runner.temp / "summary"
    for step in job["steps"]:
        known = {**contexts, **done.outputs}
        condition = str(step.get("if", ""))
        if done.failed and "!cancelled()" not in condition:
            continue
        if "uses" in step or (condition and known[_inner(condition)] != "true"):
            continue
        output.write_text("")
        summary.touch()
        env = {name: _filled(str(value), known) for name, value in {**common, **step.get("env", {})}.items()}
        places = {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary), "RUNNER_TEMP": str(runner.temp)}
        ran = runner.run(step["run"], cwd, **env, **places)
        done.log += ran.stdout + ran.stderr
        done.codes[step["name"]] = 0 if step.get("continue-on-error") else ran.returncode
        for line in output.read_text().splitlines():
            key, _, value = line.partition("=")
            done.outputs[f"steps.{step['id']}.outputs.{key}"] = value
            done.outputs[f"!cancelled() && steps.{step['id']}.outputs.{key} == 'true'"] = value
    done.summary = summary.read_text()
    return done


def _filled(text: str, known: Mapping[str, str]) -> str:
    return re.sub(r"\$\{\{(.*?)\}\}", lambda match: known[match[1].strip()], text)


def _inner(condition: str) -> str:
    return condition.removeprefix("${{").removesuffix("}}").strip()


def initialised(runner: Runner, folder: Path, *options: str) -> Repo:
    """A repository that `init` made, with the wheel to be installed, and its first commit."""
    requirement = f"jwks-publisher @ {wheel(runner.bin.parent).as_uri()}"
    asked = ["jwks-publisher", "init", str(folder), "--install", requirement, *options]
    done = runner.run(f"pip install --quiet {shlex.quote(requirement)}", folder.parent)
    assert done.returncode == 0, done.stderr
    done = runner.run(shlex.join(asked), folder.parent)
    assert done.returncode == 0, done.stderr
    repo = Repo(folder)
    repo.commit("Start the key sets")
    return repo


def second_key(repo: Repo) -> None:
    """One more key of the example tenant, which is to sign at some time."""
    path = repo.path / "keysets/example/keyset.yaml"
    window = "publish: {from: 2026-01-01T00:00:00Z}\nsigns: {from: 2090-01-01T00:00:00Z}"
    path.write_text(path.read_text() + make_signer("example-2").entry(window))
