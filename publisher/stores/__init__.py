"""The edges where objects are kept. Only `cli` imports this package, and only `open_store` from it.

`file` is a folder; `objects` is S3, Google Cloud Storage, Azure Blob Storage and memory through obstore; `aws` turns
the usual AWS settings into an S3 store. boto3 and obstore are imported when a URL asks for them: `file://` starts
without their 160 ms.
"""

from typing import assert_never

from publisher.store import Store
from publisher.stores.address import Bucket, Folder, Memory, check_endpoint, parse

__all__ = ["open_store"]


def open_store(url: str, *, endpoint_url: str | None = None) -> Store:
    """The store at a URL.

    - `file:///absolute/dir` (or `file://localhost/absolute/dir`): a folder, made by the first write. Blanks and the
      like are percent-encoded.
    - `s3://bucket/prefix`: Amazon S3 or a server that speaks its protocol. Credentials, region and endpoint come from
      the usual AWS settings: environment, profile, SSO, container or instance role. `endpoint_url` (http or https)
      wins over AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL and the profile's endpoint_url.
    - `gs://bucket/prefix`: Google Cloud Storage; credentials as Google's libraries find them
      (GOOGLE_APPLICATION_CREDENTIALS, gcloud's login, the instance).
    - `az://container/prefix`: Azure Blob Storage; AZURE_STORAGE_ACCOUNT_NAME, and AZURE_STORAGE_ACCOUNT_KEY or another
      of the credentials that obstore reads (https://developmentseed.org/obstore/latest/api/store/azure/).
    - `memory://`: an empty store that lives as long as the value that is returned; for tests and for trying.

    Raises ValueError, in one line that says what to write, for any other URL, and for one with credentials, which
    are not shown. Raises StoreError("denied") where no credentials can be found. Nothing is sent to the store yet.
    """
    address = parse(url)
    if endpoint_url is not None:
        if not (isinstance(address, Bucket) and address.scheme == "s3"):
            raise ValueError("an endpoint URL goes with s3:// only; leave it out")
        check_endpoint(endpoint_url)
    match address:
        case Folder():
            from publisher.stores.file import FileStore

            return FileStore(address.path)
        case Memory():
            from publisher.stores.objects import open_memory

            return open_memory()
        case Bucket():
            return _open_bucket(address, endpoint_url)
        case _:
            assert_never(address)


def _open_bucket(bucket: Bucket, endpoint_url: str | None) -> Store:
    from publisher.stores.objects import open_azure, open_gcs

    match bucket.scheme:
        case "s3":
            from publisher.stores.aws import open_s3

            return open_s3(bucket, endpoint_url=endpoint_url)
        case "gs":
            return open_gcs(bucket)
        case "az":
            return open_azure(bucket)
        case _:
            assert_never(bucket.scheme)
