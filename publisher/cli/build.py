"""`build`."""

import os
import tempfile
from pathlib import Path

import click

from publisher import site
from publisher.cli.console import Console
from publisher.cli.load import load_sound
from publisher.cli.options import Asked, option, pass_console, source_options
from publisher.report import counted


@click.command(short_help="Write the documents to a folder.")
@source_options
@option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="The folder to write to.")
@option("--index", is_flag=True, help="Write DIR/index.html too: an overview for people.")
@pass_console
def build(console: Console, asked: Asked, out: Path, index: bool) -> None:
    """Write DIR/<domain>/.well-known/jwks.json, byte for byte what is served at --now.

    Files of other domains that are there already are left alone.
    """
    source = asked.revision(console)
    _, wanted = load_sound(console, source, asked)
    documents = [one for one in wanted if one.keys]
    for one in documents:
        _write(out / one.domain / ".well-known" / "jwks.json", one.body)
    if index:
        _write(out / "index.html", site.index(documents, source.label, asked.now).encode())
    console.say(f"{counted(len(documents), 'document')} from {source.label} in {out}")


def _write(path: Path, body: bytes) -> None:
    """Whole or not at all: a reader never sees half a document."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".jwks-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(body)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
