"""What a review holds against a change as a whole: against its commits, or against what it does to other tenants.

Mistakes in files are `diagnostic.Finding`; an objection has no place in a file. All rules by id are in `objections`.
"""

from dataclasses import dataclass

from publisher.diagnostic import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """A broken rule. `about` is a commit's id, a path, a domain or a tenant, as it stands; message and hint are lines.

    `message` and `hint` are fit for terminals, `about` is to be escaped for where it is shown.
    """

    rule: Rule
    about: str
    message: str
    hint: str
