"""HEAD: the last complete release, and what it left to be done. The one object of the state that changes.

Values and their JSON; it moves by compare and swap, in `releaselog`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import orjson

from publisher.record import write_instant
from publisher.release import FORMAT, needed_instant, without_surrogates
from publisher.shard import damaged

HEAD_KEY: Final = "HEAD.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """A domain that a complete release could not bring to its document, and why."""

    tenant: str
    domain: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Purge:
    """A domain whose old copies must not be used, and are usable until `until`. `named`: a CDN was named to purge."""

    domain: str
    tenant: str
    until: datetime
    named: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The last complete release. `purges` are still to be done."""

    sequence: int
    digest: str
    completed_at: datetime
    conditions: Literal["held", "not-asked"]
    unfinished: tuple[Unfinished, ...] = ()
    quarantined: tuple[str, ...] = ()
    purges: tuple[Purge, ...] = ()


def encode_head(head: Head) -> bytes:
    """HEAD.json."""
    value = {
        "format": FORMAT,
        "sequence": head.sequence,
        "digest": head.digest,
        "completed_at": write_instant(head.completed_at),
        "conditions": head.conditions,
        "unfinished": [{"tenant": one.tenant, "domain": one.domain, "why": one.why} for one in head.unfinished],
        "quarantined": list(head.quarantined),
        "purges": [
            {"domain": one.domain, "tenant": one.tenant, "until": write_instant(one.until), "named": one.named}
            for one in head.purges
        ],
    }
    return orjson.dumps(without_surrogates(value), option=orjson.OPT_INDENT_2)


def decode_head(data: bytes) -> Head:
    """The value of HEAD.json. Raises Damaged."""
    try:
        value = orjson.loads(data)
        if value["format"] != FORMAT or value["sequence"] < 1:
            raise ValueError
        return Head(
            sequence=int(value["sequence"]),
            digest=str(value["digest"]),
            completed_at=needed_instant(value["completed_at"]),
            conditions="held" if value["conditions"] == "held" else "not-asked",
            unfinished=tuple(Unfinished(**one) for one in value["unfinished"]),
            quarantined=tuple(value["quarantined"]),
            purges=tuple(Purge(**{**one, "until": needed_instant(one["until"])}) for one in value["purges"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise damaged(HEAD_KEY) from None
