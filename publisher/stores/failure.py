"""What went wrong in obstore, as one of a few faults and a line for people.

obstore's exceptions hold several lines of Rust debug text, with the server's answer and, for Azure, signed URLs in
it. The status, the provider's error code and the kind of a transport error are taken out of that text, and nothing
else of it is shown. Which text comes with which failure was found by running obstore 0.12 against a server that
answers so; `tests/stores/test_faults.py` repeats it.
"""

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from obstore.exceptions import AlreadyExistsError, PreconditionError

from publisher.store import Trouble

Kind: TypeAlias = Trouble | Literal["missing", "unmet", "conflict", "interrupted"]
"""A trouble; or no such object; or the condition of a write did not hold; or another conditional write of the same
object is under way, which says nothing about the condition; or the connection was reset, and nobody knows whether the
request was carried out."""

_STATUS = re.compile(r"Server returned non-2xx status code: (\d{3})")
_PART = re.compile(r"Bulk delete request failed for key .*\(code: (\d{3})\)\n")
_CODE = re.compile(r"<Code>([A-Za-z]{1,64})</Code>")
_TRANSPORT = re.compile(r"HttpError \{\s*kind: ([A-Za-z]+)")
_PROVIDER = re.compile(r"credential provider: ([A-Za-z]{1,64})")

# Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList (Google's XML API has the
# same) and https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes
_NO_STORE = ("NoSuchBucket", "ContainerNotFound", "ContainerBeingDeleted", "ContainerDisabled", "InvalidBucketName")
_CONFLICT = ("ConditionalRequestConflict", "OperationAborted")
_REGION = (
    "AuthorizationHeaderMalformed",
    "PermanentRedirect",
    "TemporaryRedirect",
    "IllegalLocationConstraintException",
)
_DENIED = ("ExpiredToken", "InvalidToken", "TokenRefreshRequired", "InvalidAccessKeyId", "RequestTimeTooSkewed")
_THROTTLED = ("SlowDown", "ServerBusy", "TooManyRequests")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A failure's kind, and the end of a sentence whose beginning is the object's or the store's address."""

    kind: Kind
    text: str


def read_fault(error: Exception) -> Fault:
    """The fault that an exception of obstore's stands for."""
    raw = str(error)
    # What obstore says itself; after that comes the server's answer, which could imitate it.
    said = raw.partition("Server returned")[0]
    match = _STATUS.search(raw) or _PART.search(raw)
    status = int(match[1]) if match else 0
    match = _CODE.search(raw)
    code = match[1] if match else ""
    answer = f"{status} {code}".strip() if status else type(error).__name__
    return (
        _credentials(said)
        or _condition(error, status, code)
        or (None if status else _transport(raw))
        or _refusal(said, status, code, answer)
        or Fault(kind="broken", text=f"the store failed ({answer}); try again, then look into the store's own log")
    )


def _credentials(said: str) -> Fault | None:
    """Credentials that could not be had; the server that gives them may have answered with any status."""
    if provider := _PROVIDER.search(said):
        return Fault(
            kind="denied",
            text=f"the AWS credentials cannot be fetched ({provider[1]}); try `aws sts get-caller-identity`",
        )
    if "token request" in said or "TokenRequest" in said:
        return Fault(
            kind="denied",
            text="no credentials: none are set, and the instance has none; set the provider's usual variables",
        )
    return None


def _condition(error: Exception, status: int, code: str) -> Fault | None:
    """What the store says about the object; obstore's class alone does not do, as 404 and 409 have several causes."""
    if code in _NO_STORE:
        return Fault(kind="no-store", text=f"no such bucket ({code}); make it, or correct the name")
    if code in _CONFLICT:
        return Fault(kind="conflict", text=f"other writers keep it busy ({status} {code}); run this again")
    if isinstance(error, AlreadyExistsError | PreconditionError):
        return Fault(kind="unmet", text="the condition did not hold")
    if isinstance(error, FileNotFoundError) or status == 404:
        return Fault(kind="missing", text="no such object")
    return None


def _transport(raw: str) -> Fault | None:
    """No answer at all."""
    match = _TRANSPORT.search(raw)
    if not match or match[1] == "Unknown":
        return None
    if match[1] == "Timeout":
        return Fault(kind="timeout", text="the store did not answer in time; try again, or look at the network")
    if "certificate" in raw.lower():
        return Fault(
            kind="unreachable", text="the server's certificate is not trusted; give its authority in AWS_CA_BUNDLE"
        )
    cause = (
        "connection refused"
        if "ConnectionRefused" in raw
        else "the host name is not known"
        if "dns error" in raw
        else "no connection, or it broke off"
    )
    kind: Kind = "interrupted" if match[1] == "Interrupted" else "unreachable"
    return Fault(kind=kind, text=f"{cause}; look at the endpoint, the network and the proxy settings")


def _refusal(said: str, status: int, code: str, answer: str) -> Fault | None:
    """An answer that is no success."""
    if code in _REGION or "redirect without LOCATION" in said:
        return Fault(kind="broken", text="the bucket is in another region; set AWS_REGION to the bucket's own")
    if code in _DENIED or status in (401, 403):
        return Fault(
            kind="denied",
            text=f"access denied ({answer}); the credentials must be valid and allowed to read, write and list",
        )
    if code in _THROTTLED or status in (429, 503):
        return Fault(kind="throttled", text=f"the store asks for fewer requests ({answer}); try again later")
    if code == "RequestTimeout" or status in (408, 504):
        return Fault(kind="timeout", text=f"the store did not answer in time ({answer}); try again later")
    if status == 507:
        return Fault(kind="full", text=f"the store is full ({answer}); make room, or raise its quota")
    if status == 501:
        return Fault(kind="broken", text=f"the store cannot do this ({answer}); it needs conditional writes")
    return None
