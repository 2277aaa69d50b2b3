"""Golden cases of the rules about files and folders."""

import os
from pathlib import Path

from .trees import POLICY, Case, change

GLOBEX = "version: 1\ntenant: globex\nplan: starter\ndomains: [id.globex.example]\n"


def _link(path: Path) -> None:
    path.symlink_to("/etc/hostname")


def _pipe(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def _repository(path: Path) -> None:
    (path / ".git").mkdir(parents=True)


def _too_long(path: Path) -> None:
    """Folders in folders, until the system takes the path no more: they cannot be read, not by root either."""
    path.mkdir()
    folder = os.open(path, os.O_RDONLY)
    for _ in range(_LEVELS - 1):
        os.mkdir(path.name, dir_fd=folder)
        inner = os.open(path.name, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = inner
    os.close(folder)


_LONG, _LEVELS = "long" * 60, 17

CASES = (
    Case(
        rule="tenant-inside-tenant",
        add={"acme/inner/keyset.yaml": GLOBEX.replace("globex", "inner")},
        place="acme/inner/keyset.yaml:1:1",
        says="lies inside the folder of another tenant, `keysets/acme`; "
        "move the inner folder out, or delete `keysets/acme/keyset.yaml` if that folder only groups tenants",
    ),
    Case(
        rule="tenant-without-folder",
        add={"keyset.yaml": "version: 1\n"},
        place="keyset.yaml:1:1",
        says="lies in no tenant's folder; move it into a folder with the tenant's name",
    ),
    Case(
        rule="tenant-too-deep",
        add={"b/c/d/e/f/g/h/i/deep/keyset.yaml": GLOBEX.replace("globex", "deep")},
        place="b/c/d/e/f/g/h/i/deep/keyset.yaml:1:1",
        says="lies 9 folders deep; use at most 8",
    ),
    Case(
        rule="git-attributes",
        add={"acme/.gitattributes": "* -diff linguist-generated=true\n"},
        place="acme/.gitattributes:1:1",
        says="can hide changes from reviewers; "
        "delete it; attributes that all need stand in the repository's top folder",
    ),
    Case(
        rule="generated-without-keyset",
        add={"hooli/generated.yaml": "version: 1\ngenerated_keys: []\n"},
        place="hooli/generated.yaml:1:1",
        says="has no keyset.yaml beside it; move it to its tenant's folder, or delete it",
    ),
    Case(
        rule="misnamed-file",
        add={"hooli/keyset.yml": GLOBEX},
        place="hooli/keyset.yml:1:1",
        says="is not read by this name; rename it to `keyset.yaml`, or delete it",
    ),
    Case(
        rule="misnamed-file",
        add={"acme/Generated.yaml": "version: 1\n"},
        place="acme/Generated.yaml:1:1",
        says="is not read by this name; rename it to `generated.yaml`, or delete it",
    ),
    Case(
        rule="misplaced-policy",
        add={"acme/policy.yaml": POLICY},
        place="acme/policy.yaml:1:1",
        says="is not read in this place; move what it says to `keysets/policy.yaml`, and delete it",
    ),
    Case(
        rule="misnamed-file",
        add={"Waiver.yml": "version: 1\nwaivers: []\n"},
        place="Waiver.yml:1:1",
        says="is not read by this name; rename it to `waivers.yaml`, or delete it",
    ),
    Case(
        rule="misplaced-policy",
        add={"eu/waivers.yaml": "version: 1\nwaivers: []\n"},
        place="eu/waivers.yaml:1:1",
        says="is not read in this place; move what it says to `keysets/waivers.yaml`, and delete it",
    ),
    Case(
        rule="submodule",
        add={"acme/vendor": _repository},
        place="acme/vendor:1:1",
        says="is a repository of its own; put the files themselves here",
    ),
    Case(
        rule="symlink",
        add={"hooli/keyset.yaml": _link},
        place="hooli/keyset.yaml:1:1",
        says="is a symlink, and those are never followed; put what it points to in its place",
    ),
    Case(
        rule="symlink",
        remove=("waivers.yaml",),
        add={"./waivers.yaml": _link},
        place="waivers.yaml:1:1",
        says="is a symlink, and those are never followed; put what it points to in its place",
    ),
    Case(
        rule="file-too-large",
        edits=change("reason: the merger}", "reason: the merger} #" + "#" * 262_144, "waivers.yaml"),
        place="waivers.yaml:1:1",
        says="has more than 262,144 bytes; take out what is no key",
    ),
    Case(
        rule="file-too-large",
        add={"eu/globex/keyset.yaml": GLOBEX + "#" * 262_144},
        place="eu/globex/keyset.yaml:1:1",
        says="has more than 262,144 bytes; take out what is no key",
    ),
    Case(
        rule="too-many-files",
        add={f"acme/unused/{number}.pem": "" for number in range(61)},
        place="acme/keyset.yaml:1:1",
        says="stands in a folder of 65 files; keep at most 64 there",
    ),
    Case(
        rule="file-name",
        add={"acme/part\x1b[2Jner.pem": ""},
        place="acme/part\\x1b[2Jner.pem:1:1",
        says="has a name that is not read; rename it, in plain characters",
    ),
    Case(
        rule="not-a-file",
        remove=("eu/globex/keyset.yaml",),
        add={"eu/hooli/keyset.yaml": _pipe},
        place="eu/hooli/keyset.yaml:1:1",
        says="is no plain file; put a plain file in its place",
    ),
    Case(
        rule="not-a-file",
        add={"hooli/keyset.yaml/x": ""},
        place="hooli/keyset.yaml:1:1",
        says="is a folder; put a plain file in its place",
    ),
    Case(
        rule="not-a-file",
        remove=("waivers.yaml",),
        add={"waivers.yaml/x": ""},
        place="waivers.yaml:1:1",
        says="is a folder; put a plain file in its place",
    ),
    Case(
        rule="unreadable-file",
        add={_LONG: _too_long},
        place="/".join([_LONG] * _LEVELS) + ":1:1",
        says="is a folder that cannot be read; permit yourself to read it",
    ),
    Case(
        rule="policy-missing",
        remove=("policy.yaml",),
        place="policy.yaml:1:1",
        says="there is no policy.yaml; add one; `version: 1` takes every default",
    ),
)
