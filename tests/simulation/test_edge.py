"""The spans of `edge` against copies that are really handed on: a CDN, a client's cache and a verifier, each of them
fetching at drawn instants, see nothing outside of the spans; and at the worst instants they see their ends.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.consumer import Consumer, Keeping

from .edge import Edge, Version, accepted_until, lacking, meets

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
KEEPS = st.sampled_from((0, 3, 20))


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Ages at which the CDN, the client's cache and the verifier use their copies, as shares of what they may."""

    shares: tuple[float, float, float]

    def sees(self, versions: list[Version], now: datetime, keeps: timedelta) -> Version | None:
        """What the verifier uses at `now`; None where that was fetched before there was anything."""
        for one in reversed(versions):  # the youngest version whose copy can have these ages
            limits = (one.max_age + one.while_revalidate, one.max_age, keeps)
            fetched = now - sum((limit * share for limit, share in zip(limits, self.shares, strict=True)), timedelta(0))
            if one.start <= fetched and (one.end is None or fetched < one.end):
                return one
        return None


@st.composite
def histories(draw: st.DrawFn) -> Edge:
    """A domain whose documents have the key `k` or not, under changing terms."""
    edge, now = Edge(), START
    for _ in range(draw(st.integers(1, 5))):
        age, stale = draw(st.integers(0, 10)), draw(st.integers(0, 10))
        header = f"public, max-age={age * 60}, stale-while-revalidate={stale * 60}, stale-if-error=0"
        edge.serve("d", now, {"k": "t"} if draw(st.booleans()) else {}, header)
        now += timedelta(minutes=draw(st.integers(1, 30)))
    return edge


@settings(max_examples=200, deadline=None)
@given(
    edge=histories(),
    shares=st.tuples(*[st.sampled_from((0.0, 0.5, 0.999))] * 3),
    minutes=st.integers(0, 200),
    keeps=KEEPS,
)
def test_no_copy_is_outside_of_the_spans(
    edge: Edge, shares: tuple[float, float, float], minutes: int, keeps: int
) -> None:
    kept = timedelta(minutes=keeps)
    verifier = Consumer(name="v", keeps=Keeping(least=kept, most=kept), refetch=None)
    now, versions = at(minutes), edge.versions["d"]
    seen = Chain(shares=shares).sees(versions, now, kept)
    if seen is None:
        return
    span = (now, now + timedelta(microseconds=1))
    if "k" in seen.keys:
        until = accepted_until(edge, "d", "t", verifier)
        assert until is None or now < until
    else:
        assert any(meets(span, bad) for bad in lacking(versions, "k", "t", verifier))


def test_the_worst_copy_is_as_old_as_all_hops_together() -> None:
    edge = Edge()
    header = "public, max-age=300, stale-while-revalidate=60, stale-if-error=1200"
    edge.serve("d", at(0), {"k": "t"}, header)
    edge.serve("d", at(10), {}, header)
    verifier = Consumer(name="v", keeps=Keeping(least=MINUTE, most=MINUTE), refetch=None)
    assert accepted_until(edge, "d", "t", verifier) == at(10 + 5 + 1 + 5 + 1)
    edge.outages.append((at(9), at(60)))
    assert accepted_until(edge, "d", "t", verifier) == at(9 + 5 + 20 + 5 + 1)
    edge.purges["d"] = [at(12)]
    assert accepted_until(edge, "d", "t", verifier) == at(12 + 5 + 1)
    assert list(lacking(edge.versions["d"], "k", "t", verifier)) == [(at(10), None)]


def test_a_verifier_that_asks_again_is_not_stuck_for_as_long_as_it_keeps_sets() -> None:
    edge = Edge()
    header = "public, max-age=300, stale-while-revalidate=60, stale-if-error=0"
    edge.serve("d", at(0), {}, header)
    edge.serve("d", at(10), {"k": "t"}, header)
    kept = Keeping(least=60 * MINUTE, most=60 * MINUTE)
    ends = {
        refetch: [
            end for _, end in lacking(edge.versions["d"], "k", "t", Consumer(name="v", keeps=kept, refetch=refetch))
        ]
        for refetch in (None, timedelta(0), MINUTE)
    }
    assert ends == {None: [at(10 + 11 + 60)], timedelta(0): [at(10 + 11)], MINUTE: [at(10 + 11 + 1)]}
