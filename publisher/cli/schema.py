"""`schema`."""

from typing import Any

import click

from publisher.cli.console import Console
from publisher.cli.options import pass_console
from publisher.policyfile import POLICY
from publisher.schema import schema as schema_of
from publisher.shapes import GENERATED, KEYSET, WAIVERS

_FILES = {
    "keyset": (KEYSET, "keyset.yaml: a tenant's domains and own keys"),
    "generated": (GENERATED, "generated.yaml: the platform's keys for a tenant"),
    "policy": (POLICY, "policy.yaml: what the platform allows, and its times"),
    "waivers": (WAIVERS, "waivers.yaml: hazards that the platform accepts, by name and until when"),
}


@click.command(short_help="Print a file's JSON Schema, for editors.")
@click.argument("file", type=click.Choice(list(_FILES)))
@pass_console
def schema(console: Console, file: str) -> None:
    """Print the JSON Schema (draft-07) of keyset.yaml, generated.yaml, policy.yaml or waivers.yaml.

    A first line `# yaml-language-server: $schema=PATH` names it to yaml-language-server. It refuses nothing that
    `check` takes; `check` refuses more.
    """
    shape, title = _FILES[file]
    console.data(schema_of(shape, title))


def all_schemas() -> dict[str, dict[str, Any]]:
    """The schemas of all files, by name."""
    return {name: schema_of(shape, title) for name, (shape, title) in _FILES.items()}
