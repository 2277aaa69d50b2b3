"""Commits that several tests publish; nobody changes them."""

import pytest

from .world import Chain, make_chain

__all__ = ["chain", "short_chain"]

ROUNDS = 25


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """A commit for each round, and one to begin with."""
    return make_chain(tmp_path_factory.mktemp("chain"), ROUNDS)


@pytest.fixture(scope="session")
def short_chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """Nine commits: one to begin with, and one for each of eight publishers."""
    return make_chain(tmp_path_factory.mktemp("short"), 9)
