"""What people and programs read of the log of releases and of a domain's history: text, or JSON values."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from publisher.chronicle import Entry, Gone, Link, Written
from publisher.diagnostic import clean
from publisher.history import DocumentKey, Period
from publisher.planreport import hold_text
from publisher.record import write_instant
from publisher.release import Counts
from publisher.report import counted, domain_name
from publisher.rules.windows import instant

_SHORT = 12
_LINKS = {
    "first": "the first release",
    "verified": "its predecessor {}, which is as it was",
    "broken": "its predecessor {}, which is NOT what it was then",
    "collected": "its predecessor {}, which is kept no more",
}


def entry_text(one: Entry | Gone) -> Iterator[str]:
    """A release in the log, on a few lines."""
    if isinstance(one, Gone):
        yield (
            f"releases {one.first} to {one.last} are kept no more"
            if one.first < one.last
            else (f"release {one.first} is kept no more")
        )
        return
    release, commit = one.release, one.release.commit
    kind = "" if release.kind == "publish" else f" ({release.kind})"
    yield f"release {release.sequence}{kind} of {instant(release.as_of)}, {_status(one)}: {_counts(release.counts)}"
    yield f"    commit {commit.id[:_SHORT]} by {clean(commit.author)}: {clean(commit.subject)}"
    if release.reason:
        yield f"    reason: {clean(release.reason)}"
    for note in release.holds:
        yield f"    {hold_text(note)}"
    if one.signer is not None:
        yield f"    signed by {one.signer}"


def entry_json(one: Entry | Gone) -> dict[str, Any]:
    """A release in the log as a JSON value."""
    if isinstance(one, Gone):
        return {"collected": [one.first, one.last]}
    release, commit = one.release, one.release.commit
    return {
        "release": release.sequence,
        "kind": release.kind,
        "status": one.status,
        "as_of": write_instant(release.as_of),
        "completed_at": write_instant(one.completed_at),
        "commit": {
            "id": commit.id,
            "time": write_instant(commit.time),
            "author": commit.author,
            "subject": commit.subject,
        },
        "counts": {name: getattr(release.counts, name) for name in Counts.__slots__},
        "reason": release.reason,
        "holds": [
            {
                "release": note.release,
                "reason": note.reason,
                "until": write_instant(note.until),
                "tenants": note.tenants,
                "names": list(note.names),
                "first_missed": write_instant(note.hurts),
            }
            for note in release.holds
        ],
        "signer": one.signer,
        "sha256": one.digest,
    }


def whole_text(one: Entry, link: Link) -> Iterator[str]:
    """A release with all that it says, its documents aside."""
    yield from entry_text(one)
    release, previous = one.release, one.release.previous
    yield f"    key sets {clean(release.root)}, tree {release.tree[:_SHORT]}, policy.yaml {release.policy[:_SHORT]}"
    yield f"    Cache-Control: {clean(release.cache)}"
    for terms in release.terms:
        until = "" if terms.until is None else f" until {instant(terms.until)}"
        yield f"    copies may be used for {terms.lifetime.total_seconds():.0f} s{until}"
    yield f"    made by version {clean(release.program)}; SHA-256 {one.digest[:_SHORT]}"
    yield f"    {_LINKS[link].format('' if previous is None else previous.sequence)}"


def whole_json(one: Entry, link: Link, written: Sequence[Written] | None) -> dict[str, Any]:
    """The same as a JSON value; `documents` is null where the shards were collected."""
    release, previous = one.release, one.release.previous
    documents = None if written is None else [_written_json(some) for some in written]
    return {
        **entry_json(one),
        "root": release.root,
        "tree": release.tree,
        "policy_sha256": release.policy,
        "cache_control": release.cache,
        "terms": [
            {"seconds": terms.lifetime.total_seconds(), "until": write_instant(terms.until)} for terms in release.terms
        ],
        "program": release.program,
        "previous": None
        if previous is None
        else {"release": previous.sequence, "sha256": previous.digest, "link": link},
        "documents": documents,
    }


def written_text(one: Written) -> str:
    """A document that a release wrote."""
    where = f"{domain_name(one.domain)} (tenant {clean(one.tenant)})"
    return f"- {where}" if one.digest is None else f"~ {where}: {one.digest}, {counted(one.keys, 'key')}"


def _written_json(one: Written) -> dict[str, Any]:
    return {"domain": one.domain, "tenant": one.tenant, "sha256": one.digest, "keys": one.keys}


def period_text(one: Period) -> str:
    """A period on one line."""
    what = "nothing: it was withdrawn" if one.digest is None else f"{one.digest}, {counted(one.keys, 'key')}"
    doubt = "" if one.certain else " (may have been served: the release was not complete)"
    commit = "kept no more" if one.commit is None else f"commit {one.commit[:_SHORT]}"
    return (
        f"{_end(one.since, '(earlier than is known)')} .. {_end(one.until, 'now')}  {what}{doubt}; "
        f"release {one.release}, {commit}, tenant {clean(one.tenant)}"
    )


def period_json(one: Period) -> dict[str, Any]:
    """A period as a JSON value."""
    return {
        "since": write_instant(one.since),
        "until": write_instant(one.until),
        "sha256": one.digest,
        "keys": one.keys,
        "release": one.release,
        "commit": one.commit,
        "tenant": one.tenant,
        "certain": one.certain,
    }


def key_text(key: DocumentKey) -> str:
    """A key of a document on one line."""
    return f"    {clean(key.kid)}  {clean(key.alg)}  {key.thumbprint}"


def key_json(key: DocumentKey) -> dict[str, Any]:
    """A key of a document as a JSON value."""
    return {"kid": key.kid, "alg": key.alg, "thumbprint": key.thumbprint}


def _status(one: Entry) -> str:
    match one.status:
        case "unfinished":
            return "UNFINISHED"
        case "replaced":
            return "replaced before it was known to be complete"
        case _:
            return "complete" if one.completed_at is None else f"complete at {instant(one.completed_at)}"


def _counts(counts: Counts) -> str:
    back = f"; {counted(counts.kept_back, 'tenant')} kept back" if counts.kept_back else ""
    return f"{counts.new} new, {counts.changed} changed, {counts.withdrawn} withdrawn, {counts.blocked} blocked{back}"


def _end(moment: datetime | None, otherwise: str) -> str:
    return otherwise if moment is None else instant(moment)
