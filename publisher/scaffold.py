"""A new repository of key sets, as files: an example tenant, workflows that check, publish and audit, editors' schemas.

The files come from the templates in `site/init/`, whose marks are `[[ ]]` and `[% %]`, since `${{ }}` is GitHub's.
Nothing is written here; every value that goes into a template is judged here.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from publisher import __version__
from publisher.diagnostic import quote
from publisher.rules.domains import name_fault
from publisher.rules.tenants import name_is_label
from publisher.site import foreign_template
from publisher.yamltext import scalar

# Each commit is the one that the action's tag named when it was looked up; Dependabot moves both.
ACTIONS: Mapping[str, str] = MappingProxyType(
    {
        "checkout": "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1",
        "python": "actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0",
        "upload": "actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7.0.0",
        "download": "actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c # v8.0.1",
        "aws": "aws-actions/configure-aws-credentials@e6de054238d6b7531b4efff3b6587d9aade6a06c # v6.2.3",
    }
)
"""The actions of others that workflows use: commit and tag."""

_FILES: Mapping[str, str] = MappingProxyType(
    {
        "README.md": "README.md.j2",
        "requirements.txt": "requirements.txt.j2",
        "keysets/policy.yaml": "keysets/policy.yaml.j2",
        "keysets/waivers.yaml": "keysets/waivers.yaml.j2",
        "keysets/{tenant}/keyset.yaml": "keysets/keyset.yaml.j2",
        ".pre-commit-config.yaml": "pre-commit-config.yaml.j2",
        ".github/CODEOWNERS": "github/CODEOWNERS.j2",
        ".github/dependabot.yml": "github/dependabot.yml.j2",
        ".github/workflows/check.yml": "github/check.yml.j2",
        ".github/workflows/publish.yml": "github/publish.yml.j2",
        ".github/workflows/schedule.yml": "github/schedule.yml.j2",
        ".github/workflows/audit.yml": "github/audit.yml.j2",
        ".gitlab-ci.yml": "gitlab/gitlab-ci.yml.j2",
        "deploy/aws/github-roles.yaml": "aws/github-roles.yaml.j2",
        "deploy/kubernetes/Dockerfile": "kubernetes/Dockerfile.j2",
        "deploy/kubernetes/cronjob.yaml": "kubernetes/cronjob.yaml.j2",
        "deploy/systemd/jwks-publisher.env": "systemd/jwks-publisher.env.j2",
        "deploy/systemd/jwks-publisher.service": "systemd/publish.service.j2",
        "deploy/systemd/jwks-publisher.timer": "systemd/publish.timer.j2",
        "deploy/systemd/jwks-publisher-audit.service": "systemd/audit.service.j2",
        "deploy/systemd/jwks-publisher-audit.timer": "systemd/audit.timer.j2",
    }
)
_STORE = re.compile(r"(?:s3|gs|az|file)://[A-Za-z0-9._~/%+=-]+", re.ASCII)
_REQUIREMENT = re.compile(r"[A-Za-z0-9./][\x20-\x21\x23-\x5b\x5d-\x7e]{0,499}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What a new repository begins with. `store` is None where it is to be named later; `requirement` is pip's."""

    tenant: str
    domain: str
    store: str | None
    requirement: str


def scaffold(start: Start, schemas: Mapping[str, Mapping[str, Any]]) -> dict[str, bytes]:
    """The files by path, with forward slashes. `schemas` are JSON Schemas by the name of the file that they are of.

    Raises ValueError with one line that says what to write.
    """
    _judge(start)
    values = {
        "tenant": start.tenant,
        # A name may be `123` or `on`, which YAML takes for something else than text.
        "yaml": {"tenant": scalar(start.tenant), "domain": scalar(start.domain), "kid": scalar(f"{start.tenant}-1")},
        "store": start.store,
        "requirement": start.requirement,
        "version": __version__,
        "uses": ACTIONS,
        "schemas": sorted(schemas),
        "pem": _public_pem(),
    }
    files = {
        path.replace("{tenant}", start.tenant): foreign_template(f"init/{name}").render(values).encode()
        for path, name in _FILES.items()
    }
    for name, schema in schemas.items():
        files[f"schemas/{name}.json"] = f"{json.dumps(schema, indent=2, ensure_ascii=False)}\n".encode()
    return files


def _judge(start: Start) -> None:
    if not name_is_label(start.tenant):
        raise ValueError(f"{quote(start.tenant)} is not a tenant's name; write lower-case letters, digits and hyphens")
    fault = name_fault(start.domain)
    if fault is not None:
        raise ValueError("; ".join(fault))
    if start.store is not None and _STORE.fullmatch(start.store) is None:
        raise ValueError("a store is written as s3://bucket/prefix, gs://..., az://... or file:///dir")
    if _REQUIREMENT.fullmatch(start.requirement) is None:
        raise ValueError("what is installed is written as in requirements.txt, on one line: jwks-publisher==1.0.0")


def _public_pem() -> str:
    """A public key. Nobody keeps its private half."""
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
