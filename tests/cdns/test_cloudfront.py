"""CloudFront invalidations: over HTTP against moto's server, and what moto has not against botocore's stubs."""

import asyncio
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from s3server import S3Server, use_settings

from publisher.cdn import CdnError, Stale
from publisher.cdns import open_cdn
from publisher.cdns.cloudfront import ONE_BY_ONE, CloudFront, How, caller_reference, paths

from .tenants import Tenants

VIEWER = "/.well-known/jwks.json"
ACME = [Stale(domain="login.acme.example", tenant="acme"), Stale(domain="auth.acme.example", tenant="acme")]
GLOBEX = Stale(domain="id.globex.example", tenant="globex")
ID = "E2EXAMPLE"
DONE = {
    "Location": "https://cloudfront.example",
    "Invalidation": {
        "Id": "I1",
        "Status": "InProgress",
        "CreateTime": datetime(2026, 1, 1, tzinfo=UTC),
        "InvalidationBatch": {"Paths": {"Quantity": 1, "Items": ["/"]}, "CallerReference": "x"},
    },
}


@pytest.fixture
def distribution(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """A distribution at moto's server, which the AWS variables of this test lead to."""
    use_settings(monkeypatch, s3_server.settings)
    origin = {"Id": "o", "DomainName": "bucket.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
    behavior = {
        "TargetOriginId": "o",
        "ViewerProtocolPolicy": "https-only",
        "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
        "MinTTL": 0,
    }
    config = {
        "CallerReference": uuid.uuid4().hex,
        "Comment": "",
        "Enabled": True,
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": behavior,
    }
    made: str = _client().create_distribution(DistributionConfig=config)["Distribution"]["Id"]
    return made


def _client() -> Any:
    return boto3.client("cloudfront", region_name="us-east-1")


def _invalidations(distribution: str) -> list[dict[str, Any]]:
    client = _client()
    listed = client.list_invalidations(DistributionId=distribution)["InvalidationList"].get("Items", [])
    return [client.get_invalidation(DistributionId=distribution, Id=one["Id"])["Invalidation"] for one in listed]


def test_paths_are_invalidated_over_http(distribution: str) -> None:
    cdn = open_cdn(f"cloudfront:{distribution}")
    assert asyncio.run(cdn.purge(ACME, "release 7")) == "an invalidation of 3 paths"
    (made,) = _invalidations(distribution)
    expected = [VIEWER, "/live/auth.acme.example" + VIEWER, "/live/login.acme.example" + VIEWER]
    assert made["InvalidationBatch"]["Paths"]["Items"] == expected
    assert made["InvalidationBatch"]["CallerReference"] == caller_reference(distribution, expected, "release 7")


def test_nothing_stale_asks_nothing(distribution: str) -> None:
    assert asyncio.run(open_cdn(f"cloudfront:{distribution}").purge([], "release 7")) == "nothing to invalidate"
    assert _invalidations(distribution) == []


def test_a_distribution_that_does_not_exist_is_one_line(distribution: str) -> None:
    with pytest.raises(CdnError, match=r"^cloudfront:E0MISSING: there is no such distribution; correct its id$"):
        asyncio.run(open_cdn("cloudfront:E0MISSING").purge(ACME, "now"))


def test_credentials_are_asked_for_before_anything_is_sent(
    s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {name: value for name, value in s3_server.settings.items() if "KEY" not in name}
    use_settings(monkeypatch, settings)
    with pytest.raises(CdnError, match="no AWS credentials"):
        open_cdn(f"cloudfront:{ID}")


@pytest.mark.parametrize("spec", ["cloudfront:", "cloudfront:e2example", f"cloudfront:{ID}/all", f"cloudfront:{ID}/"])
def test_what_names_no_distribution_is_refused(spec: str) -> None:
    with pytest.raises(ValueError, match="write cloudfront:DISTRIBUTION, as"):
        open_cdn(spec)


def test_the_reference_is_the_same_for_a_retry_and_another_for_another_occasion() -> None:
    first = caller_reference(ID, ["/a", "/b"], "release 7")
    assert first == caller_reference(ID, ["/a", "/b"], "release 7")
    others = {
        caller_reference(ID, ["/a", "/b"], "release 8"),
        caller_reference(ID, ["/a"], "release 7"),
        caller_reference("E3EXAMPLE", ["/a", "/b"], "release 7"),
        caller_reference(ID, ["/b", "/a"], "release 7"),
    }
    assert first not in others
    assert len(others) == 4
    assert len(first) <= 128


def test_many_domains_are_one_path_with_a_star() -> None:
    many = [Stale(domain=f"d{number}.example.org", tenant="t") for number in range(ONE_BY_ONE + 1)]
    assert paths(many) == [VIEWER, "/live/*"]
    assert len(paths(many[1:])) == ONE_BY_ONE + 1


@pytest.fixture
def stubbed() -> Iterator[tuple[Any, Stubber]]:
    """A client that answers what it is told, and fails a test that asks for anything else."""
    client = boto3.client("cloudfront", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stubber:
        yield client, stubber
        stubber.assert_no_pending_responses()


def _cdn(client: Any, how: How, pauses: Sequence[float] = (0.0, 0.0)) -> CloudFront:
    return CloudFront(client=client, distribution=ID, how=how, pauses=tuple(pauses))


def _batch(items: list[str], target: str = ID) -> dict[str, Any]:
    reference = caller_reference(target, items, "now")
    return {"Paths": {"Quantity": len(items), "Items": items}, "CallerReference": reference}


def test_a_full_quota_is_waited_for_with_the_same_reference(stubbed: tuple[Any, Stubber]) -> None:
    client, stubber = stubbed
    expected = {"DistributionId": ID, "InvalidationBatch": _batch(paths(ACME))}
    for _ in range(2):
        stubber.add_client_error("create_invalidation", "TooManyInvalidationsInProgress", expected_params=expected)
    stubber.add_response("create_invalidation", DONE, expected)
    assert asyncio.run(_cdn(client, "paths").purge(ACME, "now")) == "an invalidation of 3 paths"


def test_a_quota_that_stays_full_ends_it(stubbed: tuple[Any, Stubber]) -> None:
    client, stubber = stubbed
    for _ in range(3):
        stubber.add_client_error("create_invalidation", "TooManyInvalidationsInProgress")
    with pytest.raises(CdnError, match="too many invalidations are in progress"):
        asyncio.run(_cdn(client, "paths").purge(ACME, "now"))


@pytest.mark.parametrize(
    ("code", "text"),
    [("AccessDenied", "allow cloudfront:CreateInvalidation"), ("ExpiredToken", r"refuses it \(ExpiredToken\)")],
)
def test_other_errors_are_not_tried_again(stubbed: tuple[Any, Stubber], code: str, text: str) -> None:
    client, stubber = stubbed
    stubber.add_client_error("create_invalidation", code, "the message may hold an ARN")
    with pytest.raises(CdnError, match=text) as caught:
        asyncio.run(_cdn(client, "paths").purge(ACME, "now"))
    assert "ARN" not in str(caught.value)


def _config(**more: Any) -> dict[str, Any]:
    required = {
        "CallerReference": "c",
        "Origins": {"Quantity": 1, "Items": [{"Id": "o", "DomainName": "bucket.s3.amazonaws.com"}]},
        "DefaultCacheBehavior": {"TargetOriginId": "o", "ViewerProtocolPolicy": "https-only"},
        "Comment": "",
        "Enabled": True,
    }
    return {"ETag": "e", "DistributionConfig": {**required, **more}}


def test_tags_name_each_tenant_once(stubbed: tuple[Any, Stubber]) -> None:
    client, stubber = stubbed
    config = _config(CacheTagConfig={"HeaderName": "X-Amz-Meta-Tenant"})
    stubber.add_response("get_distribution_config", config, {"Id": ID})
    expected = {"DistributionId": ID, "InvalidationBatch": _batch(["#acme", "#globex"])}
    stubber.add_response("create_invalidation", DONE, expected)
    cdn = _cdn(client, "tags")
    assert asyncio.run(cdn.purge([*ACME, GLOBEX], "now")) == "an invalidation of 2 paths"
    assert cdn.name == f"cloudfront:{ID}/tags"


@pytest.mark.parametrize("config", [{}, {"CacheTagConfig": {"HeaderName": "x-amz-meta-cache-tag"}}])
def test_tags_that_the_distribution_would_ignore_are_refused(stubbed: tuple[Any, Stubber], config: Any) -> None:
    client, stubber = stubbed
    stubber.add_response("get_distribution_config", _config(**config), {"Id": ID})
    with pytest.raises(CdnError, match="does not read cache tags from x-amz-meta-tenant"):
        asyncio.run(_cdn(client, "tags").purge(ACME, "now"))


@pytest.fixture
def tenants(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tenants]:
    """A server of distribution tenants, which the AWS variables of this test lead to."""
    with Tenants() as server:
        use_settings(monkeypatch, S3Server(endpoint_url=server.url).settings)
        yield server


def test_each_distribution_tenant_is_invalidated_for_its_own_domains(tenants: Tenants) -> None:
    tenants.serve(ID, {"login.acme.example": "dt_a", "auth.acme.example": "dt_a", "id.globex.example": "dt_g"})
    done = asyncio.run(open_cdn(f"cloudfront:{ID}/tenants").purge([*ACME, GLOBEX], "now"))
    assert done == "an invalidation of 5 paths of 2 distribution tenants"
    assert tenants.invalidated == {"dt_a": paths(ACME), "dt_g": paths([GLOBEX])}


def test_a_domain_that_no_tenant_serves_is_named_and_the_others_are_purged(tenants: Tenants) -> None:
    tenants.serve(ID, {"login.acme.example": "dt_a", "auth.acme.example": "dt_b"})
    tenants.serve("E9OTHER", {"x.example.org": "dt_x"})
    elsewhere = Stale(domain="x.example.org", tenant="x")
    with pytest.raises(CdnError, match=r"no distribution tenant serves id\.globex\.example.*and 1 more such failure"):
        asyncio.run(open_cdn(f"cloudfront:{ID}/tenants").purge([*ACME, GLOBEX, elsewhere], "now"))
    assert tenants.invalidated == {"dt_a": paths(ACME[:1]), "dt_b": paths(ACME[1:])}
