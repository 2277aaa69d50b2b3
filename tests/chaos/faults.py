"""The ways in which a request to an object store goes wrong, and which request meets which of them."""

import random
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, TypeAlias, get_args

Fault: TypeAlias = Literal["error", "slow-down", "unavailable", "conflict", "reset", "lost", "late"]
"""An answer of S3 that is an error; the connection reset before the request came to anything; carried out, and the
answer lost; or an answer that takes its time."""
FAULTS: tuple[Fault, ...] = get_args(Fault)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as it arrived. `key` is without the bucket, `headers` have names in lower case."""

    method: str
    target: str
    key: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def conditional(self) -> bool:
        """Whether it writes on a condition."""
        return self.method == "PUT" and any(name in ("if-match", "if-none-match") for name, _ in self.headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An error that S3 answers with: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"""

    status: int
    code: str
    message: str

    def body(self, key: str) -> bytes:
        """The answer's XML."""
        where = f"<Resource>/{key}</Resource><RequestId>4442587FB7D0A2F9</RequestId>"
        inner = f"<Code>{self.code}</Code><Message>{self.message}</Message>{where}"
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inner}</Error>'.encode()


REFUSALS: Mapping[Fault, Refusal] = MappingProxyType(
    {
        "error": Refusal(
            status=500, code="InternalError", message="We encountered an internal error. Please try again."
        ),
        "slow-down": Refusal(status=503, code="SlowDown", message="Please reduce your request rate."),
        "unavailable": Refusal(status=503, code="ServiceUnavailable", message="Service is unable to handle request."),
        "conflict": Refusal(
            status=409,
            code="ConditionalRequestConflict",
            message="The conditional request cannot succeed due to a conflicting operation against this resource.",
        ),
    }
)


@dataclass(slots=True, kw_only=True)
class Dice:
    """A share of all requests goes wrong.

    What happens to a request hangs on the seed, the request, and how often it has been made: not on the order in which
    requests happen to come, nor on the bucket's name.
    """

    seed: int
    rate: float
    faults: tuple[Fault, ...] = FAULTS
    thrown: Counter[Fault] = field(default_factory=Counter)
    _seen: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def throw(self, request: Request) -> Fault | None:
        """What happens to this request; None lets it pass."""
        query = request.target.partition("?")[2]
        name = (request.method, request.key, query)
        with self._turn:
            self._seen[name] += 1
            chance = random.Random(f"{self.seed} {name} {self._seen[name]}")
            possible = [fault for fault in self.faults if fault != "conflict" or request.conditional]
            if not possible or chance.random() >= self.rate:
                return None
            fault = chance.choice(possible)
            self.thrown[fault] += 1
            return fault
