"""What `init` lets workflows install: this program, as it was installed itself."""

import importlib.metadata
import json
from pathlib import Path

import pytest
from generated.running import run

from publisher import __version__

COMMIT = "0123456789abcdef0123456789abcdef01234567"
INDEX = f"jwks-publisher=={__version__}"


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        (None, INDEX),
        ({"url": "file:///home/me/jwks-publisher", "dir_info": {"editable": True}}, INDEX),
        (
            {"url": "https://git.example/jwks.git", "vcs_info": {"vcs": "git", "commit_id": COMMIT}},
            f"jwks-publisher @ git+https://git.example/jwks.git@{COMMIT}",
        ),
        ({"url": "https://dl.example/x-1.whl", "archive_info": {}}, "jwks-publisher @ https://dl.example/x-1.whl"),
    ],
)
def test_it_is_what_this_program_came_from(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, told: object, wanted: str
) -> None:
    class Installed:
        def read_text(self, name: str) -> str | None:
            return None if told is None or name != "direct_url.json" else json.dumps(told)

    monkeypatch.setattr(importlib.metadata, "distribution", lambda name: Installed())
    ran = run("init", str(tmp_path / "keys"))
    assert ran.code == 0
    assert wanted in (tmp_path / "keys/requirements.txt").read_text().splitlines()
    assert ("see that it is yours" in ran.err) == (wanted == INDEX)
    given = run("init", str(tmp_path / "other"), "--install", "jwks-publisher==9.9")
    assert "jwks-publisher==9.9" in (tmp_path / "other/requirements.txt").read_text().splitlines()
    assert "see that it is yours" not in given.err
