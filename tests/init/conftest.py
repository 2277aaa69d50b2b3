"""A machine with the program, and a repository that `init` made there."""

import shutil
from pathlib import Path

import pytest
from repos import Repo

from .world import Runner, initialised, virtual_environment


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """One for all tests of a process: its programs stay."""
    folder = tmp_path_factory.mktemp("machine")
    return Runner(bin=virtual_environment(folder / "programs"), temp=folder)


@pytest.fixture
def runner(machine: Runner, tmp_path: Path) -> Runner:
    """The machine with a temporary folder of its own, and no setting."""
    temp = tmp_path / "runner"
    temp.mkdir()
    return Runner(bin=machine.bin, temp=temp, installed=machine.installed)


@pytest.fixture(scope="session")
def first(machine: Runner) -> Repo:
    """A repository that `init` made, committed; nobody changes it."""
    return initialised(machine, machine.temp / "origin")


@pytest.fixture
def origin(first: Repo, runner: Runner, tmp_path: Path) -> Repo:
    """The same, for one test."""
    return Repo(shutil.copytree(first.path, tmp_path / "origin"))
