"""`init`."""

import importlib.metadata
import json
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path

import click

from publisher import __version__
from publisher.cli.console import Console
from publisher.cli.options import option, pass_console
from publisher.cli.schema import all_schemas
from publisher.diagnostic import clean
from publisher.git import toplevel
from publisher.gitprogram import Git
from publisher.report import counted
from publisher.scaffold import Start, scaffold


@click.command(short_help="Make a new repository of key sets.")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@option("--tenant", default="example", show_default=True, help="The example tenant.")
@option("--domain", help="Its domain.  [default: login.TENANT.example]")
@option("--store", metavar="URL", help="Where workflows publish.  [default: what the variable JWKS_STORE names there]")
@option(
    "--install",
    "requirement",
    metavar="SPEC",
    help="What pip installs in workflows and hooks.  [default: what this program was installed from, or its version]",
)
@pass_console
def init(
    console: Console, directory: Path, tenant: str, domain: str | None, store: str | None, requirement: str | None
) -> None:
    """Make DIR a repository of key sets: policy, example tenant, hooks, workflows that check, publish and audit.

    For GitHub and GitLab, with a Kubernetes CronJob and systemd timers. No file is ever overwritten: where one exists
    already, none is written. Nothing is committed.
    """
    top = _top(directory)
    wanted = requirement or _installed()
    start = Start(
        tenant=tenant,
        domain=domain or f"login.{tenant}.example",
        store=store,
        requirement=wanted or f"jwks-publisher=={__version__}",
    )
    try:
        files = scaffold(start, all_schemas())
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    in_the_way = [path for path in files if _in_the_way(directory, path)]
    if in_the_way:
        for path in in_the_way:
            console.finding(f"{clean(str(directory / path))}: is there already")
        console.error("nothing was written: init overwrites no file")
        raise click.exceptions.Exit(1)
    _write(directory, files)
    if top is None and shutil.which("git") is not None:
        Git(directory=directory).tell("init", "--quiet", "--initial-branch=main")
    _tell(console, directory, len(files), store)
    if wanted is None:
        console.note(
            f"workflows and hooks install jwks-publisher=={__version__} from your package index: see that it is yours "
            "there, as else anybody may offer a program of this name; or give --install"
        )


def _installed() -> str | None:
    """How pip installed this program, for others: by the address that it came from (PEP 610). None: from an index.

    Also None for a folder or file of this machine, which others do not have.
    """
    text = importlib.metadata.distribution("jwks-publisher").read_text("direct_url.json")
    told = {} if text is None else json.loads(text)
    url = str(told.get("url", ""))
    if not url.startswith(("https://", "ssh://", "git://")):
        return None
    if "vcs_info" in told:
        vcs = told["vcs_info"]
        return f"jwks-publisher @ {vcs['vcs']}+{url}@{vcs['commit_id']}"
    return f"jwks-publisher @ {url}"


def _top(directory: Path) -> Path | None:
    """The repository that DIR is the top of; None where it is in none. A usage error inside of one: workflows and hooks
    count at a repository's top alone.
    """
    here = directory.resolve()
    there = next(one for one in (here, *here.parents) if one.is_dir())
    top = toplevel(there)
    if top is not None and top.resolve() != here:
        raise click.UsageError(
            f"DIR is inside of the Git repository {clean(str(top))}; name its top, or another folder"
        )
    return top


def _in_the_way(directory: Path, path: str) -> bool:
    """Whether the file is there, or something that is no folder is where it needs one."""
    file = directory / path
    above = [one for one in file.parents if one != directory and directory in one.parents]
    return file.exists() or file.is_symlink() or any(one.is_symlink() or one.is_file() for one in above)


def _write(directory: Path, files: Mapping[str, bytes]) -> None:
    """All files, or none of them where one cannot be written."""
    written: list[Path] = []
    try:
        for path, data in files.items():
            file = directory / path
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("xb") as opened:
                written.append(file)
                opened.write(data)
    except BaseException:
        for file in written:
            file.unlink(missing_ok=True)
        raise


def _tell(console: Console, directory: Path, count: int, store: str | None) -> None:
    """What was made, and the commands to run next."""
    console.say(f"{clean(str(directory))}: {counted(count, 'file')} for a repository of key sets. Next:")
    if directory.resolve() != Path.cwd():
        console.say(f"    cd {clean(shlex.quote(str(directory)))}")
    console.say("    jwks-publisher check")
    console.say('    git add --all && git commit --message "Start the key sets"')
    console.say(f"    jwks-publisher publish --store {store or 'file:///tmp/jwks'}    # the first one, by hand")
    console.note("README.md there says what to set on GitHub or GitLab, and who reviews what (CODEOWNERS)")
