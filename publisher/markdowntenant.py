"""One tenant of a review in Markdown: in full, folded; in a line; or many alike, one in full and the rest in lines."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial

from publisher.documentchange import DocumentChange
from publisher.fitting import Form, Piece
from publisher.markdowntext import code, fenced, folded, prose, tagged
from publisher.report import counted
from publisher.review import Danger, TenantReview
from publisher.reviewkeys import key_lines, key_title
from publisher.reviewwords import (
    Said,
    Sentence,
    Value,
    broken,
    danger,
    differing,
    folder,
    listed,
    mistake,
    peak,
    places,
    remedy,
    setting,
    title,
    waivers,
    when,
)
from publisher.rules.windows import instant

VALUE = 300
"""Characters of a value at the most; a kid and a domain have fewer."""
MESSAGE = 1200
_DOMAINS = 12
_ITEMS = 20
"""Items of one kind that a tenant shows."""
_ALIKE = 3
"""So many tenants are told of together where their changes are alike."""
_MOST_ROWS, _LEAST_ROWS = 2000, 8


def sentence(parts: Sentence, most: int = VALUE) -> str:
    """A sentence as Markdown; values have at most so many characters."""
    shown = ""
    for part in parts:
        match part:
            case Value(text):
                made = code(text, most)
            case Said(text):
                made = prose(text, MESSAGE)
            case str():
                made = part
        # Two code spans that touch would be none.
        shown += f" {made}" if shown.endswith("`") and made.startswith("`") else made
    return shown


def bullets(sentences: Iterable[Sentence], most: int = _ITEMS, depth: int = 0) -> str:
    """A list of at most so many items, and how many more there are."""
    found = list(sentences)
    shown = found if len(found) <= most + 1 else found[:most]
    lines = [f"{'  ' * depth}- {sentence(one)}\n" for one in shown]
    left = len(found) - len(shown)
    return "".join([*lines, f"{'  ' * depth}- and {left} more\n"] if left else lines)


def allowing(dangers: Iterable[Danger]) -> str:
    """What to allow them with; nothing where no waiver can."""
    lines = waivers(dangers)
    if not lines:
        return ""
    what = "it" if len(lines) == 1 else "them"
    where = "below `waivers:` in `waivers.yaml` (in the place of `[]`)"
    return f"\nTo allow {what}, the platform first merges, {where}:\n\n{fenced(lines, 'yaml', MESSAGE)}"


def pieces(groups: Iterable[Sequence[TenantReview]], now: datetime, *, told: bool) -> Iterator[Piece]:
    """The tenants, those of a group together where they are many; `weight` and what is left out count tenants.

    `told`: what is to be done about their hazards stands elsewhere.
    """
    for group in groups:
        worst = group[0].rank <= 1
        if len(group) < _ALIKE:
            for one in group:
                yield Piece(forms=(partial(_full, one, now, told), partial(_line, one, now)), worst=worst)
            continue
        whole = partial(_together, group, now, len(group), told, detailed=True)
        rows = [partial(_together, group, now, count, told) for count in _counts(len(group))]
        yield Piece(forms=(whole, *rows, partial(_names, group)), weight=len(group), worst=worst)


def _counts(tenants: int) -> Iterator[int]:
    """How many of a group's tenants to name, the most first."""
    count = min(tenants, _MOST_ROWS)
    while count >= min(tenants, _LEAST_ROWS):
        yield count
        count = min(count - 1, int(count * 0.9))


def _full(tenant: TenantReview, now: datetime, told: bool) -> Form:
    summary = "".join(_tagged(part) for part in title(tenant))
    return Form(text=f"\n{folded(summary, _body(tenant, now, told))}\n")


def _line(tenant: TenantReview, now: datetime) -> Form:
    return Form(text=f"- {sentence((*title(tenant), *_brief(tenant, now)[1:]), 80)}\n")


def _together(group: Sequence[TenantReview], now: datetime, count: int, told: bool, *, detailed: bool = False) -> Form:
    """One in full, and `count` lines at most. `detailed`: with what each key may mint for."""
    first, rest = group[0], group[1:]
    shown = rest[: count - 1]
    what = "".join(_tagged(part) for part in title(first)[1:])
    head = f"{sentence(title(first))}\n\n{_body(first, now, told)}"
    lines = "".join(f"- {sentence(_brief(one, now if detailed else None), 80)}\n" for one in shown)
    elsewhere = "" if detailed or not first.keys else " (their thumbprints, domains and instants: in `--format html`)"
    left = len(rest) - len(shown)
    more = f"- and {counted(left, 'more tenant')}\n" if left else ""
    body = f"{head}\nAlike for {counted(len(rest), 'more tenant')}{elsewhere}:\n\n{lines}{more}"
    return Form(text=f"\n{folded(f'{len(group):,} tenants alike{what}', body)}\n", left=left)


def _names(group: Sequence[TenantReview]) -> Form:
    names = listed([one.tenant for one in group], 3)
    left = len(group) - sum(isinstance(part, Value) for part in names)
    what = sentence(title(group[0])[1:])
    return Form(text=f"- {len(group):,} tenants alike{what}: {sentence(names, 80)}\n", left=left)


def _brief(tenant: TenantReview, now: datetime | None) -> Sentence:
    """A tenant and the kids of its changed keys, of those that come and go where there are such.

    With `now` also what may mint for whom, from when on.
    """
    moved = [one for one in tenant.keys if one.what != "changed"] or tenant.keys
    parts: list[str | Value | Said] = [Value(tenant.tenant)]
    for at, key in enumerate(moved[:3]):
        parts += [", " if at else ": ", f"{key.what} ", Value(key.shown.kid)]
        if now is not None and key.gains:
            first, signs = key.gains[0], key.shown.window.signs_from
            parts += [" (", Value(key.shown.thumbprint), ") for ", *places(first.domains, 3)]
            parts.append(f" {when(first.start, now)}")
            parts += [f", signing from {instant(signs)}"] if signs > first.start else []
    return (*parts, f" and {counted(len(moved) - 3, 'more key')}") if len(moved) > 3 else tuple(parts)


def _body(tenant: TenantReview, now: datetime, told: bool) -> str:
    made = _sections(tenant, now, told)
    found = [f"**{name}**\n\n{text}" if name else text for name, text in made if text]
    return "\n".join(found)


def _sections(tenant: TenantReview, now: datetime, told: bool) -> Iterator[tuple[str, str]]:
    where = sentence(folder(tenant))
    unread = "" if tenant.read else " Mistakes keep its documents from being compared."
    yield "", f"{where}{unread}".strip() + "\n" if where or unread else ""
    yield "Mistakes", bullets(map(mistake, tenant.mistakes))
    blocking = [one for one in tenant.dangers if not one.waived]
    yield "Hazards", _dangers(tenant.dangers, told) + ("" if told else allowing(blocking[:_ITEMS]))
    keys: list[str] = []
    for change in tenant.keys[:_ITEMS]:
        keys.append(f"- {sentence(key_title(change))}\n")
        keys.append(bullets(key_lines(change, now, _DOMAINS), depth=1))
    more = len(tenant.keys) - _ITEMS
    yield "Keys", "".join([*keys, f"- and {more} more\n"] if more > 0 else keys)
    named = [one for one in tenant.breaks if one.named]
    others = [one for one in tenant.breaks if not one.named]
    yield "Verifiers that it breaks", bullets(broken(one, now, _DOMAINS) for one in named)
    yield "Other verifiers, for information", bullets(broken(one, now, _DOMAINS) for one in others)
    yield "Documents", _documents(tenant.documents, now)
    yield "Settings", bullets(map(setting, tenant.settings))
    yield "Warnings", bullets(map(mistake, tenant.warnings))


def _dangers(dangers: Sequence[Danger], told: bool) -> str:
    if told:
        return bullets(map(danger, dangers))
    shown = "".join(f"- {sentence(danger(one))}\n  - {sentence(remedy(one))}\n" for one in dangers[:_ITEMS])
    left = len(dangers) - _ITEMS
    return f"{shown}- and {left} more\n" if left > 0 else shown


def _documents(changes: Sequence[DocumentChange], now: datetime) -> str:
    made: list[str] = []
    for one in changes[:_ITEMS]:
        kind = "canonical domain, " if one.canonical else ""
        most = f"{kind}{one.what}; at the most {peak(one.before, one.after)}"
        made.append(f"- {sentence(places(one.domains, _DOMAINS))}: {most}\n")
        made.append(bullets((differing(it, now, _DOMAINS) for it in one.differences), 8, depth=1))
    left = len(changes) - _ITEMS
    return "".join([*made, f"- and {left} more\n"] if left > 0 else made)


def _tagged(part: str | Value | Said) -> str:
    return part.replace("->", "-&gt;") if isinstance(part, str) else tagged(part.text, VALUE)
