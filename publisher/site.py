"""Pages for people and other texts, from the templates in `site/`. A value that is missing is an error.

Every value is escaped for HTML in templates named `*.html.j2`, and in no other: there, judge what you put in.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape

from publisher.rules.domains import unicode_name
from publisher.rules.windows import instant
from publisher.wanted import Wanted

_INSTALLED: Final = Path(__file__).parent / "site"
_CHECKOUT: Final = Path(__file__).parent.parent / "site"


def index(wanted: Iterable[Wanted], source: str, now: datetime) -> str:
    """The overview of all documents: domains, keys, phases and thumbprints, with links to the documents beside it."""
    domains = [
        {
            "name": one.domain,
            "unicode": unicode_name(one.domain),
            "tenant": one.tenant,
            "sha256": one.digest,
            "held": one.keys,
            "next_change": None if one.next_change is None else instant(one.next_change),
        }
        for one in sorted(wanted, key=lambda one: one.domain)
    ]
    return template("index.html.j2").render(source=source, as_of=instant(now), domains=domains)


@cache
def template(name: str) -> Template:
    """The template of that name."""
    return _environment().get_template(name)


def foreign_template(name: str) -> Template:
    """The same for texts in which braces mean something: its marks are `[[ ]]`, `[% %]` and `[# #]`."""
    environment = _environment().overlay(
        variable_start_string="[[",
        variable_end_string="]]",
        block_start_string="[%",
        block_end_string="%]",
        comment_start_string="[#",
        comment_end_string="#]",
    )
    return environment.get_template(name)


def _environment() -> Environment:
    templates = _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT  # a wheel carries them inside of the package
    return Environment(
        loader=FileSystemLoader(templates),
        autoescape=select_autoescape(("html.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
