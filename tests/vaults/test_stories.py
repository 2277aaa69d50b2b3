"""Properties of a vault over arbitrary lives of a tenant's keys, with kills in between."""

import os
import tempfile
from pathlib import Path
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.vault import Made
from publisher.vaults.local import LocalVault

from .conftest import reopened

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["make", "use", "forget", "retire", "reopen", "kill"]), st.sampled_from(["ES256", "EdDSA"])
    ),
    max_size=14,
)


def killed_making(vault: LocalVault, alg: str, used: set[str], after: int) -> None:
    """The run ends at its n-th fsync; it may end by itself before."""
    real, left = os.fsync, [after]

    def fsync(descriptor: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        real(descriptor)

    with patch.object(os, "fsync", fsync):
        try:
            vault.make("acme", alg, used)
        except KeyboardInterrupt:
            return


@given(steps=STEPS, after=st.integers(0, 5))
@settings(max_examples=40, deadline=None)
def test_no_key_is_given_twice_or_wasted(steps: list[tuple[str, str]], after: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "vault"
        vault = reopened(place)
        used: set[str] = set()
        ended: set[str] = set()
        waiting: dict[str, Made] = {}
        for step, alg in steps:
            match step:
                case "make":
                    made = vault.make("acme", alg, used)
                    thumbprint = made.handle.removeprefix("local:")
                    assert thumbprint not in used | ended
                    assert waiting.setdefault(alg, made) == made
                case "use" if alg in waiting:
                    used.add(waiting.pop(alg).handle.removeprefix("local:"))
                case "forget":
                    vault.make("acme", alg, used)  # what was used has been seen to be
                    ended |= used
                    used.clear()
                    waiting[alg] = vault.make("acme", alg, used)
                case "retire" if alg in waiting:
                    made = waiting.pop(alg)
                    vault.retire("acme", made.handle)
                    ended.add(made.handle.removeprefix("local:"))
                case "reopen":
                    vault = reopened(place)
                case "kill":
                    killed_making(reopened(place), alg, used, after)
        for alg in ("ES256", "EdDSA"):
            assert vault.make("acme", alg, used).handle.removeprefix("local:") not in used | ended
        files = {path.stem for path in (place / "acme").glob("*.pem")}
        retired = {path.stem for path in (place / "_retired" / "acme").glob("*.pem")}
        assert files | retired >= used | ended
        assert len(files - used - ended) == 2
