"""S3 alone: the usual settings, where objects are put, and a bucket that is not there. Over HTTP."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import obstore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from obstore.store import S3Store
from s3server import S3Server, use_settings

from publisher.store import Headers, Store, StoreError
from publisher.stores import open_store
from publisher.stores.address import Bucket
from publisher.stores.aws import open_s3
from publisher.stores.patience import Patience

from .stub import BODY, Stub

JSON = Headers(content_type="application/json", cache_control="max-age=300", metadata=(("sha256", "ab" * 32),))
NOWHERE = "http://127.0.0.1:9"


async def _list(store: Store, prefix: str) -> list[str]:
    return [key async for key in store.keys(prefix)]


def test_objects_lie_below_the_prefix_with_plain_s3_headers(s3_server: S3Server, s3_bucket: str) -> None:
    asyncio.run(open_store(f"s3://{s3_bucket}/some/prefix").put("live/x", b"body", JSON, replaces=None))
    found = s3_server.client().get_object(Bucket=s3_bucket, Key="some/prefix/live/x")
    assert found["Body"].read() == b"body"
    assert (found["ContentType"], found["CacheControl"]) == ("application/json", "max-age=300")
    assert found["Metadata"] == {"sha256": "ab" * 32}
    assert asyncio.run(open_store(f"s3://{s3_bucket}/some").get("live/x")) is None
    assert asyncio.run(_list(open_store(f"s3://{s3_bucket}"), "some/prefix/")) == ["some/prefix/live/x"]


def test_what_others_put_there(s3_server: S3Server, s3_bucket: str) -> None:
    client, store = s3_server.client(), open_store(f"s3://{s3_bucket}/p")
    client.put_object(Bucket=s3_bucket, Key="p/live/", Body=b"")
    client.put_object(Bucket=s3_bucket, Key="p/live/clé", Body=b"x")
    client.put_object(Bucket=s3_bucket, Key="p/live/bare", Body=b"x", ContentEncoding="gzip")
    assert asyncio.run(_list(store, "live/")) == ["live/bare"]
    stored = asyncio.run(store.get("live/bare"))
    assert stored is not None
    assert (stored.headers.cache_control, stored.headers.metadata) == ("", ())


def test_no_bucket_is_no_missing_object(s3_bucket: str) -> None:
    async def go() -> None:
        store = open_store("s3://there-is-no-such-bucket/p")
        for call in (
            store.get("a/b"),
            store.put("a/b", b"x", JSON, replaces=None),
            store.put("a/b", b"x", JSON, replaces="token"),
            _list(store, "a/"),
        ):
            with pytest.raises(
                StoreError, match=r"\As3://there-is-no-such-bucket/p at http://[^\n]*no such bucket"
            ) as e:
                await call
            assert e.value.trouble == "no-store"

    asyncio.run(go())


def test_no_credentials(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {name: value for name, value in s3_server.settings.items() if "ACCESS" not in name}
    use_settings(monkeypatch, settings)
    with pytest.raises(StoreError, match=r"\As3://bucket/p: no AWS credentials; set AWS_PROFILE[^\n]*\Z") as caught:
        open_store("s3://bucket/p")
    assert caught.value.trouble == "denied"


def test_a_profile_that_is_not_there(s3_bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(StoreError, match=r"\As3://bucket: AWS_PROFILE names no profile[^\n]*\Z") as caught:
        open_store("s3://bucket")
    assert caught.value.trouble == "denied"


def test_credentials_that_cannot_be_fetched(
    stub: Stub, s3_bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text("[profile dead]\ncredential_process = sh -c 'echo hunter2 >&2; exit 1'\n")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_PROFILE", "dead")
    with pytest.raises(StoreError, match=r"CredentialRetrievalError[^\n]*\Z") as caught:
        open_store("s3://bucket", endpoint_url=stub.endpoint_url)
    assert caught.value.trouble == "denied"
    assert "hunter2" not in str(caught.value)


def test_a_role_that_may_not_be_assumed(
    stub: Stub, s3_bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text(
        "[profile role]\nrole_arn = arn:aws:iam::123456789012:role/publisher\nsource_profile = me\n"
        "[profile me]\naws_access_key_id = mine\naws_secret_access_key = hunter2\n"
    )
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_PROFILE", "role")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", stub.endpoint_url)
    stub.answers = [(403, "AccessDenied")]
    with pytest.raises(StoreError, match=r"credentials cannot be fetched \(ClientError\)[^\n]*\Z") as caught:
        asyncio.run(open_store("s3://bucket", endpoint_url=stub.endpoint_url).get("a"))
    assert caught.value.trouble == "denied"
    assert [request.method for request in stub.requests] == ["POST"]


@pytest.mark.parametrize("bad", ["nonsense", "http://user:hunter2@host", "http://host/path"])
def test_an_endpoint_in_the_settings_that_is_none(s3_bucket: str, monkeypatch: pytest.MonkeyPatch, bad: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", bad)
    with pytest.raises(ValueError, match="write ") as caught:
        open_store("s3://bucket")
    assert "hunter2" not in str(caught.value)


def test_the_endpoint_argument_wins(stub: Stub, s3_bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", NOWHERE)
    asyncio.run(open_store("s3://bucket/p", endpoint_url=stub.endpoint_url).get("a/b"))
    assert [request.path for request in stub.requests] == ["/bucket/p/a/b"]


def test_the_s3_variable_wins_over_the_general_one(stub: Stub, s3_bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", NOWHERE)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", stub.endpoint_url)
    asyncio.run(open_store("s3://bucket").get("a"))
    assert len(stub.requests) == 1


def test_a_profile_gives_everything(
    stub: Stub, s3_bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text(
        f"[profile mine]\nregion = eu-west-3\nendpoint_url = {stub.endpoint_url}\n"
        "aws_access_key_id = FROMPROFILE\naws_secret_access_key = secret\n"
    )
    use_settings(monkeypatch, {"AWS_CONFIG_FILE": str(config), "AWS_PROFILE": "mine"})
    asyncio.run(open_store("s3://bucket").get("a"))
    assert "Credential=FROMPROFILE/" in stub.requests[0].headers["authorization"]
    assert "/eu-west-3/s3/" in stub.requests[0].headers["authorization"]


def test_the_region_variables(stub: Stub, s3_bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", stub.endpoint_url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    asyncio.run(open_store("s3://bucket").get("a"))
    monkeypatch.setenv("AWS_REGION", "ap-south-1")
    asyncio.run(open_store("s3://bucket").get("a"))
    regions = [request.headers["authorization"].split("/")[2] for request in stub.requests]
    assert regions == ["eu-west-3", "ap-south-1"]


@pytest.mark.parametrize(
    ("bucket", "region", "start"),
    [
        ("bucket", "eu-west-3", "https://bucket.s3.eu-west-3.amazonaws.com/p/a?"),
        ("bucket", "us-east-1", "https://bucket.s3.amazonaws.com/p/a?"),
        ("bucket", "cn-north-1", "https://bucket.s3.cn-north-1.amazonaws.com.cn/p/a?"),
        ("my.bucket", "eu-west-3", "https://s3.eu-west-3.amazonaws.com/my.bucket/p/a?"),
    ],
)
def test_amazons_own_addresses(
    s3_bucket: str, monkeypatch: pytest.MonkeyPatch, bucket: str, region: str, start: str
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_REGION", region)
    backend = open_s3(Bucket(scheme="s3", name=bucket, prefix="p"))._backend
    assert isinstance(backend, S3Store)
    # Nothing is sent: a signed URL shows where a request would go.
    assert obstore.sign(backend, "GET", "a", expires_in=timedelta(minutes=1)).startswith(start)


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """A PEM file with a certificate for 127.0.0.1 that no system trusts, and its private key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    certificate = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key(), serial_number=1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2090, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "authority.pem"
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(certificate.public_bytes(pem) + secret)
    return file


def test_a_server_with_an_authority_of_its_own(
    s3_bucket: str, monkeypatch: pytest.MonkeyPatch, authority: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority)
    with Stub(tls=context) as stub:
        bucket = Bucket(scheme="s3", name="bucket", prefix="")
        once = Patience(retries=0)
        with pytest.raises(StoreError, match=r"certificate is not trusted; [^\n]*AWS_CA_BUNDLE\Z") as caught:
            asyncio.run(open_s3(bucket, endpoint_url=stub.endpoint_url, patience=once).get("a"))
        assert caught.value.trouble == "unreachable"
        monkeypatch.setenv("AWS_CA_BUNDLE", str(authority))
        stored = asyncio.run(open_s3(bucket, endpoint_url=stub.endpoint_url, patience=once).get("a"))
        assert stored is not None
        assert stored.body == BODY


def test_a_bundle_of_certificates_that_cannot_be_read(s3_bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", "/nowhere/bundle.pem")
    with pytest.raises(StoreError, match="AWS_CA_BUNDLE names no readable file") as caught:
        open_store("s3://bucket")
    assert caught.value.trouble == "denied"
