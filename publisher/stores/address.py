"""A store's URL, taken apart and judged. Nothing is opened here.

No message repeats a URL: people paste access keys and signed URLs into this place.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args
from urllib.parse import SplitResult, unquote, urlsplit

from publisher.stores.key import is_key

Scheme: TypeAlias = Literal["s3", "gs", "az"]

_WANTED = "write file:///absolute/dir, s3://bucket/prefix, gs://bucket/prefix or az://container/prefix"
_SECRETS = "a store's URL holds no credentials; leave them out of it and give them in the provider's usual settings"
# S3 general purpose buckets have 3-63 of these characters, old ones capitals and `_`; Google allows `_` and, with
# dots, 222 characters; Azure 3-63, and `$web` for static sites:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
# https://cloud.google.com/storage/docs/buckets#naming
# https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,220}[A-Za-z0-9]")
_CONTAINER = re.compile(r"[a-z0-9](-?[a-z0-9]){2,62}|\$web|\$root")
_PREFIX = re.compile(r"[A-Za-z0-9!_.*'()=+,/-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A directory's absolute path."""

    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A bucket (in Azure: a container) and the prefix of all keys in it, which may be empty."""

    scheme: Scheme
    name: str
    prefix: str

    @property
    def url(self) -> str:
        """The address as people write it."""
        return f"{self.scheme}://{self.name}/{self.prefix}".rstrip("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """An empty store in this process."""


Address: TypeAlias = Folder | Bucket | Memory


def parse(url: str) -> Address:
    """The address that a URL names. Raises ValueError with one line that says what to write."""
    parts = _split(url)
    match parts.scheme:
        case "file":
            return _folder(parts)
        case "memory":
            if parts.netloc or parts.path:
                raise ValueError("a memory store has no name; write memory://")
            return Memory()
        case "s3" | "gs" | "az":
            return _bucket(parts.scheme, parts)
        case "":
            raise ValueError(f"a store is given as a URL; {_WANTED}")
        case _:
            raise ValueError(f"a store's URL begins with file, {', '.join(get_args(Scheme))} or memory; {_WANTED}")


def check_endpoint(url: str) -> None:
    """Raise ValueError unless the URL is that of an S3 endpoint: http or https, a host, no path, no credentials."""
    parts = _split(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
        raise ValueError("the S3 endpoint is no URL of a server; write https://host or http://host:port")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # reading it raises ValueError where it is no number, as in a secret after a colon
    except ValueError:
        raise ValueError(f"the store's URL cannot be read; {_WANTED}") from None
    if "@" in parts.netloc or "?" in url:
        raise ValueError(f"{_SECRETS}; {_WANTED}")
    if "#" in url or not url.isprintable():
        raise ValueError(f"a store's URL has no `#` and no control characters; {_WANTED}")
    return parts


def _folder(parts: SplitResult) -> Folder:
    if parts.netloc not in ("", "localhost"):
        raise ValueError("a file URL names no host and no relative path; write file:///absolute/dir, with three `/`")
    path = unquote(parts.path, errors="surrogateescape")
    if not path.startswith("/") or "\0" in path:
        raise ValueError("a file URL gives an absolute path; write file:///absolute/dir")
    if not path.isprintable():
        raise ValueError(
            "the path of a file URL holds a control character or a byte that is no UTF-8; rename the folder"
        )
    if not path.strip("/"):
        raise ValueError("the root directory is no place for a store; write file:///absolute/dir")
    return Folder(path=Path(path))


def _bucket(scheme: Scheme, parts: SplitResult) -> Bucket:
    kind = "container" if scheme == "az" else "bucket"
    wanted = f"write {scheme}://{kind}/prefix"
    if not (_CONTAINER if scheme == "az" else _BUCKET).fullmatch(parts.netloc):
        raise ValueError(f"the URL does not name a {kind} by its rules (letters, digits, `-`, no port); {wanted}")
    prefix = parts.path.strip("/")
    if prefix and not (_PREFIX.fullmatch(prefix) and is_key(prefix)):
        raise ValueError(f"the prefix has letters, digits and !_.*'()=+,- between single `/`, no `.` or `..`; {wanted}")
    return Bucket(scheme=scheme, name=parts.netloc, prefix=prefix)
