"""`serve`."""

import os

import click

from publisher.cli.console import Console
from publisher.cli.options import Place, option, pass_console, run, store_options
from publisher.serve import serve as serve_store


@click.command(short_help="Serve a store as a CDN edge would.")
@store_options
@option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="The port; 0 takes a free one.")
@pass_console
def serve(console: Console, place: Place, host: str, port: int) -> None:
    """Serve a store's live documents by Host header, as a CDN edge would. To look at, not for the internet."""
    target = place.open()
    try:
        run(serve_store(target, host, port, started=lambda url: console.note(f"serving {target.url} on {url}")))
    except OSError as error:
        reason = os.strerror(error.errno).lower() if error.errno else "it cannot be used"
        console.error(f"{host}, port {port}: {reason}; give another with --host or --port (0 takes a free one)")
        raise click.exceptions.Exit(3) from None
