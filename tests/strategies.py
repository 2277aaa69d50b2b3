"""Tenants for property tests: a small pool of real keys, tenants' files as JSON (which is YAML), and a bad store."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from jwcrypto import jwk as jwcrypto

from publisher.compile import Compiled, compile_keyset
from publisher.keyset import KeySet, read_keyset
from publisher.policy import Policy
from publisher.source import File, Folder
from publisher.store import CLOCK, Headers, Store, Stored
from publisher.wanted import Wanted, wanted

BASE = datetime(2026, 1, 1, tzinfo=UTC)
"""Where the grid of instants begins: they are whole hours, so that windows meet often."""
GRID = 12
POLICY = Policy(canonical_suffix=".idp.example")

BOUNDED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Few examples, and no failure because a machine is slow."""

Entry = dict[str, Any]

_KINDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("RS256", {"kty": "RSA", "size": 2048}),
    ("PS512", {"kty": "RSA", "size": 2048}),
    *[("ES256", {"kty": "EC", "crv": "P-256"})] * 4,
    *[("EdDSA", {"kty": "OKP", "crv": "Ed25519"})] * 2,
    ("Ed25519", {"kty": "OKP", "crv": "Ed25519"}),
    ("ES384", {"kty": "EC", "crv": "P-384"}),
    ("ES512", {"kty": "EC", "crv": "P-521"}),
    ("ES256K", {"kty": "EC", "crv": "secp256k1"}),
    ("EdDSA", {"kty": "OKP", "crv": "Ed448"}),
)
CERTIFIED = len(_KINDS)
"""The number of the key in the pool that is given by a certificate."""
POOL_SIZE = len(_KINDS) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Real:
    """A public key: how an entry gives it, its algorithm, and what jwcrypto says of it."""

    form: Entry
    alg: str
    members: Entry
    thumbprint: str


@cache
def pool() -> tuple[Real, ...]:
    """Keys made for this run. Their private halves are dropped at once."""
    made = []
    for alg, arguments in _KINDS:
        key = jwcrypto.JWK.generate(**arguments)
        public = key.export_public(as_dict=True)
        members = {name: value for name, value in public.items() if name != "kid"}
        made.append(Real(form={"jwk": members}, alg=alg, members=members, thumbprint=key.thumbprint()))
    return (*made, _certified())


def _certified() -> Real:
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "partner")])
    certificate = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=private.public_key(), serial_number=7)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2040, 1, 1, tzinfo=UTC))
        .sign(private, hashes.SHA256())
    )
    key = jwcrypto.JWK.from_pyca(private.public_key())
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")
    members = {name: value for name, value in key.export_public(as_dict=True).items() if name != "kid"}
    return Real(form={"certificate": pem}, alg="ES256", members=members, thumbprint=key.thumbprint())


def hour(count: float) -> datetime:
    """An instant of the grid."""
    return BASE + timedelta(hours=count)


def text(moment: datetime) -> str:
    """The instant as files have it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def entry(number: int, kid: str | None = None, **fields: Any) -> Entry:
    """An entry of a key list, with the key of that number in the pool."""
    real = pool()[number]
    return {**({} if kid is None else {"kid": kid}), "alg": real.alg, **real.form, **fields}


def window(*hours: float | None) -> Entry:
    """`publish` and `signs` for publish.from, signs.from, signs.until and publish.until; None leaves one out."""
    moments = [None if count is None else text(hour(count)) for count in hours]
    publish, signs = {"from": moments[0], "until": moments[3]}, {"from": moments[1], "until": moments[2]}
    shapes = {"publish": publish, "signs": signs}
    return {name: {end: at for end, at in shape.items() if at is not None} for name, shape in shapes.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A tenant's files, before they are text."""

    name: str = "acme"
    domains: Sequence[str] = ("login.acme.example",)
    custom: Sequence[Entry] = ()
    generated: Sequence[Entry] = ()

    def files(self) -> dict[str, str]:
        """The two files, as JSON."""
        keyset = {
            "version": 1,
            "tenant": self.name,
            "plan": "enterprise",
            "domains": list(self.domains),
            "custom_keys": list(self.custom),
        }
        generated = {"version": 1, "generated_keys": list(self.generated)}
        return {"keyset.yaml": json.dumps(keyset), "generated.yaml": json.dumps(generated)}

    def folder(self) -> Folder:
        """The files as a folder of a source."""
        stored = {path: File(kind="file", data=content.encode()) for path, content in self.files().items()}
        return Folder(path=f"keysets/{self.name}", tree=None, files=stored)

    def read(self) -> KeySet:
        """The key set, in which there is no mistake."""
        read = read_keyset(self.folder())
        assert read.diagnostics == ()
        assert read.keyset is not None
        return read.keyset

    def compiled(self, policy: Policy = POLICY) -> Compiled:
        """Its timelines."""
        return compile_keyset(self.read(), policy)

    def wanted(self, now: datetime, policy: Policy = POLICY) -> tuple[Wanted, ...]:
        """What its domains are to serve."""
        return wanted(self.compiled(policy), now)


@st.composite
def windows(draw: st.DrawFn) -> Entry:
    """Four instants in their order, any of them left out."""
    hours = sorted(draw(st.lists(st.integers(0, GRID), min_size=4, max_size=4)))
    if hours[0] == hours[3]:
        hours[3] += 1
    return window(*(None if draw(st.booleans()) and draw(st.booleans()) else count for count in hours))


KIDS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=12)


@st.composite
def tenants(
    draw: st.DrawFn, *, name: str = "acme", least: int = 0, keys: range = range(POOL_SIZE), sound: bool = False
) -> Tenant:
    """A tenant that breaks no rule about kids and windows, with keys of the pool, each at most once.

    `sound`: nor any other rule, but for revocations in the future.
    """
    domains = [f"{label}.{name}.example" for label in ("login", "id", "auth")[: draw(st.integers(1, 3))]]
    numbers = draw(st.lists(st.sampled_from(keys), min_size=least, max_size=7, unique=True))
    kids = draw(st.lists(KIDS, min_size=len(numbers), max_size=len(numbers), unique=True))
    custom: list[Entry] = []
    generated: list[Entry] = []
    for number, kid in zip(numbers, kids, strict=True):
        fields = draw(windows())
        limits = [*domains, f"{name}.idp.example"]
        origin = draw(st.sampled_from((custom, generated)))
        if draw(st.integers(0, 3)) == 0:
            known = limits if origin is generated else domains
            fields["domains"] = draw(st.lists(st.sampled_from(known), min_size=int(sound), unique=True))
        if draw(st.integers(0, 5)) == 0:
            fields["revoked"] = {"at": text(hour(draw(st.integers(0, GRID)))), "reason": "lost"}
        origin.append(entry(number, kid if draw(st.booleans()) else None, **fields))
    return Tenant(name=name, domains=domains, custom=custom, generated=generated)


MOMENTS = st.one_of(
    st.integers(-1, GRID + 2).map(hour),
    st.integers(-1, GRID + 2).map(lambda count: hour(count) - timedelta(microseconds=1)),
    st.datetimes(datetime(2025, 12, 31), datetime(2026, 1, 2), timezones=st.just(UTC)),  # noqa: DTZ001
)
"""Instants in and around the grid."""


class Killed(BaseException):
    """The process ends here."""


@dataclass
class BadStore:
    """A store that notes each operation and runs a hook before and after it; a hook that raises makes it fail."""

    inner: Store
    before: Callable[[int, str, str], Awaitable[None]] | None = None
    after: Callable[[int, str, str], Awaitable[None]] | None = None
    operations: list[tuple[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.inner.url

    @property
    def writes(self) -> list[str]:
        """The keys that were to be written, in order."""
        return [key for what, key in self.operations if what == "put"]

    async def get(self, key: str) -> Stored | None:
        number = await self._begin("get", key)
        found = await self.inner.get(key)
        await self._end(number, "get", key)
        return found

    async def put(self, key: str, body: bytes, headers: Headers, *, replaces: str | None) -> str | None:
        number = await self._begin("put", key)
        token = await self.inner.put(key, body, headers, replaces=replaces)
        await self._end(number, "put", key)
        return token

    async def delete(self, key: str) -> None:
        number = await self._begin("delete", key)
        await self.inner.delete(key)
        await self._end(number, "delete", key)

    async def keys(self, prefix: str) -> AsyncIterator[str]:
        number = await self._begin("keys", prefix)
        async for key in self.inner.keys(prefix):
            yield key
        await self._end(number, "keys", prefix)

    async def time(self) -> datetime:
        number = await self._begin("time", CLOCK)
        now = await self.inner.time()
        await self._end(number, "time", CLOCK)
        return now

    async def _begin(self, what: str, key: str) -> int:
        self.operations.append((what, key))
        number = len(self.operations)
        if self.before is not None:
            await self.before(number, what, key)
        return number

    async def _end(self, number: int, what: str, key: str) -> None:
        if self.after is not None:
            await self.after(number, what, key)
