"""Objects in a bucket or in memory, through obstore (https://developmentseed.org/obstore/).

obstore retries 408, 429, 5xx and broken connections, time-outs of reads, and 409 on If-Match, with exponential
back-off and jitter. It does not retry 409 on If-None-Match, nor a write that timed out or whose connection was reset;
`put` does, as all of these are safe on a condition. How to reach each provider is in `aws` and in the `open_` functions
here, what went wrong in `failure`.
"""

import asyncio
import atexit
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar, assert_never

import obstore
from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, MemoryStore, S3Store

from publisher.store import CLOCK, CLOCK_BODY, CLOCK_HEADERS, Headers, Stored, StoreError
from publisher.stores.address import Bucket
from publisher.stores.failure import Fault, Kind, read_fault
from publisher.stores.key import check_key, check_prefix, is_key
from publisher.stores.patience import PATIENT, Patience

if TYPE_CHECKING:
    from obstore import Attributes, PutMode

Backend: TypeAlias = S3Store | GCSStore | AzureStore | MemoryStore
Dialect: TypeAlias = Literal["s3", "gs", "az", "memory"]
Result = TypeVar("Result")

# What obstore calls the headers of an object; every other attribute is user metadata.
_CONTENT_TYPE = "Content-Type"
_CACHE_CONTROL = "Cache-Control"
_OTHER_HEADERS = ("Content-Disposition", "Content-Encoding", "Content-Language", "Storage-Class")
_KNOWN_HEADERS = frozenset({_CONTENT_TYPE, _CACHE_CONTROL, *_OTHER_HEADERS})
_GENERIC = "application/octet-stream"
_PAGE = 1000
LIMIT_OBJECT_BYTES = 64 * 1024 * 1024
"""Nothing of ours is as long, and memory for the whole is taken before the first byte comes."""

# obstore's threads give a result to the event loop and then need the interpreter once more. If it is being taken down
# by then, the process aborts after its work is done (2 of 100 short runs did): leave them a moment.
# https://github.com/PyO3/pyo3-async-runtimes/issues/40
atexit.register(time.sleep, 0.1)


class ObjectStore:
    """A `Store` over one of obstore's.

    `put` can lose the answer to a write that was made, and try it again: then its own object fails the condition, and
    `put` returns None. So a None means: read the object back, and compare it with what was to be written.
    """

    def __init__(
        self, backend: Backend, *, dialect: Dialect, url: str, at: str = "", patience: Patience = PATIENT
    ) -> None:
        """`url` is for people; `at` is the endpoint where that is not the provider's own. Neither has credentials."""
        self._backend = backend
        self._dialect = dialect
        self._url = url
        self._at = f" at {at}" if at else ""
        self._patience = patience

    @property
    def url(self) -> str:
        """The store's address."""
        return self._url

    async def get(self, key: str) -> Stored | None:
        """The object, or None where there is none. A bucket that does not exist is a StoreError."""
        check_key(key)
        try:
            result = await obstore.get_async(self._backend, key)
            if result.meta["size"] > LIMIT_OBJECT_BYTES:
                message = (
                    f"{self.url}: {key} has {result.meta['size']:,} bytes, so something else wrote it; move it away"
                )
                raise StoreError("broken", message)
            body = bytes(await result.bytes_async())
        except (BaseError, OSError) as error:
            fault = read_fault(error)
            if fault.kind == "missing":
                return None
            raise self._failure(fault, key) from None
        meta = result.meta
        return Stored(
            body=body, headers=self._headers(result.attributes), token=self._token(meta["e_tag"], meta["version"], key)
        )

    async def put(self, key: str, body: bytes, headers: Headers, *, replaces: str | None) -> str | None:
        """Write on a condition. None: it did not hold, or (see the class) a retry met this very write."""
        check_key(key)
        mode = self._mode(replaces)
        attributes = self._attributes(headers)
        result = await self._tried(
            lambda: obstore.put_async(self._backend, key, body, attributes=attributes, mode=mode),
            again=("conflict", "timeout", "interrupted"),
        )
        if not isinstance(result, Fault):
            return self._token(result["e_tag"], result["version"], key)
        if result.kind == "unmet" or (result.kind == "missing" and replaces is not None):
            return None
        raise self._failure(result, key)

    async def delete(self, key: str) -> None:
        """Remove the object, if there is one."""
        check_key(key)
        # Azure is asked in a batch, and obstore does not see that a part of the answer is a 503.
        result = await self._tried(
            lambda: obstore.delete_async(self._backend, key), again=("conflict", "timeout", "throttled", "interrupted")
        )
        if result is not None and result.kind != "missing":
            raise self._failure(result, key)

    async def keys(self, prefix: str) -> AsyncIterator[str]:
        """The keys under a prefix, by pages of 1,000. Objects whose names are no keys are left out."""
        check_prefix(prefix)
        pages = obstore.list(self._backend, prefix, chunk_size=_PAGE)
        while True:
            try:
                page = await anext(pages)
            except StopAsyncIteration:
                return
            except (BaseError, OSError) as error:
                raise self._failure(read_fault(error), prefix) from None
            for meta in page:
                # A "folder" that a console made (an object named `prefix/`) comes without its `/`: it is no key here.
                if meta["path"].startswith(prefix) and is_key(meta["path"]):
                    yield meta["path"]

    async def time(self) -> datetime:
        """The Last-Modified of an object that has just been written; on S3 and Google in whole seconds.

        The Date of an answer would do, but obstore does not show it. The write has a condition, because bucket
        policies refuse those without. Where it does not hold, another has written since the first request: as good.
        """
        found = await self.get(CLOCK)
        await self.put(CLOCK, CLOCK_BODY, CLOCK_HEADERS, replaces=found.token if found else None)
        try:
            meta = await obstore.head_async(self._backend, CLOCK)
        except (BaseError, OSError) as error:
            fault = read_fault(error)
            if fault.kind == "missing":
                fault = Fault(kind="broken", text="it was written a moment ago and is gone; see who deletes it")
            raise self._failure(fault, CLOCK) from None
        return meta["last_modified"].astimezone(UTC)

    async def _tried(self, call: Callable[[], Awaitable[Result]], *, again: tuple[Kind, ...]) -> Result | Fault:
        """What the call gives, or why it failed at last. `again`: the faults after which it is made once more."""
        clock = asyncio.get_running_loop().time
        end = clock() + self._patience.total.total_seconds()
        pauses = self._patience.pauses()
        while True:
            try:
                return await call()
            except (BaseError, OSError) as error:
                fault = read_fault(error)
            pause = next(pauses, None) if fault.kind in again else None
            if pause is None or clock() + pause >= end:
                return fault
            await asyncio.sleep(pause)

    def _mode(self, replaces: str | None) -> "PutMode":
        if replaces is None:
            return "create"
        # Google's condition is x-goog-if-generation-match, the others' is If-Match.
        return {"version": replaces} if self._dialect == "gs" else {"e_tag": replaces}

    @property
    def _dash(self) -> str:
        """What stands for `-` in the names of metadata: in Azure they are identifiers of C#, else it answers 400.

        https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata
        """
        return "_" if self._dialect == "az" else "-"

    def _attributes(self, headers: Headers) -> "Attributes":
        attributes = {name.replace("-", self._dash): value for name, value in headers.metadata}
        attributes[_CONTENT_TYPE] = headers.content_type
        if headers.cache_control:
            attributes[_CACHE_CONTROL] = headers.cache_control
        return attributes

    def _headers(self, attributes: "Attributes") -> Headers:
        others = {name: value for name, value in attributes.items() if name not in _KNOWN_HEADERS}
        return Headers(
            content_type=attributes.get(_CONTENT_TYPE, _GENERIC),
            cache_control=attributes.get(_CACHE_CONTROL, ""),
            metadata=tuple(sorted((name.lower().replace(self._dash, "-"), value) for name, value in others.items())),
        )

    def _token(self, e_tag: str | None, version: str | None, key: str) -> str:
        match self._dialect:
            case "gs":
                token = version
            case "s3":
                # Ceph RGW answers 412 to an If-Match with quotes; Amazon S3 and moto take both.
                token = e_tag.strip('"') if e_tag else None
            case "az" | "memory":
                token = e_tag
            case _:
                assert_never(self._dialect)
        if token is None:
            text = "the store answered without an ETag, so nothing can be replaced safely; use another store"
            raise self._failure(Fault(kind="broken", text=text), key)
        return token

    def _failure(self, fault: Fault, key: str) -> StoreError:
        match fault.kind:
            case "missing":
                # For a list or a create nothing else than the bucket can be missing.
                return StoreError("no-store", f"{self._url}{self._at}: no such bucket; make it, or correct the name")
            case "no-store":
                return StoreError("no-store", f"{self._url}{self._at}: {fault.text}")
            case "conflict":
                return StoreError("throttled", f"{self._url}/{key}{self._at}: {fault.text}")
            case "interrupted":
                return StoreError("unreachable", f"{self._url}/{key}{self._at}: {fault.text}")
            case "unmet":
                return StoreError("broken", f"{self._url}/{key}{self._at}: {fault.text}, where none was given")
            case _:
                return StoreError(fault.kind, f"{self._url}/{key}{self._at}: {fault.text}")


def open_memory() -> ObjectStore:
    """An empty store in this process."""
    return ObjectStore(MemoryStore(), dialect="memory", url="memory://")


def open_gcs(bucket: Bucket, *, patience: Patience = PATIENT) -> ObjectStore:
    """A bucket of Google Cloud Storage; credentials and GOOGLE_BASE_URL as obstore reads them."""
    client, retry = patience.client(plain_http=_is_plain("GOOGLE_BASE_URL")), patience.retry()
    backend = _built(
        bucket,
        lambda: GCSStore(bucket.name, prefix=bucket.prefix, client_options=client, retry_config=retry),
    )
    return ObjectStore(backend, dialect="gs", url=bucket.url, patience=patience)


def open_azure(bucket: Bucket, *, patience: Patience = PATIENT) -> ObjectStore:
    """A container of Azure Blob Storage; account, credentials and AZURE_STORAGE_ENDPOINT as obstore reads them."""
    client, retry = patience.client(plain_http=_is_plain("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT")), patience.retry()
    backend = _built(
        bucket,
        lambda: AzureStore(bucket.name, prefix=bucket.prefix, client_options=client, retry_config=retry),
    )
    return ObjectStore(backend, dialect="az", url=bucket.url, patience=patience)


def _is_plain(*variables: str) -> bool:
    return any(os.environ.get(variable, "").startswith("http://") for variable in variables)


def _built(bucket: Bucket, build: Callable[[], Backend]) -> Backend:
    """What `build` gives. It fails before anything is sent only where credentials are incomplete or unreadable."""
    try:
        return build()
    except BaseError as error:
        if "Account must be specified" in str(error):
            text = "no storage account is named; set AZURE_STORAGE_ACCOUNT_NAME"
        else:
            text = "the credentials cannot be read; correct the provider's variables (AZURE_* or GOOGLE_*)"
    raise StoreError("denied", f"{bucket.url}: {text}")
