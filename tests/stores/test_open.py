"""Which URLs are taken, and what is said about the others."""

import subprocess
import sys
from pathlib import Path

import pytest

from publisher.store import StoreError
from publisher.stores import open_store

SECRET = "hunter2hunter2"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("file:///srv/store", "file:///srv/store"),
        ("file://localhost/srv/store", "file:///srv/store"),
        ("file:///srv/a%20store/", "file:///srv/a%20store"),
        ("memory://", "memory://"),
    ],
)
def test_good_urls(url: str, shown: str) -> None:
    assert open_store(url).url == shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("s3://bucket", "s3://bucket"),
        ("s3://bucket/", "s3://bucket"),
        ("s3://my.bucket/a/b/", "s3://my.bucket/a/b"),
    ],
)
def test_good_s3_urls(s3_bucket: str, url: str, shown: str) -> None:
    assert open_store(url).url == shown


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("", "write file:///absolute/dir, s3://bucket/prefix"),
        ("build/store", "write file:///absolute/dir"),
        ("/srv/store", "write file:///absolute/dir"),
        ("https://bucket.s3.amazonaws.com/", "write file:///absolute/dir, s3://bucket/prefix"),
        ("file://build/store", "write file:///absolute/dir"),
        ("file:build/store", "write file:///absolute/dir"),
        ("file:///", "write file:///absolute/dir"),
        ("file:///a%00b", "write file:///absolute/dir"),
        ("file:///srv/store#x", "no `#`"),
        ("memory://name", "write memory://"),
        ("s3:", "write s3://bucket/prefix"),
        ("s3:///prefix", "write s3://bucket/prefix"),
        ("s3://b", "write s3://bucket/prefix"),
        ("s3://bucket:80/x", "write s3://bucket/prefix"),
        ("s3://bucket/a//b", "write s3://bucket/prefix"),
        ("s3://bucket/../b", "write s3://bucket/prefix"),
        ("s3://bucket/a b", "write s3://bucket/prefix"),
        ("gs://bu cket/a", "write gs://bucket/prefix"),
        ("az://Container/a", "write az://container/prefix"),
        ("s3://buck\net/a", "no control characters"),
    ],
)
def test_bad_urls_say_what_to_write(url: str, wanted: str) -> None:
    with pytest.raises(ValueError, match=r"\S") as caught:
        open_store(url)
    assert wanted in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        f"s3://AKIA:{SECRET}@bucket/prefix",
        f"s3://{SECRET}@bucket",
        f"s3://bucket:{SECRET}/prefix",
        f"az://container/prefix?sv=1&sig={SECRET}",
        f"https://user:{SECRET}@host/bucket",
        f"gs://bucket/#{SECRET}",
        f"file://user:{SECRET}@localhost/srv",
        f"ftp://{SECRET}/x",
    ],
)
def test_credentials_are_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ValueError, match=r"\S") as caught:
        open_store(url)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    "endpoint", ["", "127.0.0.1:9000", "ftp://host", "http://", "https://host/path", f"http://a:{SECRET}@host"]
)
def test_bad_endpoints(s3_bucket: str, endpoint: str) -> None:
    with pytest.raises(ValueError, match=r"\S") as caught:
        open_store(f"s3://{s3_bucket}", endpoint_url=endpoint)
    assert SECRET not in str(caught.value)


def test_an_endpoint_is_for_s3_alone() -> None:
    with pytest.raises(ValueError, match="s3:// only"):
        open_store("memory://", endpoint_url="http://127.0.0.1:9000")


def test_a_container_for_a_static_site(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    assert open_store("az://$web/keys").url == "az://$web/keys"


def test_azure_without_an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    with pytest.raises(StoreError, match=r"\Aaz://container: .*AZURE_STORAGE_ACCOUNT_NAME\Z") as caught:
        open_store("az://container")
    assert caught.value.trouble == "denied"


def test_google_with_unreadable_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT", str(tmp_path / "none.json"))
    with pytest.raises(StoreError, match=r"\Ags://bucket/p: the credentials cannot be read[^\n]*\Z") as caught:
        open_store("gs://bucket/p")
    assert caught.value.trouble == "denied"


def test_a_folder_does_not_load_the_cloud_libraries() -> None:
    code = (
        "import sys\n"
        "from publisher.stores import open_store\n"
        "open_store('file:///srv/store')\n"
        "print(sorted({'boto3', 'botocore', 'obstore'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
