"""What makes a finding the same finding in the next run: the tenant, what in its files it is about, and the rule.

Lines, columns and positions in lists play no part, so that a finding keeps its fingerprint while the file around it is
edited, and while its words are improved. Where a mistake is about no field, as in a file that is no YAML, its message
stands in. Equal ones are told apart by their order.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator

from publisher.diagnostic import Diagnostic


def fingerprints(diagnostics: Iterable[Diagnostic]) -> Iterator[str]:
    """For each its fingerprint of 32 hexadecimal digits, no two alike. Give them sorted by place."""
    seen: Counter[str] = Counter()
    for one in diagnostics:
        name = _digest(_identity(one))
        seen[name] += 1
        yield name if seen[name] == 1 else _digest((name, str(seen[name])))


def _identity(one: Diagnostic) -> tuple[str, ...]:
    folder, _, file = one.path.rpartition("/")
    tenant = folder.rpartition("/")[2]
    return (tenant, file, one.rule, *(one.subject or (one.message,)))


def _digest(parts: tuple[str, ...]) -> str:
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:32]
