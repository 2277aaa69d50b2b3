"""Pages for people, from the templates in `site/`. Every value is escaped for HTML, and a missing one is an error."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from publisher.rules.domains import unicode_name
from publisher.rules.windows import instant
from publisher.wanted import Wanted

_INSTALLED: Final = Path(__file__).parent / "site"
_CHECKOUT: Final = Path(__file__).parent.parent / "site"


def index(wanted: Iterable[Wanted], source: str, now: datetime) -> str:
    """The overview of all documents: domains, keys, phases and thumbprints, with links to the documents beside it."""
    templates = _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT  # a wheel carries them inside of the package
    environment = Environment(
        loader=FileSystemLoader(templates), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
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
    return environment.get_template("index.html.j2").render(source=source, as_of=instant(now), domains=domains)
