"""Running the `git` program (2.34 or newer): its environment, its children's lives, its errors in plain words.

What is asked of it, and what the answers mean, is in `git`.
"""

import os
import re
import resource
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import IO, Final, cast

from publisher.diagnostic import clean, ticked
from publisher.source import SourceError

# What `git rev-parse --local-env-vars` names, set by hooks for their own repository, without what is the user's own
# (GIT_CONFIG_COUNT and GIT_CONFIG_PARAMETERS, as `git -c` sets them); and what changes the meaning of paths.
_OTHER_REPOSITORY: Final = frozenset(
    {
        "GIT_COMMON_DIR",
        "GIT_CONFIG",
        "GIT_DIR",
        "GIT_GLOB_PATHSPECS",
        "GIT_GRAFT_FILE",
        "GIT_ICASE_PATHSPECS",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_LITERAL_PATHSPECS",
        "GIT_NAMESPACE",
        "GIT_NOGLOB_PATHSPECS",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_PREFIX",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    }
)
# Set for pre-receive hooks, where the pushed objects are in a quarantine (git-receive-pack(1)): there they are needed.
_OBJECTS: Final = frozenset({"GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"})
_SETTINGS: Final = {
    "GIT_GRAFT_FILE": f"{os.devnull}/none",  # a file that is there makes git warn of grafts
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_UNTRUSTED = re.compile(r"(?:dubious ownership in repository at |unsafe repository \()'(.*?)'")
_FULL = re.compile(r"out of memory|cannot allocate memory", re.IGNORECASE)
_NESTED: Final = "folders may be nested so that they name each other over and over; look at what the commits add"
_LOST = re.compile(
    r"promisor|could not fetch|not a valid object|not a tree object|bad object|unable to read|could not read [0-9a-f]|"
    r"corrupt|inflate|missing|bad tree|too-short tree|malformed",
    re.IGNORECASE,
)

MEMORY: Final = 1 << 30
"""Bytes for what compares or merges trees, which git makes whole before it tells it: a million paths take 0.3 GB. A
stranger's commit of a few kilobytes can name trees in each other so that their paths would never end."""
FRUGAL: Final = ("-c", "core.packedGitWindowSize=32m", "-c", "core.packedGitLimit=256m")
"""Options of git with which packs count for little of that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a finished git said."""

    code: int
    out: bytes
    errors: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Git:
    """The program, run in `directory`. Every method raises `SourceError` when it cannot be run."""

    directory: Path
    variables: Mapping[str, str] | None = None
    """Its whole environment, where it is to see nothing of the caller's."""

    def ask(self, *arguments: str, memory: int | None = None) -> Answer:
        """Run to the end, whatever the exit code. `memory` as for `started`."""
        with self.started(*arguments, memory=memory) as running:
            out = running.out.read()
            return Answer(code=running.wait(), out=out, errors=running.errors())

    def tell(self, *arguments: str) -> bytes:
        """Run to the end; SourceError when git fails."""
        answer = self.ask(*arguments)
        if answer.code != 0:
            raise self.failure(answer.errors)
        return answer.out

    @contextmanager
    def started(self, *arguments: str, asked: bool = False, memory: int | None = None) -> Iterator["Running"]:
        """A running git, dead and reaped in the end; with `asked` it can be written to.

        `memory`: bytes that it may take, where the system can tell it so (Linux).
        """
        with tempfile.TemporaryFile() as errors:  # a pipe could fill and block git
            try:
                process = subprocess.Popen(
                    ["git", "-C", str(self.directory), *arguments],
                    stdin=subprocess.PIPE if asked else subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    bufsize=1 << 16,
                    env=_environment(os.environ) if self.variables is None else {**self.variables, **_SETTINGS},
                )
            except (FileNotFoundError, PermissionError) as error:
                message = "the git program cannot be run: install git (2.34 or newer), `apt-get install git` say"
                raise SourceError(message, usage=False) from error
            if memory is not None:
                with suppress(AttributeError, OSError, ValueError):
                    resource.prlimit(process.pid, resource.RLIMIT_AS, (memory, memory))
            running = Running(git=self, process=process, log=errors)
            try:
                yield running
            finally:
                process.kill()
                running.wait()

    def is_full(self, errors: bytes) -> bool:
        """Whether git's error output says that it had too little memory."""
        return _FULL.search(errors.decode("utf-8", "replace")) is not None

    def failure(self, errors: bytes) -> SourceError:
        """What git's error output means, and what to do."""
        text, here = errors.decode("utf-8", "replace"), ticked(str(self.directory))
        if untrusted := _UNTRUSTED.search(text):
            path = clean(shlex.quote(untrusted[1]))
            message = f"git does not trust {path}, which belongs to somebody else"
            return SourceError(
                f"{message}: if you do, run `git config --global --add safe.directory {path}`", usage=False
            )
        if "not a git repository" in text:
            return SourceError(f"{here} is in no Git repository: run this in a clone", usage=True)
        if "cannot change to" in text:
            return SourceError(f"there is no folder {here}", usage=True)
        if "must be run in a work tree" in text:
            return SourceError(f"{here} is in a bare repository: say which revision to read with --rev", usage=True)
        if _FULL.search(text):
            return SourceError(f"git has too little memory ({_first_line(text)}): {_NESTED}", usage=False)
        if _LOST.search(text):
            return self.lost(text)
        return SourceError(f"git failed: {_first_line(text)}", usage=False)

    def lost(self, text: str) -> SourceError:
        """An object that should be there is not, or is damaged; `text` is git's word on it."""
        told = _first_line(text)
        if self.ask("config", "--get-regexp", r"^remote\..*\.promisor$").code == 0:
            hint = "run this where its remote can be reached, or make it whole with `git fetch --refetch --no-filter`"
            return SourceError(f"this clone is partial and lacks an object ({told}): {hint}", usage=False)
        hint = "look into it with `git fsck`, and clone again"
        return SourceError(f"the repository is damaged ({told}): {hint}", usage=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A git that runs."""

    git: Git
    process: subprocess.Popen[bytes]
    log: IO[bytes]

    @property
    def out(self) -> BufferedReader:
        """What it prints."""
        return cast("BufferedReader", self.process.stdout)  # of a pipe with a buffer, as `started` opens it

    def write(self, data: bytes) -> None:
        """Send it `data`, at once. More than a pipe holds while it waits to be read would block for ever."""
        assert self.process.stdin is not None  # noqa: S101 - for the type alone
        try:
            self.process.stdin.write(data)
            self.process.stdin.flush()
        except BrokenPipeError:
            raise self.failure() from None

    def written(self) -> None:
        """Nothing more is sent."""
        with suppress(BrokenPipeError):
            if self.process.stdin is not None:
                self.process.stdin.close()

    def finish(self) -> None:
        """Let it end, after all that it prints was read; SourceError when it fails."""
        if self.wait() != 0:
            raise self.failure()

    def failure(self) -> SourceError:
        """Why it ended too early.

        Killed, as the end of its input need not reach it: a worker that was forked meanwhile holds that pipe as well.
        """
        self.process.kill()
        self.wait()
        return self.git.failure(self.errors())

    def errors(self) -> bytes:
        """The beginning of what it printed as errors."""
        self.log.seek(0)
        return self.log.read(1 << 16)

    def wait(self) -> int:
        """Close its pipes and wait for it. Its exit code; KeyboardInterrupt where Ctrl-C reached it first."""
        with suppress(BrokenPipeError):
            if self.process.stdin is not None:
                self.process.stdin.close()
        self.out.close()
        code = self.process.wait()
        if code == -signal.SIGINT:
            raise KeyboardInterrupt
        return code


def _environment(outer: Mapping[str, str]) -> dict[str, str]:
    dropped = _OTHER_REPOSITORY if "GIT_QUARANTINE_PATH" in outer else _OTHER_REPOSITORY | _OBJECTS
    return {name: value for name, value in outer.items() if name not in dropped} | _SETTINGS


def _first_line(text: str) -> str:
    """The line of git's output that says most."""
    lines = text.strip().splitlines() or ["no reason given"]
    said = next((line for line in lines if line.startswith("fatal: ")), lines[0])
    return clean(said.removeprefix("fatal: ").removeprefix("error: "))
