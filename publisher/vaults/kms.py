"""A vault in the AWS Key Management Service: private halves are made there, sign there (kms:Sign), and never leave it.

A key's aliases, for people and for finding it again, and its tags:

    alias/<prefix>/<tenant>/new-<alg>        the key that was made last for the algorithm
    alias/<prefix>/<tenant>/<thumbprint>     the key itself
    program                     jwks-publisher
    jwks-publisher:prefix, jwks-publisher:tenant, jwks-publisher:alg
    jwks-publisher:state        made; then used, once somebody has used it

Nothing loses a key for good. It bears its tags from the first; the alias new-<alg> is set next, and finds it for the
next run by one call. What a run that was killed before that has left, or what lost a race for the alias, is found by
its tags (GetResources of the Resource Groups Tagging API) before another key is made. KMS and the tags' index are
eventually consistent (https://docs.aws.amazon.com/kms/latest/developerguide/programming-eventual-consistency.html):
within minutes of such an end a further key may be made, and then it is the first one that the run after it takes.

It needs kms:CreateKey, CreateAlias, UpdateAlias, DescribeKey, GetPublicKey, TagResource, ListResourceTags and
ScheduleKeyDeletion, and tag:GetResources.
"""

import os
import re
import time
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ProfileNotFound
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key

from publisher.diagnostic import quote
from publisher.jwk import Jwk
from publisher.vault import Made, VaultError
from publisher.vaults.public import check_tenant, kind_for, made, public_half

Answer = TypeVar("Answer")

PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between tries while KMS does not know everywhere yet the key that it has just made."""
WINDOW = 30
"""Days until a retired key is deleted, in which an operator can still cancel it; the longest that KMS takes."""

_PROGRAM = "jwks-publisher"
_STATE = f"{_PROGRAM}:state"
_SPECS = {
    "P-256": "ECC_NIST_P256",
    "P-384": "ECC_NIST_P384",
    "P-521": "ECC_NIST_P521",
    "secp256k1": "ECC_SECG_P256K1",
    "Ed25519": "ECC_NIST_EDWARDS25519",
}
_PREFIX = re.compile(r"[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*", re.ASCII)
_HANDLE = re.compile(r"aws-kms:(arn:aws[a-z-]*:kms:([a-z0-9-]+):[0-9]{12}:key/([A-Za-z0-9-]+))", re.ASCII)
_CODE = re.compile(r"[A-Za-z.]{1,64}")
_GOING = ("PendingDeletion", "PendingReplicaDeletion")
_MEANINGS = {
    "ExpiredTokenException": "the AWS credentials have expired; sign in again",
    "UnrecognizedClientException": "the AWS credentials are not valid; correct them",
    "InvalidClientTokenId": "the AWS credentials are not valid; correct them",
    "LimitExceededException": "a quota of the account is used up; have it raised, or delete what is not needed",
    "ThrottlingException": "AWS asks for fewer requests; try again later",
    "UnsupportedOperationException": "this region does not make keys of this kind; use another algorithm or region",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    tenant: str
    alg: str
    spec: str
    used: AbstractSet[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Key:
    arn: str
    jwk: Jwk


@dataclass(frozen=True, slots=True, kw_only=True)
class KmsVault:
    """A `Vault`. `keys` is boto3's client of `kms`, `tagged` that of `resourcegroupstaggingapi`."""

    keys: Any
    tagged: Any
    prefix: str
    bits: int = 2048
    pauses: tuple[float, ...] = PAUSES

    @property
    def name(self) -> str:
        """The address as `open_vault` takes it."""
        return f"aws-kms:{self.prefix}"

    def make(self, tenant: str, alg: str, used: AbstractSet[str]) -> Made:
        """See the protocol. A key for one algorithm is not given out for another, and a disabled one is not at all."""
        check_tenant(tenant)
        wanted = _Wanted(tenant=tenant, alg=alg, spec=self._spec(alg), used=used)
        newest = self._alias(tenant, f"new-{alg}")
        with self._explaining():
            key = self._usable(newest, wanted)
            if key is None:
                key = self._point(newest, self._left_over(wanted) or self._create(wanted), wanted)
            self._is_first(self._alias(tenant, key.jwk.thumbprint), key)
            return made(key.jwk, f"aws-kms:{key.arn}")

    def retire(self, tenant: str, handle: str) -> None:
        """See the protocol. The key is disabled at once and deleted after WINDOW days, until when one can cancel it."""
        match = _HANDLE.fullmatch(handle)
        if match is None:
            raise self._failure(f"{quote(handle)} is no key of AWS KMS; give the vault that it is in")
        if match[2] != self.keys.meta.region_name:
            raise self._failure(f"the key to retire is in the region {quote(match[2])}; set AWS_REGION to it")
        with self._explaining():
            try:
                if not self._owns(tenant, match[1]):
                    raise self._failure(f"the key to retire is none of {quote(tenant)}'s here; correct generated.yaml")
                self._schedule(match[3])
            except ClientError as error:
                if _code(error) != "NotFoundException":
                    raise

    def _schedule(self, key_id: str) -> None:
        # By its id, which moto 5.2 wants: that it is of this account and region has been seen to.
        try:
            self.keys.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=WINDOW)
        except ClientError as error:
            if _code(error) != "KMSInvalidStateException":
                raise
            if self.keys.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"] not in _GOING:
                raise

    def _owns(self, tenant: str, arn: str) -> bool:
        """Whether the key's tags say that this vault made it for the tenant."""
        pages = self.keys.get_paginator("list_resource_tags").paginate(KeyId=arn)
        found = {tag["TagKey"]: tag["TagValue"] for page in pages for tag in page["Tags"]}
        return self._tags(tenant).items() <= found.items()

    def _usable(self, name: str, wanted: _Wanted) -> _Key | None:
        """The key by its alias or ARN, if it is there, enabled, of the kind, and not used yet."""
        try:
            found = self.keys.describe_key(KeyId=name)["KeyMetadata"]
        except ClientError as error:
            if _code(error) == "NotFoundException":
                return None
            raise
        if (found["KeyState"], found["KeyUsage"]) != ("Enabled", "SIGN_VERIFY"):
            return None
        key = self._read(found["Arn"])
        if key.jwk.thumbprint in wanted.used:
            self.keys.tag_resource(KeyId=key.arn, Tags=[{"TagKey": _STATE, "TagValue": "used"}])
            return None
        return key if found.get("KeySpec") == wanted.spec else None

    def _left_over(self, wanted: _Wanted) -> _Key | None:
        """A key that was made for the same, and that no alias leads to."""
        tags = {**self._tags(wanted.tenant), f"{_PROGRAM}:alg": wanted.alg, _STATE: "made"}
        pages = self.tagged.get_paginator("get_resources").paginate(
            ResourceTypeFilters=["kms:key"], TagFilters=[{"Key": name, "Values": [text]} for name, text in tags.items()]
        )
        arns = sorted(str(one["ResourceARN"]) for page in pages for one in page["ResourceTagMappingList"])
        return next(filter(None, (self._usable(arn, wanted) for arn in arns)), None)

    def _create(self, wanted: _Wanted) -> _Key:
        tags = {**self._tags(wanted.tenant), f"{_PROGRAM}:alg": wanted.alg, _STATE: "made"}
        answer = self.keys.create_key(
            KeyUsage="SIGN_VERIFY",
            KeySpec=wanted.spec,
            Description=f"{wanted.alg} key that signs tokens of {wanted.tenant}",
            Tags=[{"TagKey": name, "TagValue": text} for name, text in tags.items()],
        )
        return self._read(answer["KeyMetadata"]["Arn"])

    def _point(self, newest: str, key: _Key, wanted: _Wanted) -> _Key:
        """Have the alias lead to the key. Where another run set it first, its key is taken, and this one left over."""
        if self._settled(lambda: self._is_first(newest, key)):
            return key
        theirs = self._usable(newest, wanted)
        if theirs is not None:
            return theirs
        self._settled(lambda: self.keys.update_alias(AliasName=newest, TargetKeyId=key.arn))
        return key

    def _is_first(self, alias: str, key: _Key) -> bool:
        """Make an alias, and say whether it was not there before."""
        try:
            self.keys.create_alias(AliasName=alias, TargetKeyId=key.arn)
        except ClientError as error:
            if _code(error) == "AlreadyExistsException":
                return False
            raise
        return True

    def _read(self, arn: str) -> _Key:
        answer = self._settled(lambda: self.keys.get_public_key(KeyId=arn))
        try:
            public = load_der_public_key(answer["PublicKey"])
        except (ValueError, UnsupportedAlgorithm):
            raise self._failure("KMS has answered with a public key that cannot be read; try again") from None
        return _Key(arn=arn, jwk=public_half(public))

    def _settled(self, ask: Callable[[], Answer]) -> Answer:
        """Ask about a key that may be new until KMS knows it."""
        for pause in self.pauses:
            try:
                return ask()
            except ClientError as error:
                if _code(error) not in ("NotFoundException", "KMSInvalidStateException"):
                    raise
            time.sleep(pause)
        return ask()

    def _tags(self, tenant: str) -> dict[str, str]:
        return {"program": _PROGRAM, f"{_PROGRAM}:prefix": self.prefix, f"{_PROGRAM}:tenant": tenant}

    def _alias(self, tenant: str, name: str) -> str:
        return f"alias/{self.prefix}/{tenant}/{name}"

    def _spec(self, alg: str) -> str:
        kind = kind_for(alg)
        if kind == "RSA":
            return f"RSA_{self.bits}"
        if kind not in _SPECS:
            raise self._failure(f"KMS makes no {kind} keys; use another algorithm, or a local vault")
        return _SPECS[kind]

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        """Turn what boto3 raises into one line. AWS's own text may name whatever it likes, and is not shown."""
        try:
            yield
        except BotoCoreError as error:
            raise self._failure(f"KMS cannot be asked ({type(error).__name__}); look at the network") from None
        except ClientError as error:
            raise self._failure(_meaning(error)) from None

    def _failure(self, text: str) -> VaultError:
        return VaultError(f"{self.name}: {text}")


def open_kms(prefix: str, *, endpoint_url: str | None = None, bits: int = 2048) -> KmsVault:
    """A vault by the prefix of its aliases, `jwks` where it is empty; see `publisher.vaults.open_vault`."""
    prefix = prefix or "jwks"
    if _PREFIX.fullmatch(prefix) is None or len(prefix) > 64 or prefix.split("/")[0].lower() == "aws":
        wanted = "write letters, digits, - and _, at most 64 characters, perhaps with / between, and not aws"
        raise ValueError(f"{quote(prefix)} cannot begin the names of keys in KMS; {wanted}")
    name = f"aws-kms:{prefix}"
    try:
        # AWS_REGION is what the other SDKs read; boto3 reads AWS_DEFAULT_REGION and the profile alone.
        session = boto3.Session(region_name=os.environ.get("AWS_REGION") or None)
        if session.region_name is None:
            raise VaultError(f"{name}: no AWS region; set AWS_REGION")
        config = Config(retries={"mode": "standard", "total_max_attempts": 8}, connect_timeout=5, read_timeout=30)
        keys = session.client("kms", endpoint_url=endpoint_url, config=config)
        tagged = session.client("resourcegroupstaggingapi", endpoint_url=endpoint_url, config=config)
        credentials = session.get_credentials()
    except ProfileNotFound:
        raise VaultError(f"{name}: AWS_PROFILE names no profile; correct it, or unset it") from None
    except BotoCoreError as error:
        raise VaultError(f"{name}: the AWS settings cannot be used ({type(error).__name__})") from None
    except ValueError:
        raise ValueError("the endpoint URL, or one in the AWS settings, is no URL; write https://host") from None
    if credentials is None:
        raise VaultError(f"{name}: no AWS credentials; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and its secret")
    return KmsVault(keys=keys, tagged=tagged, prefix=prefix, bits=bits)


def _meaning(error: ClientError) -> str:
    code = _code(error)
    if code in ("AccessDeniedException", "AccessDenied"):
        service = "tag" if error.operation_name == "GetResources" else "kms"
        return f"access is denied; allow {service}:{error.operation_name}"
    return _MEANINGS.get(code, f"AWS refuses {error.operation_name} ({code})")


def _code(error: ClientError) -> str:
    code = str(error.response.get("Error", {}).get("Code", ""))
    return code if _CODE.fullmatch(code) else "unknown error"
