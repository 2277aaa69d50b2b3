"""An S3 server that takes conditional writes and ignores them: `rclone serve s3`, as `make test-stores` installs it."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from program import environment, installed
from s3server import S3Server

PROGRAM = Path(sys.executable).with_name("rclone")
_LISTENS = re.compile(r"Starting s3 server on \[(http://127\.0\.0\.1:\d+)/\]")


@pytest.fixture
def rclone(tmp_path: Path) -> Iterator[S3Server]:
    """The server, over an empty folder."""
    folder = tmp_path / "rclone"
    folder.mkdir()
    process = subprocess.Popen(
        [installed(PROGRAM), "serve", "s3", "--addr", "127.0.0.1:0", "--auth-key", "testing,testing", folder],
        env=environment(RCLONE_CONFIG=os.devnull, RCLONE_CACHE_DIR=str(tmp_path / "cache")),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        listens = next((found for line in process.stderr if (found := _LISTENS.search(line))), None)
        assert listens is not None, "rclone did not start"
        yield S3Server(endpoint_url=listens[1])
    finally:
        process.terminate()
        process.wait(20)
        process.stderr.close()
