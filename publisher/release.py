"""A release: what a publish set out to make live, in an object that is created once.

Values and their JSON. Reading them from a store and writing them there is in `releaselog`.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeAlias, get_args

import orjson

from publisher.record import KeyRecord, key_from, key_json, read_instant, write_instant
from publisher.shard import Summary, damaged

FORMAT: Final = 1
RELEASES: Final = "releases/"
_DIGITS: Final = 10

Kind: TypeAlias = Literal["publish", "rollback", "adopt", "repair", "revoke"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """The commit of a release. `author` and `subject` are as people wrote them: to be escaped for where they show."""

    id: str
    time: datetime
    author: str
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Previous:
    """The release before this one, by the SHA-256 of its object's bytes: a link of the chain."""

    sequence: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The complete release that this one was planned from, and when that one was completed."""

    sequence: int
    completed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How long copies of documents may be used after they were fetched: max-age and the longer of the stale times.

    `until` is None while a release with these terms is live; afterwards it says when its last copy is unusable.
    """

    lifetime: timedelta
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldNote:
    """Tenants that a rollback holds: how many, the first of them, at which release, why, and until when.

    `hurts` is the first instant at which what is held back will be missed, as far as that is known.
    """

    release: int
    reason: str
    until: datetime | None
    tenants: int
    names: tuple[str, ...]
    hurts: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Documents that a release set out to write, by what it did to them, and what it left alone.

    `kept_back`: tenants that stay, wholly or in part, at what they serve.
    """

    new: int = 0
    changed: int = 0
    withdrawn: int = 0
    blocked: int = 0
    kept_back: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What a publish set out to make live. `policy` is the SHA-256 of policy.yaml, `as_of` what was compiled for."""

    sequence: int
    kind: Kind
    program: str
    commit: Released
    root: str
    tree: str
    policy: str
    as_of: datetime
    previous: Previous | None
    base: Base | None
    cache: str
    terms: tuple[Terms, ...]
    shards: Mapping[int, Summary]
    counts: Counts
    holds: tuple[HoldNote, ...] = ()
    reason: str = ""
    struck: tuple[tuple[str, KeyRecord], ...] = ()
    """Keys that this release revoked by the store alone, by tenant: `repair` has it from nowhere else."""

    @property
    def next_change(self) -> datetime | None:
        """When a document next changes by time alone."""
        return min((one.next_change for one in self.shards.values() if one.next_change is not None), default=None)


def release_key(sequence: int) -> str:
    """The object of a release."""
    return f"{RELEASES}{sequence:0{_DIGITS}}.json"


def sequence_of(key: str) -> int | None:
    """The release that an object is, or None where it is none."""
    digits = key.removeprefix(RELEASES).removesuffix(".json")
    known = len(digits) == _DIGITS and digits.isdecimal() and digits.isascii()
    return int(digits) if known and release_key(int(digits)) == key else None


def digest(data: bytes) -> str:
    """SHA-256 in lower-case hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def encode_release(release: Release) -> bytes:
    """The release's JSON, as it is signed or stored."""
    commit, base, previous = release.commit, release.base, release.previous
    value: dict[str, Any] = {
        "format": FORMAT,
        "sequence": release.sequence,
        "kind": release.kind,
        "reason": release.reason,
        "program": release.program,
        "commit": {
            "id": commit.id,
            "time": write_instant(commit.time),
            "author": commit.author,
            "subject": commit.subject,
        },
        "root": release.root,
        "tree": release.tree,
        "policy": release.policy,
        "as_of": write_instant(release.as_of),
        "previous": None if previous is None else {"sequence": previous.sequence, "digest": previous.digest},
        "base": None if base is None else {"sequence": base.sequence, "completed_at": write_instant(base.completed_at)},
        "cache": release.cache,
        "terms": [[one.lifetime.total_seconds(), write_instant(one.until)] for one in release.terms],
        "counts": {name: getattr(release.counts, name) for name in Counts.__slots__},
        "holds": [_hold_json(one) for one in release.holds],
        "shards": {f"{slot:02x}": _summary_json(one) for slot, one in sorted(release.shards.items())},
    }
    if release.struck:
        value["struck"] = [[tenant, key_json(key)] for tenant, key in release.struck]
    return orjson.dumps(without_surrogates(value), option=orjson.OPT_INDENT_2)


def decode_release(data: bytes, sequence: int) -> Release:
    """The release of its JSON. Raises Damaged, also where it is another one than `sequence`."""
    try:
        value = orjson.loads(data)
        if value["format"] != FORMAT or value["sequence"] != sequence or value["kind"] not in get_args(Kind):
            raise ValueError
        return _release(value)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        raise damaged(release_key(sequence)) from None


def _release(value: Mapping[str, Any]) -> Release:
    commit, base, previous = value["commit"], value["base"], value["previous"]
    return Release(
        sequence=int(value["sequence"]),
        kind=value["kind"],
        reason=str(value["reason"]),
        program=str(value["program"]),
        commit=Released(**{**commit, "time": needed_instant(commit["time"])}),
        root=str(value["root"]),
        tree=str(value["tree"]),
        policy=str(value["policy"]),
        as_of=needed_instant(value["as_of"]),
        previous=None if previous is None else Previous(**previous),
        base=None if base is None else Base(**{**base, "completed_at": needed_instant(base["completed_at"])}),
        cache=str(value["cache"]),
        terms=tuple(
            Terms(lifetime=timedelta(seconds=seconds), until=read_instant(until)) for seconds, until in value["terms"]
        ),
        counts=Counts(**value["counts"]),
        holds=tuple(_hold(one) for one in value["holds"]),
        shards={int(slot, 16): _summary(one) for slot, one in value["shards"].items()},
        struck=tuple((str(tenant), key_from(key)) for tenant, key in value.get("struck", ())),
    )


def _hold_json(hold: HoldNote) -> dict[str, Any]:
    return {
        "release": hold.release,
        "reason": hold.reason,
        "until": write_instant(hold.until),
        "tenants": hold.tenants,
        "names": list(hold.names),
        "hurts": write_instant(hold.hurts),
    }


def _hold(value: Mapping[str, Any]) -> HoldNote:
    times = {name: read_instant(value[name]) for name in ("until", "hurts")}
    return HoldNote(**{**value, "names": tuple(value["names"]), **times})


def _summary_json(one: Summary) -> dict[str, Any]:
    return {
        "digest": one.digest,
        "fingerprint": one.fingerprint,
        "next_change": write_instant(one.next_change),
        "tenants": one.tenants,
        "domains": one.domains,
        "attention": one.attention,
        "held": one.held,
    }


def _summary(value: Mapping[str, Any]) -> Summary:
    return Summary(**{**value, "next_change": read_instant(value["next_change"])})


def needed_instant(text: str) -> datetime:
    """As `read_instant`; ValueError for None."""
    moment = read_instant(text)
    if moment is None:
        raise ValueError("no instant")
    return moment


def without_surrogates(value: Any) -> Any:
    """Commit messages may hold lone surrogates, which JSON cannot."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {name: without_surrogates(one) for name, one in value.items()}
    return [without_surrogates(one) for one in value] if isinstance(value, list) else value
