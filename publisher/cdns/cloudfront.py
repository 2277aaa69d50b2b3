"""Amazon CloudFront: invalidations by path, by cache tag, or of distribution tenants.

Paths: the function that `cdn-config cloudfront` makes turns the viewer's `/.well-known/jwks.json` into
`/live/DOMAIN/.well-known/jwks.json`. AWS recommends to invalidate the URI before and after such a change
(https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html), so both are
named; the first one is the same for all domains.

Tags: every live object carries its tenant in the metadata `tenant`. A distribution whose CacheTagConfig reads
`x-amz-meta-tenant` drops all documents of a tenant for one path (invalidation-by-tags.html); no key belongs to two
tenants, so nothing narrower would cost less. A distribution without that setting ignores tags in silence, which is why
it is read first.

Quotas (InvalidationLimits.html): 3,000 paths in progress, 15 with `*`; 1,000 paths a month an account are free.
"""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import boto3
import orjson
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ProfileNotFound

from publisher.cdn import CdnError, Stale
from publisher.flow import gather

How: TypeAlias = Literal["paths", "tags", "tenants"]

VIEWER_PATH = "/.well-known/jwks.json"
TAG_HEADER = "x-amz-meta-tenant"
"""The header that a distribution's CacheTagConfig has to name."""
ONE_BY_ONE = 1000
"""Domains that are named one by one; more are one `/live/*`, which counts as one path."""
PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, *[30.0] * 9)
"""Seconds between tries while too many invalidations are in progress: five minutes in all."""

_SPEC = re.compile(r"([A-Z0-9]{6,32})(?:/(tags|tenants))?")
_CODE = re.compile(r"[A-Za-z]{1,64}")
_PARALLEL = 8
_WANTED = "write cloudfront:DISTRIBUTION, as cloudfront:E2EXAMPLE, perhaps with /tags or /tenants after it"
_MEANINGS = {
    "NoSuchDistribution": "there is no such distribution; correct its id",
    "AccessDenied": "access is denied; allow cloudfront:CreateInvalidation (and, by tags or tenants, "
    "cloudfront:GetDistributionConfig or cloudfront:GetDistributionTenantByDomain)",
    "TooManyInvalidationsInProgress": "too many invalidations are in progress, and were for minutes",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudFront:
    """A `Cdn`. `client` is boto3's; `pauses` are the seconds to wait before each further try at a full quota."""

    client: Any
    distribution: str
    how: How = "paths"
    pauses: tuple[float, ...] = PAUSES

    @property
    def name(self) -> str:
        """The address as `open_cdn` takes it."""
        return f"cloudfront:{self.distribution}" + ("" if self.how == "paths" else f"/{self.how}")

    async def purge(self, stale: Sequence[Stale], occasion: str) -> str:
        """See the protocol. Returns as soon as CloudFront has taken the invalidation on, which then takes a while."""
        if not stale:
            return "nothing to invalidate"
        if self.how == "tenants":
            return await self._purge_tenants(stale, occasion)
        if self.how == "tags":
            await self._require_tags()
            items = sorted({f"#{one.tenant}" for one in stale})
        else:
            items = paths(stale)
        await self._invalidate(self.distribution, items, occasion, self.client.create_invalidation, "DistributionId")
        return _counted(len(items))

    async def _purge_tenants(self, stale: Sequence[Stale], occasion: str) -> str:
        """Each distribution tenant has a cache of its own; CloudFront knows which serves a domain."""
        found: dict[str, list[Stale]] = {}
        failures: list[CdnError] = []
        async for tenant, one in gather(self._tenant, stale, _PARALLEL):
            if isinstance(tenant, CdnError):
                failures.append(tenant)
            else:
                found.setdefault(tenant, []).append(one)
        total = 0
        async for result in gather(lambda tenant: self._of_tenant(tenant, found[tenant], occasion), found, _PARALLEL):
            if isinstance(result, CdnError):
                failures.append(result)
            else:
                total += result
        if failures:
            first = min(failures, key=str)
            more = f" (and {len(failures) - 1} more such failures)" if len(failures) > 1 else ""
            raise CdnError(f"{first}{more}")
        return f"{_counted(total)} of {len(found)} distribution {'tenant' if len(found) == 1 else 'tenants'}"

    async def _tenant(self, one: Stale) -> tuple[str | CdnError, Stale]:
        try:
            reply = await asyncio.to_thread(self.client.get_distribution_tenant_by_domain, Domain=one.domain)
        except (ClientError, BotoCoreError) as error:
            if isinstance(error, ClientError) and _code(error) == "EntityNotFound":
                return self._failure(f"no distribution tenant serves {one.domain}; make one"), one
            return self._explained(error), one
        tenant = reply["DistributionTenant"]
        if tenant.get("DistributionId") != self.distribution:
            text = f"{one.domain} is served by a tenant of another distribution; correct the id"
            return self._failure(text), one
        return str(tenant["Id"]), one

    async def _of_tenant(self, tenant: str, stale: Sequence[Stale], occasion: str) -> int | CdnError:
        """The number of paths."""
        items = paths(stale)
        create = self.client.create_invalidation_for_distribution_tenant
        try:
            await self._invalidate(tenant, items, occasion, create, "Id")
        except CdnError as failure:
            return failure
        return len(items)

    async def _require_tags(self) -> None:
        try:
            reply = await asyncio.to_thread(self.client.get_distribution_config, Id=self.distribution)
        except (ClientError, BotoCoreError) as error:
            raise self._explained(error) from None
        named = reply["DistributionConfig"].get("CacheTagConfig", {}).get("HeaderName", "")
        if named.lower() != TAG_HEADER:
            hint = "set its CacheTagConfig, or purge by paths (without /tags)"
            raise self._failure(f"the distribution does not read cache tags from {TAG_HEADER}; {hint}")

    async def _invalidate(
        self, target: str, items: list[str], occasion: str, create: Callable[..., Any], argument: str
    ) -> None:
        reference = caller_reference(target, items, occasion)
        batch = {"Paths": {"Quantity": len(items), "Items": items}, "CallerReference": reference}
        await self._tried(lambda: asyncio.to_thread(create, **{argument: target, "InvalidationBatch": batch}))

    async def _tried(self, send: Callable[[], Awaitable[object]]) -> None:
        for pause in (*self.pauses, None):
            try:
                await send()
                return
            except ClientError as error:
                if pause is None or _code(error) != "TooManyInvalidationsInProgress":
                    raise self._explained(error) from None
            except BotoCoreError as error:
                raise self._explained(error) from None
            await asyncio.sleep(pause)

    def _explained(self, error: ClientError | BotoCoreError) -> CdnError:
        if isinstance(error, BotoCoreError):
            return self._failure(f"CloudFront cannot be asked ({type(error).__name__})")
        code = _code(error)
        return self._failure(_MEANINGS.get(code, f"CloudFront refuses it ({code})"))

    def _failure(self, text: str) -> CdnError:
        return CdnError(f"{self.name}: {text}")


def open_cloudfront(spec: str) -> CloudFront:
    """`DISTRIBUTION`, `DISTRIBUTION/tags` or `DISTRIBUTION/tenants`; see `publisher.cdns.open_cdn`."""
    match = _SPEC.fullmatch(spec)
    if match is None:
        raise ValueError(f"a CloudFront distribution is named by its id; {_WANTED}")
    how: How = next((known for known in get_args(How) if known == match[2]), "paths")
    try:
        session = boto3.Session()
        # CloudFront is one service for all regions; botocore maps any region of the partition to it.
        region = session.region_name or "us-east-1"
        config = Config(retries={"mode": "standard", "total_max_attempts": 5}, connect_timeout=5, read_timeout=30)
        client = session.client("cloudfront", region_name=region, config=config)
        credentials = session.get_credentials()
    except ProfileNotFound:
        raise CdnError("cloudfront: AWS_PROFILE names no profile; correct it, or unset it") from None
    except (BotoCoreError, ValueError) as error:
        raise CdnError(f"cloudfront: the AWS settings cannot be used ({type(error).__name__})") from None
    if credentials is None:
        raise CdnError("cloudfront: no AWS credentials; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and its secret")
    return CloudFront(client=client, distribution=match[1], how=how)


def paths(stale: Iterable[Stale]) -> list[str]:
    """The paths of domains' documents, as the viewer asks and as the function rewrites them."""
    domains = sorted({one.domain for one in stale})
    if len(domains) > ONE_BY_ONE:
        return [VIEWER_PATH, "/live/*"]
    return [VIEWER_PATH, *(f"/live/{domain}{VIEWER_PATH}" for domain in domains)]


def caller_reference(target: str, items: Iterable[str], occasion: str) -> str:
    """The same for the same invalidation on the same occasion: CloudFront then makes one, however often it is asked."""
    digest = hashlib.sha256(orjson.dumps([target, *items, occasion])).hexdigest()
    return f"jwks-publisher-{digest[:40]}"


def _counted(number: int) -> str:
    return f"an invalidation of {number} {'path' if number == 1 else 'paths'}"


def _code(error: ClientError) -> str:
    code = str(error.response.get("Error", {}).get("Code", ""))
    return code if _CODE.fullmatch(code) else "unknown error"
