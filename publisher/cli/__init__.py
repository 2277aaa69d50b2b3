"""The command line: builds the edges, calls one function of the layers below, prints, and chooses the exit code.

Exit codes: 0 fine, 1 findings, 2 usage, 3 failure, 130 interrupted.
"""

import contextlib
import importlib
import itertools
import os
import signal
import sys
import traceback
from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import NoReturn

import click

from publisher import __version__
from publisher.cdn import CdnError
from publisher.cli.console import Console
from publisher.cli.options import option
from publisher.seal import SealError
from publisher.shard import Damaged
from publisher.source import SourceError
from publisher.store import StoreError
from publisher.vault import VaultError

FINDINGS, USAGE, FAILURE, INTERRUPTED, TERMINATED = 1, 2, 3, 130, 143

# In the order of use. Each is imported when it is called: the AWS libraries alone take longer than most commands.
_COMMANDS = {
    "init": "init",
    "check": "check",
    "diff": "diff",
    "review": "review",
    "comment": "comment",
    "explain": "explain",
    "schema": "schema",
    "show": "show",
    "custom": "custom",
    "generated": "generated",
    "build": "build",
    "plan": "publish",
    "publish": "publish",
    "revoke": "revoke",
    "rollback": "rollback",
    "releases": "releases",
    "history": "history",
    "verify": "verify",
    "audit": "audit",
    "repair": "repair",
    "adopt": "adopt",
    "gc": "gc",
    "serve": "serve",
    "cdn-config": "cdn_config",
}


class _Commands(click.Group):
    """The commands, imported one by one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"publisher.cli.{_COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@option("--quiet", "-q", is_flag=True, help="Say nothing but errors, findings and JSON.")
@option("--log-format", type=click.Choice(["text", "json"]), default="text", help="Format of notes and errors.")
@click.version_option(__version__, prog_name="jwks-publisher")
@click.pass_context
def cli(ctx: click.Context, quiet: bool, log_format: str) -> None:
    """Publish jwks.json files for many tenants from reviewed key-set YAML in Git.

    Exit codes: 0 fine, 1 findings, 2 usage, 3 failure, 130 interrupted.
    """
    console: Console = ctx.obj
    console.quiet, console.json_log = quiet, log_format == "json"


def main() -> NoReturn:
    """Run the command line: the one place where exceptions end."""
    _prepare_streams()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    console = Console(json_log="json" in _log_format(sys.argv[1:]))
    code = _run(console)
    if console.deaf and code in (0, FINDINGS):
        console.error("standard output was closed before the end; the command was carried out")
        code = FAILURE
    _exit(code)


def _run(console: Console) -> int:
    try:
        code = cli.main(standalone_mode=False, prog_name="jwks-publisher", obj=console)
    except SystemExit as error:
        code = error.code
    except click.ClickException as error:
        return _usage(console, error)
    except (KeyboardInterrupt, click.Abort):
        console.error("interrupted")
        return INTERRUPTED
    except SourceError as error:
        console.error(str(error))
        return USAGE if error.usage else FAILURE
    except (StoreError, CdnError, SealError, VaultError, Damaged) as error:
        console.error(str(error))
        return FAILURE
    except BrokenExecutor:
        console.error("a worker process was killed, by lack of memory perhaps; try again with --jobs 1")
        return FAILURE
    except OSError as error:
        place = f": {error.filename}" if error.filename else f" (in {_places(error)})"
        console.error(f"{error.strerror or type(error).__name__}{place}")
        return FAILURE
    except Exception as error:
        console.error(_bug(error))
        return FAILURE
    return code if isinstance(code, int) else 0


def _prepare_streams() -> None:
    """Closed standard streams are as good as /dev/null; what a stream cannot encode is shown as an escape."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 - open to the end
        elif mode == "w":
            stream.reconfigure(errors="backslashreplace")


def _exit(code: int) -> NoReturn:
    """End the process. obstore's threads may want the interpreter while it shuts down, which aborts it (SIGABRT)."""
    if "obstore" not in sys.modules:
        sys.exit(code)
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _usage(console: Console, error: click.ClickException) -> int:
    if console.json_log:
        console.error(error.format_message())
    else:
        error.show()
    return USAGE


def _log_format(arguments: list[str]) -> list[str]:
    """Where the log's format is named before the command line has been read: usage errors come in it too."""
    named = [text.partition("=")[2] for text in arguments if text.startswith("--log-format=")]
    pairs = itertools.pairwise(arguments)
    named += [value for name, value in pairs if name == "--log-format"]
    return named or [os.environ.get("JWKS_PUBLISHER_LOG_FORMAT", "")]


def _bug(error: Exception) -> str:
    """An internal error by its type and place. Its message and values may be key material, so they stay out."""
    return f"internal error ({type(error).__name__} in {_places(error)}); please report it"


def _places(error: Exception) -> str:
    """The innermost calls that an exception came through."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return " < ".join(f"{Path(one.filename).name}:{one.lineno} {one.name}" for one in reversed(frames))
