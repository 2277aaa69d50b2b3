"""What the constants say of verifiers that can run here is what they do."""

import pytest

from publisher.consumer import entries, faults
from publisher.consumers import CONSUMERS

from .documents import document, is_fine, questions, token
from .verifiers import VERIFIERS, accepts


@pytest.mark.parametrize("name", VERIFIERS)
def test_a_token_is_taken_exactly_where_no_fault_is_told(name: str) -> None:
    consumer = CONSUMERS[name]
    asked = list(questions(consumer))
    assert len(asked) > 100
    wrong = [
        ([one[3] for one in keys], signer)
        for keys, signer in asked
        if accepts(name, document(*keys), token(keys[signer])) != is_fine(consumer, keys, signer)
    ]
    assert wrong == []


@pytest.mark.parametrize("name", VERIFIERS)
def test_of_two_keys_with_one_kid_the_first_is_used_or_both(name: str) -> None:
    first, second = ("RS256", "RSA", 7, "same"), ("RS256", "RSA", 8, "same")
    body = document(first, second)
    told = [fault.what for fault in faults(entries(body), len(body), [CONSUMERS[name]])]
    assert told == ["order"] * (CONSUMERS[name].duplicates is not None)
    assert accepts(name, body, token(first))
    assert accepts(name, body, token(second)) is (CONSUMERS[name].duplicates is None)


def test_python_jose_stops_at_a_key_of_another_type_and_not_after_it() -> None:
    rsa, ec = ("RS256", "RSA", 7, "rsa"), ("ES256", "P-256", 7, "ec")
    assert not accepts("python-jose", document(ec, rsa), token(rsa))
    assert accepts("python-jose", document(rsa, ec), token(rsa))
    assert not accepts("python-jose", document(rsa, ec), token(ec))
