"""Ready configuration of edges, from the templates in `site/cdn/`: nginx, Varnish, CloudFront.

Every value that goes into a template is judged here, so that none can end a directive and begin another.
"""

import ipaddress
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from publisher.policy import Cache
from publisher.render import cache_control
from publisher.site import template

ERROR_SECONDS = 10
"""How long an edge may keep an error: a domain that is published next must not wait for longer."""

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_PATH = re.compile(r"(?:/[A-Za-z0-9!_*'()=+,-][A-Za-z0-9!_.*'()=+,-]*)*")
_FILE = re.compile(r"(?:/[A-Za-z0-9_+,@%-][A-Za-z0-9_.+,@%-]*)+")
_LISTEN = re.compile(r"(?:([0-9.]+|\[[0-9A-Fa-f:.]+\]|\*):)?([0-9]{1,5})")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"(?:[A-Za-z0-9!_.*'()=+,-]+/)*")
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-[0-9]{1,2}")

# What stores send beside a document, and no verifier needs. A tenant's name is nobody's business.
_HIDDEN = (
    "Access-Control-Allow-Credentials",
    "Access-Control-Allow-Headers",
    "Access-Control-Allow-Methods",
    "Access-Control-Allow-Origin",
    "Access-Control-Expose-Headers",
    "Access-Control-Max-Age",
    "Expires",
    "Set-Cookie",
    "Vary",
    "X-Content-Type-Options",
    "x-amz-content-sha256",
    "x-amz-expiration",
    "x-amz-id-2",
    "x-amz-replication-status",
    "x-amz-request-id",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-bucket-key-enabled",
    "x-amz-storage-class",
    "x-amz-version-id",
    "x-amzn-requestid",
    "x-rgw-object-type",
    *(
        f"x-{provider}-meta-{name}"
        for provider in ("amz", "goog", "ms")
        for name in ("sha256", "tenant", "domain", "release", "withdrawn")
    ),
)
# Request headers that can change what S3 answers (AmazonS3/latest/API/API_GetObject.html), or whom it answers.
_SPOILING = (
    "Authorization",
    "Cookie",
    "Expect",
    "If-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Origin",
    "Range",
    "Referer",
    "TE",
    "Upgrade",
    "X-Amz-Checksum-Mode",
    "X-Amz-Content-Sha256",
    "X-Amz-Date",
    "X-Amz-Expected-Bucket-Owner",
    "X-Amz-Request-Payer",
    "X-Amz-Security-Token",
    "X-Amz-Server-Side-Encryption-Customer-Algorithm",
    "X-Amz-Server-Side-Encryption-Customer-Key",
    "X-Amz-Server-Side-Encryption-Customer-Key-Md5",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-HTTP-Method-Override",
    "X-Original-URL",
    "X-Rewrite-URL",
)
_VARNISH_SETS = frozenset({"Access-Control-Allow-Origin", "Vary", "X-Content-Type-Options"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where an edge fetches objects: `scheme://host:port` and a path, without a `/` at its end, before their keys."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The Host header for it."""
        usual = {"http": 80, "https": 443}[self.scheme]
        return self.host if self.port == usual else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The address, for people."""
        return f"{self.scheme}://{self.authority}{self.path}"


def origin(url: str) -> Origin:
    """The origin at `http://HOST:PORT/PATH` or https. Raises ValueError with one line that says what to write."""
    wanted = "write http://HOST:PORT/BUCKET/PREFIX, or https"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError(f"the origin is no URL; {wanted}") from None
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or "?" in url or "#" in url:
        raise ValueError(f"the origin is a URL of http or https without credentials, query and fragment; {wanted}")
    if ":" in host:
        host = f"[{ipaddress.IPv6Address(host)}]"
    elif _HOST.fullmatch(host) is None:
        raise ValueError(f"the origin's host is no host name; {wanted}")
    path = parts.path.rstrip("/")
    if _PATH.fullmatch(path) is None:
        raise ValueError(f"the origin's path has letters, digits and !_.*'()=+,- between single `/`, no `..`; {wanted}")
    return Origin(scheme=parts.scheme, host=host, port=port or (443 if parts.scheme == "https" else 80), path=path)


def nginx(url: str, cache: Cache, *, listen: str, cache_dir: str) -> str:
    """An nginx configuration for `http {}`. `url` is an HTTP origin, or `file:///dir`: a store that nginx reads itself.

    Raises ValueError with one line that says what to write.
    """
    address = _LISTEN.fullmatch(listen)
    if address is None or int(address[2]) > 65535:
        raise ValueError("nginx listens on a PORT or an ADDRESS:PORT")
    folder = url.removeprefix("file://") if url.startswith("file://") else None
    return template("cdn/nginx.conf.j2").render(
        **_times(cache),
        root=None if folder is None else _file(folder, "the store's folder"),
        origin=None if folder is not None else origin(url),
        listen=listen,
        cache_dir=_file(cache_dir, "the cache's folder"),
        trusted="/etc/ssl/certs/ca-certificates.crt",
        hidden=_HIDDEN,
    )


def varnish(url: str, cache: Cache, *, purge_from: tuple[str, ...]) -> str:
    """A VCL program. `url` is an HTTP origin; `purge_from` are addresses or networks that may PURGE.

    Raises ValueError with one line that says what to write.
    """
    source = origin(url)
    if source.scheme != "http":
        raise ValueError("Varnish speaks no TLS to its origin; name a gateway or TLS proxy by http://HOST:PORT/PATH")
    try:
        networks = [ipaddress.ip_network(text) for text in purge_from]
    except ValueError:
        raise ValueError("who may purge is an IP address or network, as 192.0.2.7 or 10.0.0.0/8") from None
    return template("cdn/varnish.vcl.j2").render(
        **_times(cache),
        origin=source,
        host=source.host.strip("[]"),
        purge_from=[{"address": str(one.network_address), "bits": one.prefixlen} for one in networks],
        unset=_SPOILING,
        hidden=[name for name in _HIDDEN if name not in _VARNISH_SETS],
    )


def cloudfront(store: str, cache: Cache, *, region: str | None, multi_tenant: bool, tag_header: str) -> str:
    """A CloudFormation template. `store` is `s3://bucket/prefix`; without `region` the bucket is in the stack's.

    Raises ValueError with one line that says what to write.
    """
    scheme, _, place = store.partition("://")
    bucket, _, prefix = place.partition("/")
    prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
    if scheme != "s3" or not _BUCKET.fullmatch(bucket) or not _PREFIX.fullmatch(prefix) or ".." in prefix:
        raise ValueError("CloudFront's origin is an S3 bucket; write s3://bucket/prefix")
    if region is not None and _REGION.fullmatch(region) is None:
        raise ValueError("a region is written as eu-central-1")
    return template("cdn/cloudfront.yaml.j2").render(
        **_times(cache),
        bucket=bucket,
        prefix=prefix,
        region=region or "${AWS::Region}",
        multi_tenant=multi_tenant,
        tag_header=tag_header,
    )


def _times(cache: Cache) -> dict[str, Any]:
    """Seconds, as the documents state them, too."""
    age, revalidate, error = cache.max_age, cache.stale_while_revalidate, cache.stale_if_error
    return {
        "max_age": int(age.total_seconds()),
        "stale_while_revalidate": int(revalidate.total_seconds()),
        "stale_if_error": int(error.total_seconds()),
        "kept": int((age + max(revalidate, error)).total_seconds()) + 60,
        "error_seconds": ERROR_SECONDS,
        "cache_control": cache_control(cache),
    }


def _file(path: str, what: str) -> str:
    if _FILE.fullmatch(path) is None or ".." in PurePosixPath(path).parts:
        raise ValueError(f"{what} is an absolute path of letters, digits and _.+,@%-")
    return path
