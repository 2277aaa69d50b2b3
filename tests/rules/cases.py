"""All golden cases."""

from . import (
    cases_consumers,
    cases_files,
    cases_keys,
    cases_proofs,
    cases_rotation,
    cases_sets,
    cases_waivers,
    cases_yaml,
)
from .trees import Case

CASES: tuple[Case, ...] = (
    *cases_files.CASES,
    *cases_yaml.CASES,
    *cases_keys.CASES,
    *cases_sets.CASES,
    *cases_proofs.CASES,
    *cases_consumers.CASES,
    *cases_rotation.CASES,
    *cases_waivers.CASES,
)
