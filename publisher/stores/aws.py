"""The usual AWS settings, turned into an S3 store: boto3 decides who, which region and which server; obstore does it.

obstore reads AWS_* variables of its own accord, and not as botocore does: AWS_ENDPOINT_URL_S3 beats an endpoint that
is given to it, and profiles are not read. So everything that botocore resolves is handed over by name.
"""

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import boto3
from botocore.client import ClientMeta
from botocore.exceptions import BotoCoreError, ProfileNotFound
from obstore.auth.boto3 import Boto3CredentialProvider
from obstore.exceptions import BaseError
from obstore.store import S3Store

from publisher.store import StoreError
from publisher.stores.address import Bucket, check_endpoint
from publisher.stores.objects import ObjectStore
from publisher.stores.patience import PATIENT, Patience

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Config

# Shorter than the ten minutes that botocore's refreshed credentials are good for at least.
_CREDENTIALS_KEPT = timedelta(minutes=5)
_AMAZON = re.compile(r"\.amazonaws\.com(\.cn)?\Z")


def open_s3(bucket: Bucket, *, endpoint_url: str | None = None, patience: Patience = PATIENT) -> ObjectStore:
    """An S3 bucket; see `publisher.stores.open_store`.

    Raises ValueError for an endpoint in the settings that is no URL, StoreError("denied") without credentials.
    """
    # AWS_REGION is what the other SDKs read; boto3 reads AWS_DEFAULT_REGION and the profile alone.
    region = os.environ.get("AWS_REGION") or None
    session, settings = _signed_in(bucket, region, endpoint_url)
    endpoint = str(settings.endpoint_url).rstrip("/")
    check_endpoint(endpoint)
    style = (getattr(settings.config, "s3", None) or {}).get("addressing_style", "auto")
    client_options = patience.client(plain_http=endpoint.startswith("http://"))
    _trust(client_options, os.environ.get("AWS_CA_BUNDLE"), bucket)
    try:
        backend = S3Store(
            bucket.name,
            prefix=bucket.prefix,
            config=s3_config(bucket.name, endpoint, region=settings.region_name, style=style),
            client_options=client_options,
            retry_config=patience.retry(),
            credential_provider=Boto3CredentialProvider(session, ttl=_CREDENTIALS_KEPT),
        )
    except BaseError:
        raise StoreError("broken", f"{bucket.url}: the AWS_* variables do not fit together; correct them") from None
    at = "" if _is_amazon(endpoint) else endpoint
    return ObjectStore(backend, dialect="s3", url=bucket.url, at=at, patience=patience)


def _signed_in(bucket: Bucket, region: str | None, endpoint_url: str | None) -> tuple[boto3.Session, ClientMeta]:
    """A session that has credentials, and the region and the endpoint that botocore finds for it."""
    try:
        session = boto3.Session(region_name=region)
        settings = session.client("s3", endpoint_url=endpoint_url).meta
        credentials = session.get_credentials()
    except ProfileNotFound:
        raise StoreError("denied", f"{bucket.url}: AWS_PROFILE names no profile; correct it, or unset it") from None
    except BotoCoreError as error:
        # Its text may hold what a credential process wrote.
        what = f"the AWS settings cannot be used ({type(error).__name__})"
        raise StoreError("denied", f"{bucket.url}: {what}; try `aws sts get-caller-identity`") from None
    except ValueError:
        raise ValueError("AWS_ENDPOINT_URL or the profile's endpoint_url is no URL; write https://host") from None
    if credentials is None:
        wanted = "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        raise StoreError("denied", f"{bucket.url}: no AWS credentials; {wanted}")
    return session, settings


def s3_config(bucket: str, endpoint: str, *, region: str, style: str) -> "S3Config":
    """obstore's settings for a bucket.

    Amazon's endpoints are called by `bucket.host`, apart from buckets with a dot, which no wildcard certificate
    covers; all others by `host/bucket`. The profile's `s3.addressing_style` (`virtual` or `path`) decides otherwise.
    """
    virtual = style == "virtual" or (style == "auto" and _is_amazon(endpoint) and "." not in bucket)
    if virtual:
        parts = urlsplit(endpoint)
        endpoint = parts._replace(netloc=f"{bucket}.{parts.netloc}").geturl()
    return {
        "aws_endpoint_url_s3": endpoint,
        "region": region,
        "virtual_hosted_style_request": virtual,
        "conditional_put": "etag",
        # DELETE of one key answers for that key by its status, and every S3-compatible server knows it.
        "disable_bulk_delete": True,
        "skip_signature": False,
    }


def _is_amazon(endpoint: str) -> bool:
    return _AMAZON.search(urlsplit(endpoint).hostname or "") is not None


def _trust(options: "ClientConfig", bundle: str | None, bucket: Bucket) -> None:
    """Add the certificates that AWS_CA_BUNDLE names: a server of one's own often has its own authority."""
    if not bundle:
        return
    try:
        options["root_certificate"] = Path(bundle).read_bytes()
    except OSError:
        raise StoreError("denied", f"{bucket.url}: AWS_CA_BUNDLE names no readable file; correct it") from None
