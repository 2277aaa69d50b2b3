"""The keys are made once: gpg takes its time."""

import shutil
from collections.abc import Iterator

import pytest

from .sealing import Keys, keys


@pytest.fixture(scope="session")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keys]:
    """Keys of people."""
    for program in ("ssh-keygen", "gpg"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: apt-get install openssh-client gnupg")
    with keys(tmp_path_factory.mktemp("ssh")) as made:
        yield made
