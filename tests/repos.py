"""Real Git repositories for tests, made by the git program."""

import os
import subprocess
from pathlib import Path

ISOLATED = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ann",
    "GIT_AUTHOR_EMAIL": "ann@acme.example",
    "GIT_AUTHOR_DATE": "2026-01-02T03:04:05Z",
    "GIT_COMMITTER_NAME": "Carl",
    "GIT_COMMITTER_EMAIL": "carl@acme.example",
    "GIT_COMMITTER_DATE": "2026-02-03T04:05:06Z",
}
"""The settings of whoever runs the tests do not count."""


class Repo:
    """A repository in `path`, made with `git init` and the options given, unless there is one already."""

    def __init__(self, path: Path, *options: str) -> None:
        self.path = path
        if not (path / ".git").exists() and not (path / "HEAD").exists():
            path.mkdir(parents=True, exist_ok=True)
            self.git("init", "--quiet", "--initial-branch=main", *options)

    def git(self, *arguments: str, given: bytes | None = None, env: dict[str, str] | None = None) -> str:
        """Run git in it, with `given` as its input; what it prints, without the last line's end."""
        done = subprocess.run(
            ["git", "-C", str(self.path), *arguments],
            input=given if given is not None else b"",
            capture_output=True,
            check=False,
            env={**os.environ, **ISOLATED, **(env or {})},
        )
        assert done.returncode == 0, done.stderr.decode("utf-8", "replace")
        return os.fsdecode(done.stdout).removesuffix("\n")

    def write(self, path: str | bytes, data: str | bytes = "") -> Path:
        """Write a file of the working tree, with the folders it needs."""
        file = self.path / os.fsdecode(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data.encode() if isinstance(data, str) else data)
        return file

    def link(self, path: str, target: str) -> Path:
        """Make a symlink in the working tree."""
        file = self.path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.symlink_to(target)
        return file

    def commit(self, message: str = "Change key sets") -> str:
        """Commit all of the working tree, even if nothing changed; the commit's id."""
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def clone(self, path: Path, *options: str) -> "Repo":
        """Clone it as a remote one is cloned, not by links to its files."""
        self.git("clone", "--quiet", *options, self.path.absolute().as_uri(), str(path))
        return Repo(path)
