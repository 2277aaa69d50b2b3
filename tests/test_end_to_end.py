"""From a commit to a token that verifies: real Git, a real S3 server, the edge over HTTP, a stranger's verifier."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jwt
import pytest
from azurite import Azurite
from program import command, environment, run
from repos import Repo
from s3server import S3Server
from signing import Signer, keyset, make_signer


@contextmanager
def edge(store: str, cwd: Path, **settings: str) -> Iterator[str]:
    """`serve` on a free port; its base URL."""
    process = subprocess.Popen(
        command("serve", "--store", store, "--port", "0"),
        cwd=cwd,
        env=environment(**settings),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        assert " on http://" in line, line + process.stderr.read()
        yield line.rsplit(" on ", 1)[1].strip()
    finally:
        process.terminate()
        process.wait(20)
        process.stderr.close()


def accepted(base: str, domain: str, token: str) -> str:
    """The subject of a token, as PyJWT's client verifies it against a domain's document."""
    client = jwt.PyJWKClient(f"{base}/.well-known/jwks.json", headers={"Host": domain}, cache_keys=False)
    key = client.get_signing_key_from_jwt(token)
    subject: str = jwt.decode(token, key.key, algorithms=[str(key.algorithm_name)])["sub"]
    return subject


@pytest.fixture(params=["file", "s3", pytest.param("az", marks=pytest.mark.stores)])
def store(request: pytest.FixtureRequest, tmp_path: Path, s3_server: S3Server) -> tuple[str, dict[str, str]]:
    """A store's URL, and the settings that lead to it."""
    if request.param == "file":
        return f"file://{tmp_path}/store", {}
    if request.param == "az":
        server: Azurite = request.getfixturevalue("azurite")
        return f"az://{server.make_container()}/some/prefix", server.settings
    return f"s3://{s3_server.make_bucket()}/some/prefix", s3_server.settings


def test_tokens_of_custom_and_generated_keys_verify(
    repo: Repo, signers: dict[str, Signer], store: tuple[str, dict[str, str]]
) -> None:
    url, settings = store
    published = run("publish", "--store", url, cwd=repo.path, **settings)
    assert published.code == 0, published.err
    assert run("publish", "--store", url, cwd=repo.path, **settings).out.startswith("Nothing to change: 4 documents")
    assert run("verify", "--store", url, cwd=repo.path, **settings).code == 0
    with edge(url, repo.path, **settings) as base:
        for name in ("own-rsa", "own-ec", "own-ed", "gen-now"):
            for domain in ("login.acme.example", "auth.acme.example"):
                assert accepted(base, domain, signers[name].token(name)) == name
        assert accepted(base, "acme.idp.example", signers["gen-now"].token("x")) == "x"
        assert accepted(base, "id.globex.example", signers["globex"].token("y")) == "y"
        with pytest.raises(jwt.PyJWKClientError):
            accepted(base, "acme.idp.example", signers["own-ec"].token("custom keys are for custom domains"))
        with pytest.raises(jwt.PyJWKClientError):
            accepted(base, "id.globex.example", signers["own-ec"].token("another tenant's key"))
        with pytest.raises(jwt.PyJWKClientConnectionError):
            accepted(base, "unknown.example", signers["own-ec"].token("nobody's domain"))
        verified = run("verify", "--via", base, cwd=repo.path)
        assert (verified.code, verified.out[:13]) == (0, "5 domains as "), verified


def test_a_new_key_is_served_after_the_next_publish_and_a_revoked_one_is_not(
    repo: Repo, signers: dict[str, Signer], store: tuple[str, dict[str, str]]
) -> None:
    url, settings = store
    run("publish", "--store", url, cwd=repo.path, **settings)
    added = make_signer("globex-2")
    revoked = signers["globex"].entry("revoked: {at: 2026-05-01T00:00:00Z, reason: stolen}")
    with edge(url, repo.path, **settings) as base:
        repo.write("keysets/eu/globex/keyset.yaml", keyset("globex", ["id.globex.example"], revoked + added.entry()))
        repo.commit("Replace globex's key")
        assert run("verify", "--via", base, cwd=repo.path).code == 1
        published = run("publish", "--store", url, cwd=repo.path, **settings)
        assert published.code == 0, published
        assert "1 changed, 3 unchanged" in published.out
        assert accepted(base, "id.globex.example", added.token("new")) == "new"
        with pytest.raises(jwt.PyJWKClientError):
            accepted(base, "id.globex.example", signers["globex"].token("old"))
        assert run("verify", "--via", base, cwd=repo.path).code == 0


def test_objects_carry_the_headers_that_a_cdn_passes_on(repo: Repo, s3_server: S3Server) -> None:
    bucket = s3_server.make_bucket()
    assert run("publish", "--store", f"s3://{bucket}", cwd=repo.path, **s3_server.settings).code == 0
    client = s3_server.client()
    live = client.get_object(Bucket=bucket, Key="live/id.globex.example/.well-known/jwks.json")
    assert live["ContentType"] == "application/json"
    assert live["CacheControl"] == "public, max-age=300, stale-while-revalidate=60, stale-if-error=86400"
    digest = live["Metadata"]["sha256"]
    mark = {"domain": "id.globex.example", "release": "1", "sha256": digest, "tenant": "globex"}
    assert live["Metadata"] == mark
    document = client.get_object(Bucket=bucket, Key=f"documents/{digest}.json")
    assert document["CacheControl"] == "public, max-age=31536000, immutable"
    assert document["Body"].read() == live["Body"].read()


def test_changed_cache_times_rewrite_headers_alone(repo: Repo, s3_server: S3Server) -> None:
    bucket = s3_server.make_bucket()
    run("publish", "--store", f"s3://{bucket}", cwd=repo.path, **s3_server.settings)
    repo.write("keysets/policy.yaml", 'version: 1\ncanonical_domain: "{tenant}.idp.example"\ncache: {max_age: 10m}\n')
    repo.commit("Cache longer")
    ran = run("publish", "--store", f"s3://{bucket}", cwd=repo.path, **s3_server.settings)
    assert "same document, other headers" in ran.out
    live = s3_server.client().get_object(Bucket=bucket, Key="live/id.globex.example/.well-known/jwks.json")
    assert live["CacheControl"].startswith("public, max-age=600,")


def test_a_missing_bucket_and_missing_credentials_are_one_line(repo: Repo, s3_server: S3Server) -> None:
    missing = run("publish", "--store", "s3://no-such-bucket-here", cwd=repo.path, **s3_server.settings)
    assert missing.code == 3
    assert missing.err.count("\n") == 1
    assert "no-such-bucket-here" in missing.err
    settings = {**s3_server.settings}
    del settings["AWS_ACCESS_KEY_ID"], settings["AWS_SECRET_ACCESS_KEY"]
    denied = run("plan", "--store", f"s3://{s3_server.make_bucket()}", cwd=repo.path, **settings)
    assert denied.code == 3
    assert denied.err.count("\n") == 1
    assert "credentials" in denied.err


@pytest.mark.parametrize("kind", ["bare", "shallow", "worktree", "sha256", "subfolder"])
def test_every_kind_of_repository_publishes(repo: Repo, tmp_path: Path, kind: str, signers: dict[str, Signer]) -> None:
    where = tmp_path / kind
    match kind:
        case "bare":
            repo.git("clone", "--quiet", "--bare", str(repo.path), str(where))
        case "shallow":
            repo.commit("Another")
            repo.git("clone", "--quiet", "--depth", "1", f"file://{repo.path}", str(where))
        case "worktree":
            repo.git("worktree", "add", "--quiet", "--detach", str(where))
        case "sha256":
            made = Repo(where, "--object-format=sha256")
            made.write("keysets/policy.yaml", 'version: 1\ncanonical_domain: "{tenant}.idp.example"\n')
            made.write("keysets/globex/keyset.yaml", keyset("globex", ["g.example.org"], signers["globex"].entry()))
            made.commit()
        case _:
            where = repo.path / "keysets" / "eu"
    ran = run("publish", "--store", f"file://{tmp_path}/store", cwd=where)
    assert ran.code == 0, ran.err
    assert "Published" in ran.out
    if kind == "bare":
        check = run("check", cwd=where)
        assert (check.code, "--rev" in check.err) == (2, True)
    if kind == "shallow":
        older = run("plan", "--rev", "HEAD~1", "--store", f"file://{tmp_path}/store", cwd=where)
        assert (older.code, "shallow" in older.err) == (2, True)
