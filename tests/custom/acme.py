"""A tenant with a key that signs, a partner's and a revoked one; and `custom` as a user runs it."""

import json
import subprocess

from keymaker import (
    ec_key,
    flow,
    okp_key,
    public_jwk,
)
from program import Ran, command, environment
from repos import Repo

KEYSET = f"""\
# Acme's own keys.
version: 1
tenant: acme
plan: enterprise
domains:
  - login.acme.example
custom_keys:
  # Signs now.
  - kid: now
    alg: ES256
    jwk: {flow(public_jwk(ec_key(0)))}  # from the HSM
    publish: {{from: 2026-01-01T00:00:00Z}}

  # A partner's.
  - alg: RS256
    pem: partner.pem

  # Lost.
  - kid: lost
    alg: ES256
    jwk: {flow(public_jwk(ec_key(1)))}
    revoked: {{at: 2026-05-01T00:00:00Z, reason: lost}}
# Ask security before a change.
"""
PATH = "keysets/eu/acme/keyset.yaml"
NEW = {**public_jwk(okp_key(0)), "kid": "new", "alg": "EdDSA", "use": "sig", "key_ops": ["verify"]}
FOUR = [{**public_jwk(ec_key(n)), "kid": f"k{n}", "alg": "ES256"} for n in range(10, 14)]


def custom(repo: Repo, *arguments: str, given: str | bytes = "", **settings: str) -> Ran:
    done = subprocess.run(
        command("custom", *arguments),
        cwd=repo.path,
        env=environment(**settings),
        input=given.encode() if isinstance(given, str) else given,
        capture_output=True,
        timeout=120,
        check=False,
    )
    return Ran(code=done.returncode, out=done.stdout.decode(), err=done.stderr.decode())


def text(repo: Repo) -> str:
    return (repo.path / PATH).read_bytes().decode()


def jwks(*keys: object) -> str:
    return json.dumps({"keys": list(keys)})


def own(repo: Repo) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(custom(repo, "get", "acme").out)["keys"]
    return found


def load_kids(data: str) -> list[str]:
    return [line.rpartition(" ")[2] for line in data.splitlines() if " kid: " in line]


def line_of(data: str, start: str) -> str:
    return next(line.strip() for line in data.splitlines() if line.startswith(start))
