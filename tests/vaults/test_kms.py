"""The KMS vault: over HTTP against moto's server, and what moto has not against botocore's stubs."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import boto3
import jwt
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from keymaker import base64url, okp_key, public_jwk

from publisher.algorithm import FITS
from publisher.fields import Reading
from publisher.jwk import kind, members
from publisher.publickey import parse
from publisher.vault import Made, VaultError
from publisher.vaults.kms import _SPECS, KmsVault, open_kms

NONE: frozenset[str] = frozenset()
MADE_BY_MOTO = [alg for alg in FITS if alg not in ("EdDSA", "Ed25519", "Ed448")]
SIGNING = {
    "RS256": "RSASSA_PKCS1_V1_5_SHA_256",
    "ES256": "ECDSA_SHA_256",
    "ES384": "ECDSA_SHA_384",
    "ES512": "ECDSA_SHA_512",
    "ES256K": "ECDSA_SHA_256",
}


def thumbprint(made: Made) -> str:
    reading = Reading(file="")
    jwk = parse(dict(made.jwk), (), reading)
    assert jwk is not None, reading.findings
    return jwk.thumbprint


def arn(made: Made) -> str:
    return made.handle.removeprefix("aws-kms:")


def aliases(aws: Any, vault: KmsVault) -> dict[str, str]:
    """The vault's aliases, without its prefix, and the keys' ids."""
    pages = aws.get_paginator("list_aliases").paginate()
    start = f"alias/{vault.prefix}/"
    return {
        one["AliasName"].removeprefix(start): one["TargetKeyId"]
        for page in pages
        for one in page["Aliases"]
        if one["AliasName"].startswith(start)
    }


def key_ids(vault: KmsVault) -> set[str]:
    """Every key that bears the vault's prefix in its tags."""
    filters = [{"Key": "jwks-publisher:prefix", "Values": [vault.prefix]}]
    pages = vault.tagged.get_paginator("get_resources").paginate(TagFilters=filters)
    return {one["ResourceARN"].split("/")[-1] for page in pages for one in page["ResourceTagMappingList"]}


class Killing:
    """A client whose operation ends the run, before it is sent or after; all other operations go through."""

    def __init__(self, client: Any, operation: str, *, after: bool) -> None:
        self._client, self._operation, self._after = client, operation, after

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._client, name)
        return self._killed(real) if name == self._operation else real

    def _killed(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(**arguments: Any) -> None:
            if self._after:
                real(**arguments)
            raise KeyboardInterrupt

        return call


@pytest.mark.parametrize("alg", MADE_BY_MOTO)
def test_what_was_made_is_a_public_key_as_key_sets_have_it(alg: str, kms: KmsVault) -> None:
    made = kms.make("acme", alg, NONE)
    reading = Reading(file="generated.yaml")
    jwk = parse(dict(made.jwk), (), reading)
    assert reading.findings == []
    assert jwk is not None
    assert members(jwk) == made.jwk
    assert kind(jwk) == FITS[alg][0]
    assert made.handle.startswith("aws-kms:arn:aws:kms:us-east-1:")


@pytest.mark.parametrize("alg", SIGNING)
def test_a_token_that_kms_signs_verifies_with_what_was_made(alg: str, kms: KmsVault, aws: Any) -> None:
    made = kms.make("acme", alg, NONE)
    message = f'{base64url(f"""{{"alg":"{alg}"}}""".encode())}.{base64url(b"""{"sub":"x"}""")}'
    raw = aws.sign(KeyId=arn(made), Message=message.encode(), SigningAlgorithm=SIGNING[alg])["Signature"]
    if alg.startswith("ES"):
        width = {"ES384": 48, "ES512": 66}.get(alg, 32)
        raw = b"".join(number.to_bytes(width, "big") for number in decode_dss_signature(raw))
    key = jwt.PyJWK(dict(made.jwk), algorithm=alg)
    assert jwt.decode(f"{message}.{base64url(raw)}", key, algorithms=[alg]) == {"sub": "x"}


def test_a_key_has_its_tags_its_aliases_and_its_use(kms: KmsVault, aws: Any) -> None:
    made = kms.make("acme", "ES256", NONE)
    found = aws.describe_key(KeyId=arn(made))["KeyMetadata"]
    assert (found["KeyUsage"], found["KeySpec"], found["Origin"]) == ("SIGN_VERIFY", "ECC_NIST_P256", "AWS_KMS")
    assert found["Description"] == "ES256 key that signs tokens of acme"
    tags = {tag["TagKey"]: tag["TagValue"] for tag in aws.list_resource_tags(KeyId=arn(made))["Tags"]}
    assert tags == {
        "program": "jwks-publisher",
        "jwks-publisher:prefix": kms.prefix,
        "jwks-publisher:tenant": "acme",
        "jwks-publisher:alg": "ES256",
        "jwks-publisher:state": "made",
    }
    key_id = found["KeyId"]
    assert aliases(aws, kms) == {"acme/new-ES256": key_id, f"acme/{thumbprint(made)}": key_id}


def test_what_nobody_used_is_given_again_also_to_another_process(kms: KmsVault) -> None:
    first = kms.make("acme", "ES256", NONE)
    assert kms.make("acme", "ES256", NONE) == first
    assert open_kms(kms.prefix).make("acme", "ES256", {"another"}) == first
    assert len(key_ids(kms)) == 1


def test_what_was_used_is_not_given_again_also_when_it_is_forgotten(kms: KmsVault, aws: Any) -> None:
    first = kms.make("acme", "ES256", NONE)
    second = kms.make("acme", "ES256", {thumbprint(first)})
    assert arn(second) != arn(first)
    assert kms.make("acme", "ES256", NONE) == second
    third = kms.make("acme", "ES256", {thumbprint(second)})
    assert arn(third) not in (arn(first), arn(second))
    assert aliases(aws, kms)["acme/new-ES256"] == arn(third).split("/")[-1]
    assert len(aliases(aws, kms)) == 4


def test_tenants_algorithms_sizes_and_prefixes_have_keys_of_their_own(kms: KmsVault) -> None:
    made = [kms.make(tenant, alg, NONE) for tenant in ("acme", "globex") for alg in ("ES256", "RS256", "PS256")]
    made.append(replace(kms, bits=3072).make("acme", "RS256", NONE))
    made.append(replace(kms, prefix=f"{kms.prefix}/other").make("acme", "ES256", NONE))
    assert len({one.handle for one in made}) == 8
    assert len(made[6].jwk["n"]) == 512


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("operation", ["create_key", "get_public_key", "create_alias"])
def test_a_kill_between_any_two_steps_wastes_no_key(operation: str, after: bool, kms: KmsVault, aws: Any) -> None:
    """Killed before and after each call of the first make, and of a later one, where the alias is already there."""
    used: set[str] = set()
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            replace(kms, keys=Killing(kms.keys, operation, after=after)).make("acme", "ES256", used)
        made = kms.make("acme", "ES256", used)
        assert kms.make("acme", "ES256", used) == made
        used.add(thumbprint(made))
        assert len(key_ids(kms)) == len(used)
        assert aliases(aws, kms)[f"acme/{thumbprint(made)}"] == arn(made).split("/")[-1]


@pytest.mark.parametrize("after", [False, True])
def test_a_kill_at_the_move_of_the_alias_wastes_no_key(after: bool, kms: KmsVault) -> None:
    used = {thumbprint(kms.make("acme", "ES256", NONE))}
    with pytest.raises(KeyboardInterrupt):
        replace(kms, keys=Killing(kms.keys, "update_alias", after=after)).make("acme", "ES256", used)
    made = kms.make("acme", "ES256", used)
    assert thumbprint(made) not in used
    assert len(key_ids(kms)) == 2


def test_many_at_once_get_whole_keys_and_later_runs_use_up_what_is_left(kms: KmsVault) -> None:
    barrier, got = threading.Barrier(4), []

    def work() -> None:
        vault = open_kms(kms.prefix)
        barrier.wait()
        got.append(vault.make("acme", "ES256", NONE))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 4
    everything = key_ids(kms)
    used: set[str] = set()
    taken: set[str] = set()
    while len(taken) < len(everything):
        made = kms.make("acme", "ES256", used)
        used.add(thumbprint(made))
        taken.add(arn(made).split("/")[-1])
    assert taken == everything == key_ids(kms)


def test_the_loser_of_the_alias_takes_the_winners_key(kms: KmsVault) -> None:
    """Another run makes its key while this one makes its own."""
    winners: list[Made] = []

    class Overtaken(Killing):
        def _killed(self, real: Callable[..., Any]) -> Callable[..., Any]:
            def call(**arguments: Any) -> Any:
                answer = real(**arguments)
                if not winners:
                    other = open_kms(kms.prefix)
                    # It does not see the key that has just been made, as where the tags' index lags behind.
                    winners.append(replace(other, tagged=_Empty()).make("acme", "ES256", NONE))
                return answer

            return call

    made = replace(kms, keys=Overtaken(kms.keys, "create_key", after=True)).make("acme", "ES256", NONE)
    assert [made] == winners
    assert len(key_ids(kms)) == 2
    assert kms.make("acme", "ES256", {thumbprint(made)}).handle != made.handle
    assert len(key_ids(kms)) == 2


class _Empty:
    def get_paginator(self, _: str) -> "_Empty":
        return self

    def paginate(self, **_: object) -> list[Any]:
        return [{"ResourceTagMappingList": []}]


def test_disabled_and_retired_keys_are_not_given(kms: KmsVault, aws: Any) -> None:
    disabled = kms.make("acme", "ES256", NONE)
    aws.disable_key(KeyId=arn(disabled).split("/")[-1])  # moto 5.2 takes no ARN here
    going = kms.make("acme", "ES256", NONE)
    assert going.handle != disabled.handle
    kms.retire("acme", going.handle)
    last = kms.make("acme", "ES256", NONE)
    assert last.handle not in (disabled.handle, going.handle)
    assert kms.make("acme", "ES256", NONE) == last


def test_a_retired_key_is_deleted_in_a_month_and_may_be_retired_again(kms: KmsVault, aws: Any) -> None:
    made = kms.make("acme", "ES256", NONE)
    for _ in range(2):
        kms.retire("acme", made.handle)
    found = aws.describe_key(KeyId=arn(made))["KeyMetadata"]
    assert found["KeyState"] == "PendingDeletion"
    assert 29 <= (found["DeletionDate"] - found["CreationDate"]).total_seconds() / 86_400 <= 31
    gone = made.handle[:-1] + ("0" if made.handle[-1] != "0" else "1")
    kms.retire("acme", gone)


def test_only_the_tenants_own_keys_of_this_vault_are_retired(kms: KmsVault, aws: Any) -> None:
    """A handle in generated.yaml may be anything that its author likes."""
    theirs = kms.make("globex", "ES256", NONE)
    staging = replace(kms, prefix=f"{kms.prefix}-staging").make("acme", "ES256", NONE)
    master = "aws-kms:" + aws.create_key(Description="master key")["KeyMetadata"]["Arn"]
    for handle in (theirs.handle, staging.handle, master):
        with pytest.raises(VaultError, match=r"the key to retire is none of `acme`'s here; correct generated\.yaml"):
            kms.retire("acme", handle)
        assert aws.describe_key(KeyId=handle.removeprefix("aws-kms:"))["KeyMetadata"]["KeyState"] == "Enabled"


@pytest.mark.parametrize(
    ("handle", "text"),
    [
        ("", "is no key of AWS KMS"),
        ("local:" + "A" * 43, "is no key of AWS KMS"),
        ("aws-kms:alias/x", "is no key of AWS KMS"),
        ("aws-kms:arn:aws:s3:us-east-1:123456789012:key/x", "is no key of AWS KMS"),
        ("aws-kms:arn:aws:kms:us-east-1:123456789012:alias/x", "is no key of AWS KMS"),
        ("aws-kms:arn:aws:kms:eu-west-1:123456789012:key/x", "is in the region `eu-west-1`; set AWS_REGION"),
    ],
)
def test_handles_that_are_not_of_this_vault_are_refused(handle: str, text: str, kms: KmsVault) -> None:
    with pytest.raises(VaultError, match=text):
        kms.retire("acme", handle)


@pytest.mark.parametrize(
    ("tenant", "alg", "text"),
    [
        ("acme", "Ed448", "KMS makes no Ed448 keys"),
        ("acme", "HS256", "no key can be made for `HS256`"),
        ("../x", "ES256", "is not a tenant's name"),
    ],
)
def test_what_cannot_be_made(tenant: str, alg: str, text: str, kms: KmsVault) -> None:
    with pytest.raises(VaultError, match=text):
        kms.make(tenant, alg, NONE)
    assert key_ids(kms) == set()


def test_no_server_is_one_line(kms: KmsVault) -> None:
    del kms
    vault = open_kms("jwks", endpoint_url="http://127.0.0.1:9")
    with pytest.raises(VaultError, match=r"^aws-kms:jwks: KMS cannot be asked \(EndpointConnectionError\)"):
        replace(vault, keys=_impatient()).make("acme", "ES256", NONE)


def _impatient() -> Any:
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=2)
    return boto3.client("kms", endpoint_url="http://127.0.0.1:9", config=config)


def stubbed(service: Literal["kms", "resourcegroupstaggingapi"]) -> tuple[Any, Stubber]:
    client = boto3.client(service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    return client, Stubber(client)


def test_ed25519_keys_are_asked_for_and_read() -> None:
    """moto 5.2 has none."""
    client, stubber = stubbed("kms")
    tagged, tags = stubbed("resourcegroupstaggingapi")
    key, name = okp_key(), "arn:aws:kms:us-east-1:123456789012:key/1"
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    stubber.add_client_error("describe_key", "NotFoundException")
    tags.add_response("get_resources", {"ResourceTagMappingList": []})
    stubber.add_response("create_key", {"KeyMetadata": {"KeyId": "1", "Arn": name}})
    stubber.add_client_error("get_public_key", "NotFoundException")  # KMS does not know it everywhere yet
    stubber.add_response("get_public_key", {"PublicKey": der})
    stubber.add_client_error("create_alias", "NotFoundException")
    stubber.add_response("create_alias", {})
    stubber.add_response("create_alias", {})
    sent: list[dict[str, Any]] = []
    client.meta.events.register("provide-client-params.kms.CreateKey", lambda params, **_: sent.append(params))
    with stubber, tags:
        made = KmsVault(keys=client, tagged=tagged, prefix="jwks", pauses=(0.0,)).make("acme", "EdDSA", NONE)
        stubber.assert_no_pending_responses()
    assert made == Made(jwk=public_jwk(key), handle=f"aws-kms:{name}")
    assert [one["KeySpec"] for one in sent] == ["ECC_NIST_EDWARDS25519"]


def test_the_names_of_keys_are_known_to_this_boto3() -> None:
    known = set(stubbed("kms")[0].meta.service_model.shape_for("KeySpec").enum)
    assert set(_SPECS.values()) | {"RSA_2048", "RSA_3072", "RSA_4096"} <= known


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("AccessDeniedException", "access is denied; allow kms:DescribeKey"),
        ("ThrottlingException", "AWS asks for fewer requests"),
        ("UnrecognizedClientException", "the AWS credentials are not valid"),
        ("ExpiredTokenException", "the AWS credentials have expired"),
        ("KMSInternalException", r"AWS refuses DescribeKey \(KMSInternalException\)"),
        ("<b>\n", r"AWS refuses DescribeKey \(unknown error\)"),
    ],
)
def test_errors_of_aws_are_one_line_without_its_text(code: str, text: str) -> None:
    client, stubber = stubbed("kms")
    stubber.add_client_error("describe_key", code, "User: arn:aws:iam::1:user/eve is secret")
    with stubber, pytest.raises(VaultError, match=f"^aws-kms:jwks: {text}") as raised:
        KmsVault(keys=client, tagged=None, prefix="jwks").make("acme", "ES256", NONE)
    assert "eve" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_right_to_search_tags_is_named() -> None:
    client, stubber = stubbed("kms")
    tagged, tags = stubbed("resourcegroupstaggingapi")
    stubber.add_client_error("describe_key", "NotFoundException")
    tags.add_client_error("get_resources", "AccessDeniedException")
    with stubber, tags, pytest.raises(VaultError, match="access is denied; allow tag:GetResources"):
        KmsVault(keys=client, tagged=tagged, prefix="jwks").make("acme", "ES256", NONE)


@pytest.mark.parametrize(("state", "fine"), [("PendingDeletion", True), ("Creating", False), ("Updating", False)])
def test_a_key_that_cannot_be_scheduled_is_fine_only_when_it_is_going(state: str, fine: bool) -> None:
    client, stubber = stubbed("kms")
    tags = {
        "program": "jwks-publisher",
        "jwks-publisher:prefix": "jwks",
        "jwks-publisher:tenant": "acme",
        "jwks-publisher:alg": "ES256",
    }
    listed = [{"TagKey": name, "TagValue": text} for name, text in tags.items()]
    stubber.add_response("list_resource_tags", {"Tags": listed[:2], "Truncated": True, "NextMarker": "more"})
    stubber.add_response("list_resource_tags", {"Tags": listed[2:], "Truncated": False})
    stubber.add_client_error("schedule_key_deletion", "KMSInvalidStateException")
    stubber.add_response("describe_key", {"KeyMetadata": {"KeyId": "1", "KeyState": state}})
    vault, handle = (
        KmsVault(keys=client, tagged=None, prefix="jwks"),
        "aws-kms:arn:aws:kms:us-east-1:123456789012:key/1",
    )
    with stubber:
        if fine:
            vault.retire("acme", handle)
        else:
            with pytest.raises(VaultError, match=r"AWS refuses ScheduleKeyDeletion \(KMSInvalidStateException\)"):
                vault.retire("acme", handle)
        stubber.assert_no_pending_responses()


def test_aliases_that_are_there_already_are_no_error(kms: KmsVault, aws: Any) -> None:
    made = kms.make("acme", "ES256", NONE)
    aws.delete_alias(AliasName=f"alias/{kms.prefix}/acme/new-ES256")
    assert kms.make("acme", "ES256", NONE) == made  # by its tags
    with pytest.raises(ClientError, match="AlreadyExists"):
        aws.create_alias(AliasName=f"alias/{kms.prefix}/acme/new-ES256", TargetKeyId=arn(made))
