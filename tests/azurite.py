"""Azure Blob Storage on the loopback: its emulator azurite (npm), where `make test-stores` has installed it."""

import base64
import hashlib
import hmac
import os
import re
import secrets
import subprocess
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

import pytest
from program import environment, installed

PROGRAM = Path(__file__).parents[1] / "build/azurite/node_modules/.bin/azurite-blob"
ACCOUNT = "publisher"
_LISTENS = re.compile(r"listens on http://127\.0\.0\.1:(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Azurite:
    """A running server with one account. `settings` are the variables that lead to it."""

    address: str
    key: str

    @property
    def settings(self) -> dict[str, str]:
        return {
            "AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT,
            "AZURE_STORAGE_ACCOUNT_KEY": self.key,
            "AZURE_STORAGE_ENDPOINT": f"{self.address}/{ACCOUNT}",
            "NO_PROXY": "127.0.0.1",
        }

    def make_container(self) -> str:
        """The name of a new, empty container. Everybody may read it."""
        name = f"container-{uuid.uuid4().hex}"
        headers = {
            "x-ms-blob-public-access": "container",
            "x-ms-date": formatdate(usegmt=True),
            "x-ms-version": "2023-11-03",
        }
        # https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
        names = "".join(f"{header}:{value}\n" for header, value in headers.items())
        text = "PUT" + "\n" * 12 + f"{names}/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"
        signature = hmac.digest(base64.b64decode(self.key), text.encode(), hashlib.sha256)
        headers["Authorization"] = f"SharedKey {ACCOUNT}:{base64.b64encode(signature).decode()}"
        url = f"{self.address}/{ACCOUNT}/{name}?restype=container"
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers, method="PUT")) as answer:  # noqa: S310
            assert answer.status == 201
        return name

    def headers(self, container: str, blob: str) -> dict[str, str]:
        """What an anonymous reader of an object is sent, by names in lower case."""
        with urllib.request.urlopen(f"{self.address}/{ACCOUNT}/{container}/{blob}") as answer:  # noqa: S310
            return {name.lower(): value for name, value in answer.headers.items()}


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """The server, which ends with the tests."""
    program = installed(PROGRAM)
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    options = ("--blobHost", "127.0.0.1", "--blobPort", "0", "--inMemoryPersistence", "--silent", "--disableTelemetry")
    process = subprocess.Popen(
        [program, *options, "--disableProductStyleUrl"],
        env=environment(AZURITE_ACCOUNTS=f"{ACCOUNT}:{key}"),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        listens = next((found for line in process.stdout if (found := _LISTENS.search(line))), None)
        assert listens is not None, "azurite did not start"
        yield Azurite(address=f"http://127.0.0.1:{listens[1]}", key=key)
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


@pytest.fixture
def container(azurite: Azurite, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a fresh container; for this test the Azure variables lead to it."""
    for name in [name for name in os.environ if name.startswith("AZURE_")]:
        monkeypatch.delenv(name)
    for name, value in azurite.settings.items():
        monkeypatch.setenv(name, value)
    return azurite.make_container()
