"""`cdn-config`: what it prints is valid, follows the policy, and takes nothing that could change its meaning."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from program import run
from repos import Repo

from publisher import edgeconfig
from publisher.cdn import Stale
from publisher.cdns.cloudfront import TAG_HEADER, paths
from publisher.policy import Cache
from publisher.rules.domains import name_fault
from publisher.state import live_headers
from publisher.wanted import KeyFact

pytestmark = pytest.mark.chaos

KEY = KeyFact(kid="k", thumbprint="t", identity="i", alg="ES256", origin="custom", phase="active")
DOMAIN = "id.globex.example"
PATH = "/.well-known/jwks.json"
POLICY = "version: 1\ncache: {max_age: 120, stale_while_revalidate: 30, stale_if_error: 3600}\n"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository with a policy, and no tenants."""
    made = Repo(tmp_path / "repo")
    made.write("keysets/policy.yaml", POLICY)
    made.commit()
    return made


def _config(repo: Repo, *arguments: str) -> str:
    ran = run("cdn-config", *arguments, cwd=repo.path)
    assert ran.code == 0, ran
    return ran.out


class _Loader(yaml.SafeLoader):
    """Takes CloudFormation's short forms (!Sub and the like) as they are."""


def _tagged(loader: _Loader, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return {suffix: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {suffix: loader.construct_sequence(node, deep=True)}
    raise AssertionError(node)


_Loader.add_multi_constructor("!", _tagged)


def _template(repo: Repo, *arguments: str) -> dict[str, Any]:
    text = _config(repo, "cloudfront", "--store", "s3://my-bucket/some/prefix", *arguments)
    template: dict[str, Any] = yaml.load(text, _Loader)  # noqa: S506 - made of SafeLoader
    return template


@pytest.mark.parametrize(
    "arguments",
    [
        ("--store", "s3://my-bucket"),
        ("--store", "s3://my-bucket/some/prefix", "--region", "eu-central-1"),
        ("--store", "s3://my-bucket/some/prefix/", "--multi-tenant"),
    ],
)
def test_cloudformation_finds_nothing_wrong(repo: Repo, arguments: tuple[str, ...]) -> None:
    template = repo.write("cloudfront.yaml", _config(repo, "cloudfront", *arguments))
    lint = "import sys; from cfnlint.runner import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", lint, str(template)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_cloudfront_alone_reads_live_documents_alone(repo: Repo) -> None:
    resources = _template(repo)["Resources"]
    statements = resources["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    allowed = {one["Action"]: one for one in statements if one["Effect"] == "Allow"}
    assert set(allowed) == {"s3:GetObject", "s3:ListBucket"}
    assert allowed["s3:GetObject"]["Resource"]["Sub"].endswith(":s3:::my-bucket/some/prefix/live/*")
    for one in allowed.values():
        assert one["Principal"] == {"Service": "cloudfront.amazonaws.com"}
        assert one["Condition"]["StringEquals"]["AWS:SourceArn"]["Sub"].endswith(":distribution/${Distribution}")
    (origin,) = resources["Distribution"]["Properties"]["DistributionConfig"]["Origins"]
    assert origin["OriginPath"] == "/some/prefix"
    assert origin["OriginAccessControlId"] == {"Ref": "OriginAccessControl"}
    bucket = resources["Bucket"]["Properties"]["PublicAccessBlockConfiguration"]
    assert set(bucket.values()) == {True}


def test_writes_without_a_condition_are_denied_to_everybody(repo: Repo) -> None:
    policy = _template(repo)["Resources"]["BucketPolicy"]["Properties"]["PolicyDocument"]
    (denied,) = [one for one in policy["Statement"] if one["Action"] == "s3:PutObject"]
    assert (denied["Effect"], denied["Principal"]) == ("Deny", "*")
    assert denied["Resource"]["Sub"].endswith(":s3:::my-bucket/some/prefix/*")
    assert denied["Condition"] == {
        "Null": {"s3:if-none-match": "true", "s3:if-match": "true"},
        "Bool": {"s3:ObjectCreationOperation": "true"},
    }


def test_cloudfront_keeps_errors_for_ten_seconds_and_nothing_but_the_path_in_its_key(repo: Repo) -> None:
    resources = _template(repo)["Resources"]
    config = resources["Distribution"]["Properties"]["DistributionConfig"]
    assert {one["ErrorCachingMinTTL"] for one in config["CustomErrorResponses"]} == {10}
    assert config["DefaultCacheBehavior"]["AllowedMethods"] == ["GET", "HEAD"]
    assert config["CacheTagConfig"] == {"HeaderName": TAG_HEADER}
    cache = resources["CachePolicy"]["Properties"]["CachePolicyConfig"]
    assert (cache["DefaultTTL"], cache["MinTTL"]) == (120, 0)
    parts = cache["ParametersInCacheKeyAndForwardedToOrigin"]
    behaviours = {name: value for part in parts.values() if isinstance(part, dict) for name, value in part.items()}
    assert set(behaviours.values()) == {"none"}


def _call(code: str, event: dict[str, Any]) -> Any:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    script = f"{code}\nconsole.log(JSON.stringify(handler({json.dumps(event)})));"
    done = subprocess.run([node, "-e", script], capture_output=True, check=True, timeout=60)
    return json.loads(done.stdout)


def _request(host: str | None, uri: str = PATH) -> dict[str, Any]:
    headers = {} if host is None else {"host": {"value": host}}
    query = {"list-type": {"value": "2"}}
    return {"request": {"method": "GET", "uri": uri, "querystring": query, "headers": headers, "cookies": {}}}


@pytest.fixture(scope="module")
def functions() -> dict[str, str]:
    """The code of the two functions, as it is deployed."""
    text = edgeconfig.cloudfront("s3://b-1", Cache(), region=None, multi_tenant=False, tag_header=TAG_HEADER)
    resources = yaml.load(text, _Loader)["Resources"]  # noqa: S506 - made of SafeLoader
    return {name: resources[name]["Properties"]["FunctionCode"] for name in ("RequestFunction", "ResponseFunction")}


@pytest.mark.parametrize("host", [DOMAIN, DOMAIN.upper(), f"{DOMAIN}:443", f"{DOMAIN}.", f"{DOMAIN}.:443"])
def test_the_function_makes_the_path_of_the_domain(functions: dict[str, str], host: str) -> None:
    changed = _call(functions["RequestFunction"], _request(host))
    assert changed["uri"] == f"/live/{DOMAIN}{PATH}"
    assert changed["querystring"] == {}
    assert changed["uri"] in paths([Stale(domain=DOMAIN, tenant="globex")]), "purges name the same path"


@pytest.mark.parametrize(
    ("host", "uri"),
    [
        (None, PATH),
        ("", PATH),
        ("localhost", PATH),
        ("../documents", PATH),
        ("id_globex.example", PATH),
        ("id.globex.example/..", PATH),
        ("id..globex.example", PATH),
        ("-id.globex.example", PATH),
        ("id.globex.example\n", PATH),
        ("\u212aid.globex.example", PATH),
        (f"{'a' * 64}.example", PATH),
        (".".join(["abcdefgh"] * 32), PATH),
        (DOMAIN, "/"),
        (DOMAIN, "/HEAD.json"),
        (DOMAIN, "//.well-known/jwks.json"),
        (DOMAIN, "/%2ewell-known/jwks.json"),
        (DOMAIN, "/x/../.well-known/jwks.json"),
        (DOMAIN, f"/live/{DOMAIN}{PATH}"),
        (DOMAIN, "/documents/0.json"),
        (DOMAIN, f"{PATH}/"),
    ],
)
def test_the_function_ends_everything_else(functions: dict[str, str], host: str | None, uri: str) -> None:
    answer = _call(functions["RequestFunction"], _request(host, uri))
    assert answer["statusCode"] == 404
    assert answer["headers"]["access-control-allow-origin"] == {"value": "*"}
    assert answer["headers"]["cache-control"] == {"value": "public, max-age=10"}


def test_the_function_adds_headers_and_drops_metadata(functions: dict[str, str]) -> None:
    headers = {"etag": {"value": '"x"'}, "x-amz-meta-tenant": {"value": "globex"}, "x-amz-meta-new": {"value": "y"}}
    response = _call(functions["ResponseFunction"], {"response": {"statusCode": 200, "headers": headers}})
    assert response["headers"] == {
        "etag": {"value": '"x"'},
        "access-control-allow-origin": {"value": "*"},
        "x-content-type-options": {"value": "nosniff"},
    }


def test_cache_times_are_those_of_the_policy(repo: Repo) -> None:
    nginx = _config(repo, "nginx", "--origin", "file:///srv/jwks", "--listen", "127.0.0.1:8080")
    assert '"public, max-age=120, stale-while-revalidate=30, stale-if-error=3600"' in nginx
    assert "listen 127.0.0.1:8080 default_server;" in nginx
    assert "proxy" not in nginx.replace("gzip_proxied", "")
    varnish = _config(repo, "varnish", "--origin", "http://gateway:8080/bucket", "--purge-from", "10.0.0.0/8")
    assert "set req.grace = 30s;" in varnish
    assert '"10.0.0.0"/8;' in varnish
    repo.write("keysets/policy.yaml", "version: 1\n")
    later = Cache().max_age.total_seconds()
    assert f"DefaultTTL: {later:.0f}" in _config(repo, "cloudfront", "--store", "s3://my-bucket")
    assert "DefaultTTL: 120" in _config(repo, "cloudfront", "--store", "s3://my-bucket", "--rev", "HEAD")


def test_a_policy_with_mistakes_makes_no_configuration(repo: Repo) -> None:
    repo.write("keysets/policy.yaml", "version: 1\ncache: {max_age: x}\n")
    ran = run("cdn-config", "nginx", "--origin", "http://gateway", cwd=repo.path)
    assert ran.code == 1
    assert ran.out.startswith("keysets/policy.yaml:2:")
    assert "server" not in ran.out


@pytest.mark.parametrize(
    "url",
    [
        "s3://bucket",
        "gateway:8080",
        "http://",
        "http://gateway/a;return 200",
        "http://gateway/a/$host",
        "http://gateway/a/../b",
        "http://gateway/a//b",
        "http://gateway;/a",
        "http://gateway:99999/a",
        "http://user:secret@gateway/a",
        "http://gateway/a?secret",
        'http://gateway/"; }',
    ],
)
def test_origins_that_could_end_a_directive_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="write http://HOST:PORT/BUCKET/PREFIX") as caught:
        edgeconfig.origin(url)
    assert "secret" not in str(caught.value)
    with pytest.raises(ValueError, match="write http://HOST:PORT"):
        edgeconfig.varnish(url, Cache(), purge_from=())


@pytest.mark.parametrize(
    ("url", "listen", "cache_dir"),
    [
        ("file:///srv/jwks; }", "80", "/var/x"),
        ("file:///srv/../etc", "80", "/var/x"),
        ("file://srv", "80", "/var/x"),
        ("http://gateway", "80; }", "/var/x"),
        ("http://gateway", "65536", "/var/x"),
        ("http://gateway", "80", "/var/x y"),
        ("http://gateway", "80", "cache"),
    ],
)
def test_nginx_takes_no_value_that_could_end_a_directive(url: str, listen: str, cache_dir: str) -> None:
    with pytest.raises(ValueError, match=r"listens on|an absolute path of"):
        edgeconfig.nginx(url, Cache(), listen=listen, cache_dir=cache_dir)


@pytest.mark.parametrize("network", ['localhost"; }', "10.0.0.1/8", ""])
def test_varnish_lets_no_other_than_networks_purge(network: str) -> None:
    with pytest.raises(ValueError, match="IP address or network"):
        edgeconfig.varnish("http://gateway", Cache(), purge_from=(network,))


@pytest.mark.parametrize(
    ("store", "region"),
    [
        ("gs://bucket", None),
        ("s3://Bucket", None),
        ("s3://bucket/a b", None),
        ("s3://bucket/${AWS::AccountId}", None),
        ("s3://bucket/../x", None),
        ("s3://bucket", "eu: central"),
    ],
)
def test_cloudfront_takes_a_bucket_and_a_region(store: str, region: str | None) -> None:
    with pytest.raises(ValueError, match=r"write s3://bucket/prefix|as eu-central-1"):
        edgeconfig.cloudfront(store, Cache(), region=region, multi_tenant=False, tag_header=TAG_HEADER)


def test_what_fits_nowhere_is_a_usage_error(repo: Repo) -> None:
    ran = run("cdn-config", "varnish", "--origin", "https://gateway", cwd=repo.path)
    assert (ran.code, ran.out) == (2, "")
    assert "Varnish speaks no TLS" in ran.err


def test_no_edge_passes_on_what_documents_are_marked_with() -> None:
    """A new name in `live_headers` goes into edgeconfig's list, too; CloudFront's function drops them by the prefix."""
    headers = live_headers(DOMAIN, "globex", b"", "public", 1, withdrawn=True)
    marks = [f"x-amz-meta-{name}" for name, _ in headers.metadata]
    assert TAG_HEADER in marks, "purges by tag need it"
    nginx = edgeconfig.nginx("http://gateway", Cache(), listen="80", cache_dir="/var/x")
    varnish = edgeconfig.varnish("http://gateway", Cache(), purge_from=())
    for mark in marks:
        assert f"proxy_hide_header {mark};" in nginx
        assert f"unset resp.http.{mark};" in varnish


def test_every_domain_that_can_be_published_is_one_that_edges_serve(functions: dict[str, str]) -> None:
    for domain in (DOMAIN, "xn--bcher-kva.example", "a.b", f"{'a' * 63}.example", "1.example", "a-b.c-d.example"):
        assert name_fault(domain) is None, domain
        assert _call(functions["RequestFunction"], _request(domain))["uri"] == f"/live/{domain}{PATH}"
