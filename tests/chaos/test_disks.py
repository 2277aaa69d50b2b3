"""A folder that is full or read-only: one clear line, nothing torn, and all is well once there is room."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from program import Ran, command, environment

from .world import Chain, Place, check_clear, check_serves, check_whole, folder, served

pytestmark = pytest.mark.chaos


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    path = tmp_path / "disk"
    path.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", path], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.decode().strip()}")
    yield path
    subprocess.run(["umount", path], check=True)


@pytest.mark.parametrize("limit", [100, 200, 500, 700])
def test_files_that_may_not_be_as_large(short_chain: Chain, tmp_path: Path, limit: int) -> None:
    """The limit is the process's own, so that no special rights are needed. 100 bytes hold no object; 700, all but
    RSA keys."""
    target = folder(tmp_path / "store")
    _published(target, short_chain, 0)
    before = served(target.live())
    ran = _limited(target, short_chain, 1, limit)
    check_clear(ran)
    assert (ran.code, _said(ran, "larger than this process may write")) == (3, 1), ran
    if limit == 100:
        assert served(target.live()) == before
    _whole_and_then_converges(target, short_chain)


@pytest.mark.parametrize("pages", [0, 1, 2, 3, 4, 6, 8, 12])
def test_a_full_disk(short_chain: Chain, small_disk: Path, pages: int) -> None:
    target = folder(small_disk / "store")
    _published(target, short_chain, 0)
    before = served(target.live())
    ballast = small_disk / "ballast"
    _fill(ballast, small_disk, pages)
    ran = target.publish(short_chain, 1)
    if pages == 0:
        assert (ran.code, _said(ran, "no space is left on the device; make room")) == (3, 1), ran
        assert served(target.live()) == before
    elif ran.code != 0:
        check_clear(ran)
        assert (ran.code, _said(ran, "no space is left on the device; make room")) == (3, 1), ran
    ballast.unlink()
    _whole_and_then_converges(target, short_chain)


def test_a_full_disk_before_the_first_publish(short_chain: Chain, small_disk: Path) -> None:
    target = folder(small_disk / "store")
    ballast = small_disk / "ballast"
    _fill(ballast, small_disk, 0)
    ran = target.publish(short_chain, 0)
    assert (ran.code, _said(ran, "no space is left on the device; make room")) == (3, 1), ran
    ballast.unlink()
    _published(target, short_chain, 0)


def test_a_file_system_that_is_read_only(short_chain: Chain, small_disk: Path) -> None:
    target = folder(small_disk / "store")
    _published(target, short_chain, 0)
    before = served(target.live())
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    ran = target.publish(short_chain, 1)
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    check_clear(ran)
    assert ran.code == 3, ran
    assert _said(ran, "read-only") == 1, ran
    assert served(target.live()) == before
    _published(target, short_chain, 1)


def test_a_folder_without_the_right_to_write(short_chain: Chain, tmp_path: Path) -> None:
    target = folder(tmp_path / "store")
    _published(target, short_chain, 0)
    before = served(target.live())
    inside = [tmp_path / "store", *(path for path in (tmp_path / "store").rglob("*") if path.is_dir())]
    files = [path for path in (tmp_path / "store").rglob("*") if path.is_file()]
    for path in (*files, *inside):
        path.chmod(0o555 if path.is_dir() else 0o444)
    ran = _powerless(target, short_chain, 1)
    for path in (*inside, *files):
        path.chmod(0o755 if path.is_dir() else 0o644)
    check_clear(ran)
    assert (ran.code, _said(ran, "permission denied")) == (3, 1), ran
    assert served(target.live()) == before
    _published(target, short_chain, 1)


def _said(ran: Ran, text: str) -> int:
    """How many lines say this."""
    return sum(text in line for line in (ran.out + ran.err).splitlines())


def _published(target: Place, chain: Chain, number: int) -> None:
    ran = target.publish(chain, number)
    assert ran.code == 0, ran
    check_serves(target.live(), chain.commits[number].documents)


def _whole_and_then_converges(target: Place, chain: Chain) -> None:
    check_whole(target.live(), chain.commits[0].documents, chain.commits[1].documents)
    _published(target, chain, 1)


def _fill(ballast: Path, disk: Path, pages: int) -> None:
    """Fill a disk but for a few pages."""
    state = os.statvfs(disk)
    ballast.write_bytes(bytes((state.f_bavail - pages) * state.f_frsize))


def _limited(target: Place, chain: Chain, number: int, limit: int) -> Ran:
    """Publish in a process that may write no file beyond a limit."""
    return _run(_prlimit(limit), target, chain, number)


def _powerless(target: Place, chain: Chain, number: int) -> Ran:
    """Publish in a process that permissions bind, also where root runs the tests."""
    if os.geteuid() != 0:
        return target.publish(chain, number)
    if shutil.which("setpriv") is None:
        pytest.skip("root needs setpriv (util-linux) to be bound by permissions")
    return _run(["setpriv", "--bounding-set=-dac_override,-dac_read_search"], target, chain, number)


def _prlimit(limit: int) -> list[str]:
    if shutil.which("prlimit") is None:
        pytest.skip("prlimit (util-linux) is needed")
    return ["prlimit", f"--fsize={limit}"]


def _run(wrapper: list[str], target: Place, chain: Chain, number: int) -> Ran:
    arguments = ("publish", "--store", target.url, "--rev", chain.commits[number].id)
    done = subprocess.run(
        [*wrapper, *command(*arguments)],
        cwd=chain.repo.path,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )
    return Ran(code=done.returncode, out=done.stdout.decode(), err=done.stderr.decode())
