"""Reviews as values: drawn at random, and with other text in every place where a stranger's may stand."""

import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from publisher.keyset import ALWAYS, NEVER
from publisher.review import Review

BASE = datetime(2026, 1, 1, tzinfo=UTC)
INSTANTS = st.one_of(
    st.integers(0, 2000).map(lambda hours: BASE + timedelta(hours=hours)), st.sampled_from([ALWAYS, NEVER, BASE])
)
TEXTS = st.text(max_size=12) | st.sampled_from(["acme", "`own` is, 5 of #1", "2026-01-01T00:00:00Z", "a.example"])


@cache
def drawn(wanted: Any) -> st.SearchStrategy[Any]:
    """Values of a type: a closed one, a tuple of some, or a dataclass of such."""
    origin, inner = get_origin(wanted), get_args(wanted)
    if wanted is str:
        return TEXTS
    if wanted is datetime:
        return INSTANTS
    if wanted is timedelta:
        return st.integers(0, 10**6).map(lambda seconds: timedelta(seconds=seconds))
    if wanted in (int, bool, type(None)):
        return {int: st.integers(0, 10**6), bool: st.booleans(), type(None): st.none()}[wanted]
    if origin is Literal:
        return st.sampled_from(inner)
    if origin in (Union, types.UnionType):
        return st.one_of([drawn(one) for one in inner])
    if origin is tuple and inner[-1] is Ellipsis:
        return st.lists(drawn(inner[0]), max_size=2).map(tuple)
    if origin is Mapping:
        return st.dictionaries(drawn(inner[0]), drawn(inner[1]), max_size=2)
    if origin is None and is_dataclass(wanted):
        return _dataclass(wanted)
    return {"Mapping": st.dictionaries(TEXTS, drawn(inner[1]), max_size=2)}[origin.__name__]


def _dataclass(wanted: Any) -> st.SearchStrategy[Any]:
    hints = get_type_hints(wanted)
    made = {one.name: drawn(hints[one.name]) for one in fields(wanted)}
    if wanted.__name__ == "KeyChange":  # one side is there
        return st.builds(wanted, **made).filter(lambda one: one.before is not None or one.after is not None)
    if wanted is Review:
        made["now"] = st.just(BASE)
    return st.builds(wanted, **made)


def reworded(value: Any, write: Callable[[str], str], hint: Any = None) -> Any:
    """The value with every text but those of closed lists written anew."""
    if isinstance(value, str):
        return value if get_origin(hint) is Literal else write(value)
    if isinstance(value, tuple):
        return tuple(reworded(one, write, get_args(hint)[0] if get_args(hint) else None) for one in value)
    if isinstance(value, Mapping):
        return {reworded(name, write): one for name, one in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        hints = get_type_hints(type(value))
        return replace(
            value, **{one.name: reworded(getattr(value, one.name), write, hints[one.name]) for one in fields(value)}
        )
    return value
