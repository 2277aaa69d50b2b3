"""How long an object store is waited for, and how often it is asked again."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait, and how often to try. `total` is the time after which nothing is tried again."""

    connect: timedelta = timedelta(seconds=5)
    request: timedelta = timedelta(seconds=30)
    first_pause: timedelta = timedelta(milliseconds=100)
    longest_pause: timedelta = timedelta(seconds=5)
    total: timedelta = timedelta(seconds=60)
    retries: int = 9

    def client(self, *, plain_http: bool = False) -> "ClientConfig":
        """The time-outs, as obstore takes them."""
        return {"connect_timeout": self.connect, "timeout": self.request, "allow_http": plain_http}

    def retry(self) -> "RetryConfig":
        """The retries, as obstore takes them."""
        return {
            "max_retries": self.retries,
            "retry_timeout": self.total,
            "backoff": {"init_backoff": self.first_pause, "max_backoff": self.longest_pause, "base": 2},
        }

    def pauses(self) -> Iterator[float]:
        """Seconds to wait before each retry: twice as long each time, and up to half of that less (jitter)."""
        longest = self.longest_pause.total_seconds()
        for count in range(self.retries):
            pause = min(self.first_pause.total_seconds() * 2**count, longest)
            yield pause * random.uniform(0.5, 1.0)  # noqa: S311 - no secret hangs on it


PATIENT = Patience()
