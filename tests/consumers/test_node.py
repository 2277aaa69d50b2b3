"""What the constants say of verifiers in JavaScript is what they do. `make test-stores` installs them."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from program import installed

from publisher.consumers import CONSUMERS

from .documents import document, is_fine, questions, token

SCRIPT = Path(__file__).parent / "verifiers.mjs"
PACKAGES = Path(__file__).parents[2] / "build/verifiers"
NAMES = ("jose", "jwks-rsa", "aws-jwt-verify")

pytestmark = pytest.mark.stores


def _answers(asked: list[tuple[str, str, str]]) -> list[bool]:
    node = shutil.which("node")
    assert node is not None
    environment = {**os.environ, "NODE_VERIFIERS": str(PACKAGES)}
    done = subprocess.run([node, SCRIPT], input=json.dumps(asked), env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: list[bool] = json.loads(done.stdout)
    assert len(found) == len(asked)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_token_is_taken_exactly_where_no_fault_is_told(name: str) -> None:
    installed(PACKAGES / "node_modules" / name)
    asked = list(questions(CONSUMERS[name]))
    expected = [is_fine(CONSUMERS[name], keys, signer) for keys, signer in asked]
    answers = _answers([(name, document(*keys).decode(), token(keys[signer])) for keys, signer in asked])
    wrong = [
        ([one[3] for one in keys], signer)
        for (keys, signer), answer, wanted in zip(asked, answers, expected, strict=True)
        if answer != wanted
    ]
    assert wrong == []
    assert {True, False} == set(answers)


@pytest.mark.parametrize("name", NAMES)
def test_of_two_keys_with_one_kid_the_first_is_used_or_none(name: str) -> None:
    installed(PACKAGES / "node_modules" / name)
    first, second = ("RS256", "RSA", 7, "same"), ("RS256", "RSA", 8, "same")
    body = document(first, second).decode()
    answers = _answers([(name, body, token(first)), (name, body, token(second))])
    assert answers == [CONSUMERS[name].duplicates == "first", False]
