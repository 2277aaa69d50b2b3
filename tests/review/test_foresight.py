"""What a review foresees, against what a publish of the same change then does."""

import asyncio
import tempfile
from datetime import datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from publishing import plan, publish
from repos import Repo
from strategies import BOUNDED, GRID, Tenant, hour, tenants

from publisher.git import open_revision
from publisher.stores import open_store

from .stories import reviewed

POLICY = """\
version: 1
algorithms: [RS256, PS512, ES256, ES384, ES512, EdDSA, Ed25519, ES256K]
canonical_domain: "{tenant}.idp.example"
"""
NOWS = st.integers(0, GRID).map(hour)
SOUND = tenants(sound=True, keys=range(8))


def write(repo: Repo, tenant: Tenant | None) -> None:
    for name, text in {} if tenant is None else tenant.files().items():
        repo.write(f"keysets/{tenant.name}/{name}", text)  # type: ignore[union-attr]


@given(st.none() | SOUND, st.none() | SOUND, NOWS)
@settings(BOUNDED, max_examples=25)
def test_the_hazards_are_those_that_a_publish_meets(before: Tenant | None, after: Tenant | None, now: datetime) -> None:
    with tempfile.TemporaryDirectory() as place:
        repo = Repo(Path(place))
        repo.write("keysets/policy.yaml", POLICY)
        write(repo, before)
        repo.commit()
        repo.git("switch", "--quiet", "--create", "change")
        repo.git("rm", "-r", "--quiet", "--ignore-unmatch", "keysets/acme")
        write(repo, after)
        repo.commit()
        review = reviewed(repo, "change", now=now)

        async def met() -> set[tuple[str, str | None, str | None, str]]:
            store = open_store("memory://")
            start = open_revision(repo.path, "keysets", "main")
            await publish(store, start, now=now)
            made = await plan(store, open_revision(repo.path, "keysets", "change"), now=now)
            return {
                (hazard.rule.id, change.domain, hazard.kid, hazard.message)
                for change in made.changes
                for hazard in change.hazards
                if not hazard.waived
            }

        told = {(one.rule, one.domain, one.kid, one.message) for one in review.all_dangers if not one.waived}
        assert told == asyncio.run(met())
        if not review.all_mistakes and not told:
            assert review.verdict == "fine"
