"""The keys are made once: gpg takes its time."""

from collections.abc import Iterator

import pytest

from .sealing import Keys, keys


@pytest.fixture(scope="session")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keys]:
    """Keys of people."""
    with keys(tmp_path_factory.mktemp("ssh")) as made:
        yield made
