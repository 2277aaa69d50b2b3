"""nginx and Varnish in front of a bucket that stays as it is: what is served, and what is never reached."""

import gzip
import hashlib
import json
import re
from collections.abc import Iterator

import pytest
from s3server import S3Server
from signing import Signer

from .edges import PATH, Kind
from .world import ACME, GLOBEX, PREFIX, World, world

pytestmark = pytest.mark.cdn

LIVE = re.compile(rf"/bucket-[0-9a-f]+/{PREFIX}/live/((?:[a-z0-9-]+\.)+[a-z0-9-]+)/\.well-known/jwks\.json")
HOSTS = {
    "with a port": f"{GLOBEX}:8080",
    "in upper case": GLOBEX.upper(),
    "with a trailing dot": f"{GLOBEX}.",
    "with a dot and a port": f"{GLOBEX}.:443",
}
REFUSED_HOSTS = [
    "unknown.example",
    "localhost",
    "127.0.0.1",
    "[::1]",
    "",
    "id_globex.example",
    "id.globex.example/..",
    "..",
    "../../documents",
    "id.globex.example%2f..",
    "%69d.globex.example",
    "id.globex.example#",
    "id.globex.example\\..",
    "-id.globex.example",
    "id..globex.example",
    ".id.globex.example",
    "*.globex.example",
    "id.globex.example@login.acme.example",
    "id.globex.example, login.acme.example",
    "xn--\u00e4.example",
    f"{'a' * 64}.example",
    ".".join(["abcdefgh"] * 32),
]
REFUSED_TARGETS = [
    "/",
    "/.well-known",
    "/.well-known/",
    "/.well-known/jwks.json/",
    "/.well-known/jwks.json/..",
    "/.well-known/jwks.jsonx",
    "/.well-known/JWKS.json",
    "//.well-known/jwks.json",
    "/.well-known//jwks.json",
    "/./.well-known/jwks.json",
    "/x/../.well-known/jwks.json",
    "/%2ewell-known/jwks.json",
    "/.well-known%2fjwks.json",
    "/.well-known%2Fjwks.json",
    "/.well-known/jwks%2ejson",
    "/.well-known/jwks.json%00",
    "/.well-known/jwks.json%3f",
    "/.well-known/jwks.json;a",
    "/HEAD.json",
    "/releases/0000000001.json",
    "/documents/{digest}.json",
    "/live/id.globex.example/.well-known/jwks.json",
    "/live/../documents/{digest}.json",
    "/.well-known/../documents/{digest}.json",
    "/.well-known/../../documents/{digest}.json",
    "/.well-known/%2e%2e/%2e%2e/documents/{digest}.json",
    "/.well-known/..%2f..%2fdocuments%2f{digest}.json",
    "/.well-known/jwks.json/../../../../documents/{digest}.json",
    "/?list-type=2&prefix=documents/",
    "*",
]


@pytest.fixture(scope="module", params=["nginx", "varnish"])
def edged(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    s3_server: S3Server,
    signers: dict[str, Signer],
) -> Iterator[World]:
    """An edge with long cache times, and a bucket with other objects beside the live ones."""
    kind: Kind = request.param
    with world(kind, tmp_path_factory.mktemp(kind), s3_server, signers) as made:
        bucket = made.store.removeprefix("s3://").partition("/")[0]
        for key in ("HEAD.json", "releases/0000000001.json"):
            s3_server.client().head_object(Bucket=bucket, Key=f"{PREFIX}/{key}")
        yield made
        asked = made.gateway.asked
        assert {one.method for one in asked} <= {"GET"}  # a worker may have got refused paths alone
        strange = [one.target for one in asked if not LIVE.fullmatch(one.target)]
        assert strange == [], "something else than a live document was asked for"


def _expected(made: World, domain: str) -> bytes:
    bucket = made.store.removeprefix("s3://").partition("/")[0]
    client = S3Server(endpoint_url=made.settings["AWS_ENDPOINT_URL"]).client()
    body: bytes = client.get_object(Bucket=bucket, Key=f"{PREFIX}/live/{domain}{PATH}")["Body"].read()
    return body


def test_a_miss_and_then_hits_which_the_origin_does_not_see(edged: World) -> None:
    domain = ACME[0]
    first = edged.edge.get(domain)
    before = len(edged.gateway.asked)
    second = edged.edge.get(domain)
    assert [first.headers["x-cache"], second.headers["x-cache"]] == ["MISS", "HIT"]
    assert first.body == second.body == _expected(edged, domain)
    assert len(edged.gateway.asked) == before


def test_a_stranger_finds_every_document_as_it_is_to_be(edged: World) -> None:
    verified = edged.verify()
    assert verified.code == 0, verified
    assert verified.out.startswith("3 domains as in")


def test_each_domain_has_its_own_document(edged: World) -> None:
    assert edged.kids(GLOBEX) == ["globex-key"]
    assert edged.kids(ACME[0]) == edged.kids(ACME[1]) == ["own-ec"]


@pytest.mark.parametrize("host", HOSTS.values(), ids=HOSTS)
def test_one_domain_in_other_spellings_is_one_copy(edged: World, host: str) -> None:
    edged.edge.get(GLOBEX)
    answer = edged.edge.get(host)
    assert (answer.status, answer.headers["x-cache"]) == (200, "HIT")
    assert answer.body == _expected(edged, GLOBEX)


def test_queries_are_ignored(edged: World) -> None:
    edged.edge.get(GLOBEX)
    for query in ("?", "?a=1", "?list-type=2", "?versionId=x&%2e%2e/"):
        answer = edged.edge.get(GLOBEX, PATH + query)
        assert (answer.status, answer.headers["x-cache"]) == (200, "HIT"), query


@pytest.mark.parametrize("host", REFUSED_HOSTS)
def test_no_other_host_reaches_anything(edged: World, host: str) -> None:
    received = edged.edge.raw(f"GET {PATH} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode("latin-1"))
    assert received.startswith((b"HTTP/1.1 404 ", b"HTTP/1.1 400 ")), received
    assert b"keys" not in received


@pytest.mark.parametrize("target", REFUSED_TARGETS)
def test_no_other_path_reaches_anything(edged: World, target: str) -> None:
    digest = hashlib.sha256(_expected(edged, GLOBEX)).hexdigest()
    head = f"GET {target.format(digest=digest)} HTTP/1.1\r\nHost: {GLOBEX}\r\nConnection: close\r\n\r\n"
    received = edged.edge.raw(head.encode())
    assert received.startswith((b"HTTP/1.1 404 ", b"HTTP/1.1 400 ")), received
    assert b'"keys"' not in received
    assert b"private" not in received


def _status_and_body(received: bytes) -> tuple[int, bytes]:
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def test_an_absolute_target_names_the_domain_whatever_the_host_header_says(edged: World) -> None:
    for scheme in ("http", "HTTP"):
        head = f"GET {scheme}://{GLOBEX}{PATH} HTTP/1.1\r\nHost: {ACME[0]}\r\nConnection: close\r\n\r\n"
        status, body = _status_and_body(edged.edge.raw(head.encode()))
        assert (status, b"globex-key" in body, b"own-ec" in body) == (200, True, False) or status in (400, 404)
    assert edged.kids(ACME[0]) == ["own-ec"], "no copy was put under another domain"
    assert edged.kids(GLOBEX) == ["globex-key"]


@pytest.mark.parametrize(
    "target",
    [
        f"http://{GLOBEX}/HEAD.json",
        f"http://{GLOBEX}/..{PATH}",
        f"http://{GLOBEX}/%2e{PATH}",
        f"http://{GLOBEX}@{ACME[0]}{PATH}",
        f"http:///{PATH}",
        f"http://unknown.example{PATH}",
        f"http://{GLOBEX}:x{PATH}",
    ],
)
def test_other_absolute_targets_reach_nothing(edged: World, target: str) -> None:
    head = f"GET {target} HTTP/1.1\r\nHost: {ACME[0]}\r\nConnection: close\r\n\r\n"
    status, body = _status_and_body(edged.edge.raw(head.encode()))
    assert status in (400, 404), body
    assert b'"keys"' not in body


def test_two_hosts_are_refused_or_one_of_them_is_answered_for(edged: World) -> None:
    head = f"GET {PATH} HTTP/1.1\r\nHost: {GLOBEX}\r\nHost: {ACME[0]}\r\nConnection: close\r\n\r\n"
    edged.edge.raw(head.encode())
    assert edged.kids(GLOBEX) == ["globex-key"]
    assert edged.kids(ACME[0]) == ["own-ec"]


def test_no_host_reaches_nothing(edged: World) -> None:
    for head in (f"GET {PATH} HTTP/1.1\r\nConnection: close\r\n\r\n", f"GET {PATH} HTTP/1.0\r\n\r\n"):
        assert _status_and_body(edged.edge.raw(head.encode()))[0] in (400, 404)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "get"])
def test_other_methods_reach_nothing(edged: World, method: str) -> None:
    before = len(edged.gateway.asked)
    head = f"{method} {PATH} HTTP/1.1\r\nHost: {GLOBEX}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    status, body = _status_and_body(edged.edge.raw(head.encode()))
    assert status in (400, 405)
    assert b'"keys"' not in body
    assert len(edged.gateway.asked) == before


def test_405_says_what_is_allowed(edged: World) -> None:
    answer = edged.edge.get(GLOBEX, method="POST", Content_Length="0")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


def test_head_is_get_without_a_body(edged: World) -> None:
    got, head = edged.edge.get(GLOBEX), edged.edge.get(GLOBEX, method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == got.headers["content-length"]


def test_headers_are_those_that_verifiers_need_and_no_others(edged: World) -> None:
    answer = edged.edge.get(GLOBEX)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "public, max-age=300, stale-while-revalidate=60, stale-if-error=86400"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert not [name for name in answer.headers if name.startswith(("x-amz", "x-varnish", "set-cookie", "via"))]


def test_a_known_document_is_not_sent_again(edged: World) -> None:
    known = edged.edge.get(GLOBEX)
    again = edged.edge.get(GLOBEX, If_None_Match=known.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    assert again.headers["access-control-allow-origin"] == "*"
    assert again.headers["cache-control"] == known.headers["cache-control"]
    assert again.headers["etag"] == known.headers["etag"]


def test_documents_are_compressed_for_those_who_take_it(edged: World) -> None:
    plain, packed = edged.edge.get(GLOBEX), edged.edge.get(GLOBEX, Accept_Encoding="gzip")
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert "accept-encoding" in packed.headers["vary"].lower()
    assert gzip.decompress(packed.body) == plain.body
    assert edged.edge.get(GLOBEX).body == plain.body


def test_missing_documents_are_short_and_say_nothing_of_the_bucket(edged: World) -> None:
    for host, target in (("unknown.example", PATH), (GLOBEX, "/HEAD.json")):
        answer = edged.edge.get(host, target)
        assert answer.status == 404
        assert answer.headers["cache-control"] == "public, max-age=10"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.body == b"404 Not Found\n"
        assert not [name for name in answer.headers if name.startswith("x-amz")]


def test_what_a_client_sends_does_not_reach_the_origin(edged: World) -> None:
    spoiling = {
        "Authorization": "AWS4-HMAC-SHA256 x",
        "Cookie": "a=b",
        "Range": "bytes=0-3",
        "Origin": "https://evil.example",
        "If_Match": '"x"',
        "X_Amz_Security_Token": "x",
        "X_Amz_Expected_Bucket_Owner": "1",
        "X_Amz_Server_Side_Encryption_Customer_Algorithm": "AES256",
        "X_Forwarded_Host": "evil.example",
        "X_Original_URL": "/HEAD.json",
        "X_HTTP_Method_Override": "DELETE",
    }
    before = len(edged.gateway.asked)
    edged.edge.get("spoilt.example", **spoiling)
    (asked,) = edged.gateway.asked[before:]
    sent = {name.replace("_", "-").lower() for name in spoiling}
    assert sent.isdisjoint(asked.headers), asked.headers
    assert asked.headers["host"] == f"127.0.0.1:{edged.gateway.port}"
    if edged.edge.kind == "nginx":
        assert set(asked.headers) <= {"host", "accept-encoding", "connection"}


def test_keys_are_json(edged: World) -> None:
    assert [key["kid"] for key in json.loads(edged.edge.get(GLOBEX).body)["keys"]] == ["globex-key"]
