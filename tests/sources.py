"""What tests of key-set sources share."""

from collections.abc import Callable

import pytest
from repos import Repo

from publisher.diagnostic import Finding
from publisher.source import (
    File,
    Folder,
    Source,
    SourceError,
)

K = "keysets/"


def plain(repo: Repo) -> Repo:
    """Two tenants, one in a grouping folder, and a policy."""
    repo.write("keysets/policy.yaml", "version: 1\n")
    repo.write("keysets/acme/keyset.yaml", "tenant: acme\n")
    repo.write("keysets/acme/generated.yaml", "version: 1\n")
    repo.write("keysets/acme/keys/partner.pem", "PEM\n")
    repo.write("keysets/eu/globex/keyset.yaml", "tenant: globex\n")
    return repo


def read(source: Source) -> tuple[dict[str, dict[str, File]], list[Finding]]:
    """All folders, by path in the order they came, and all findings."""
    items = list(source.folders())
    found = [item for item in items if isinstance(item, Folder)]
    assert len({folder.path for folder in found}) == len(found)
    return {folder.path: dict(folder.files) for folder in found}, [item for item in items if isinstance(item, Finding)]


def text(data: str | bytes) -> File:
    return File(kind="file", data=data.encode() if isinstance(data, str) else data)


def odd(kind: str) -> File:
    return File(kind=kind, data=b"")  # type: ignore[arg-type]


PLAIN = {
    "keysets/acme": {
        "generated.yaml": text("version: 1\n"),
        "keys/partner.pem": text("PEM\n"),
        "keyset.yaml": text("tenant: acme\n"),
    },
    "keysets/eu/globex": {"keyset.yaml": text("tenant: globex\n")},
}


def assert_refused(attempt: Callable[[], object], message: str, *, usage: bool) -> None:
    with pytest.raises(SourceError) as caught:
        attempt()
    assert message in str(caught.value)
    assert caught.value.usage is usage
    assert "\n" not in str(caught.value)
