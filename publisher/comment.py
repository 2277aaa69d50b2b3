"""A review where people read a pull request: one comment on GitHub, one note on GitLab, edited in place.

It is found again by the marker in its first line and by its author, since anybody may write that line. What the text
says, and that it is safe to show, is `review`'s. PyGithub and python-gitlab were passed over: three requests need
neither.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

import aiohttp
import orjson
from yarl import URL

from publisher.diagnostic import clean
from publisher.edge import explained, limited, proxy_for, session
from publisher.reply import FetchFault

MARKER = "<!-- jwks-publisher review -->"
"""The first line of every review in Markdown."""
GITHUB_LIMIT = 65_536
"""Characters of a comment, as GitHub's API says when it refuses more; counted here in bytes, to be safe."""

Placed: TypeAlias = Literal["made", "edited", "unchanged"]

_BYTES = 16 * 1024 * 1024
_LIMITS = aiohttp.ClientTimeout(total=30, sock_connect=10)
_PAGE, _MOST_PAGES = 50, 100
_REFUSED = frozenset({401, 403, 404})
# A line of a note that begins with `/` is a command to GitLab (docs.gitlab.com/user/project/quick_actions).
_QUICK_ACTION = re.compile(r"(?m)^(\s*)/")


class CommentError(Exception):
    """The comment is not as it should be. The message is one line for people."""


class RefusedTokenError(CommentError):
    """The token may not read or write comments there: that of a pull request from a fork, say."""


class Forge(Protocol):
    """Whose API it is. URLs are whole; `body` is the text as that platform takes it."""

    @property
    def headers(self) -> dict[str, str]: ...
    @property
    def whoami(self) -> str | None:
        """The URL that names the token's user; None where the user is known."""

    @property
    def comments(self) -> str: ...
    @property
    def author(self) -> str: ...
    @property
    def edits(self) -> Literal["PATCH", "PUT"]: ...
    def comment(self, number: int) -> str: ...
    def body(self, text: str) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHub:
    """A pull request. `author` is the login that the token writes as: a workflow's token may not ask (GET /user)."""

    api: str
    repository: str
    number: int
    token: str = field(repr=False)
    author: str = "github-actions[bot]"

    edits: Literal["PATCH", "PUT"] = "PATCH"
    whoami: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """Who asks, and for which version of the API."""
        return {
            "Authorization": f"Bearer {self.token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }

    @property
    def comments(self) -> str:
        """The pull request's comments, oldest first."""
        return f"{self.api}/repos/{self.repository}/issues/{self.number}/comments"

    def comment(self, number: int) -> str:
        """One comment."""
        return f"{self.api}/repos/{self.repository}/issues/comments/{number}"

    def body(self, text: str) -> str:
        """The text, or where it is too long a line that says where to read it."""
        if len(text.encode()) <= GITHUB_LIMIT:
            return text
        return f"{MARKER}\nThe review is too long for a comment: read it in the summary of the workflow's run.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class GitLab:
    """A merge request. `project` is its number."""

    api: str
    project: str
    number: int
    token: str = field(repr=False)

    edits: Literal["PATCH", "PUT"] = "PUT"
    author: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """Who asks."""
        return {"PRIVATE-TOKEN": self.token}

    @property
    def whoami(self) -> str | None:
        """The token's user."""
        return f"{self.api}/user"

    @property
    def comments(self) -> str:
        """The merge request's notes, oldest first."""
        return f"{self.api}/projects/{self.project}/merge_requests/{self.number}/notes?order_by=created_at&sort=asc"

    def comment(self, number: int) -> str:
        """One note."""
        return f"{self.api}/projects/{self.project}/merge_requests/{self.number}/notes/{number}"

    def body(self, text: str) -> str:
        """The text without quick actions."""
        return _QUICK_ACTION.sub(r"\1\\/", text)


async def place(forge: Forge, text: str) -> Placed:
    """Put the review there: into the comment that holds one, or a new one.

    Raises ValueError where the text is no review or the API's address none, and CommentError.
    """
    if not text.startswith(f"{MARKER}\n"):
        raise ValueError(f"the review's first line is not {MARKER}")
    url = URL(forge.comments)
    if url.scheme != "https" and url.host not in ("127.0.0.1", "::1", "localhost"):
        raise ValueError("the API's address is no https URL, and the token goes there")
    if url.user is not None or url.password is not None or not url.host:
        raise ValueError("the API's address names a host, and no user: the token says who asks")
    body = forge.body(text)
    async with session(1) as client:
        author = forge.author
        if forge.whoami is not None:
            author = str(_field(await _ask(client, forge, "GET", URL(forge.whoami)), "username"))
        found = await _found(client, forge, author)
        if found is None:
            await _ask(client, forge, "POST", url.with_query(None), {"body": body})
            return "made"
        number, before = found
        if before.strip() == body.strip():
            return "unchanged"
        await _ask(client, forge, forge.edits, URL(forge.comment(number)), {"body": body})
        return "edited"


async def _found(client: aiohttp.ClientSession, forge: Forge, author: str) -> tuple[int, str] | None:
    """Number and text of the oldest comment of that author that begins with the marker."""
    for page in range(1, _MOST_PAGES + 1):
        comments = await _ask(client, forge, "GET", URL(forge.comments).update_query(per_page=_PAGE, page=page))
        if not isinstance(comments, list):
            raise CommentError("the API answers with something else than comments")
        for one in comments:
            writer = _field(one, "user", "author")
            name = writer.get("login", writer.get("username")) if isinstance(writer, dict) else None
            text, number = _field(one, "body"), _field(one, "id")
            if name == author and isinstance(number, int) and str(text).startswith(MARKER):
                return number, str(text).replace("\r\n", "\n")
        if len(comments) < _PAGE:
            break
    return None


async def _ask(
    client: aiohttp.ClientSession, forge: Forge, method: str, url: URL, value: dict[str, str] | None = None
) -> Any:
    """The JSON that the API answers. Nothing is tried again, so that no comment stands there twice."""
    try:
        async with client.request(
            method,
            url,
            json=value,
            headers=forge.headers,
            proxy=proxy_for(url),
            allow_redirects=False,
            timeout=_LIMITS,
        ) as response:
            body = await limited(response, _BYTES)
    except FetchFault as fault:
        raise CommentError(str(fault)) from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise CommentError(explained(error, url, url.host or "", _LIMITS)) from None
    if response.status in _REFUSED:
        raise RefusedTokenError(f"{url.authority} answers {response.status} to {method}: {_said(body)}")
    try:
        if not 200 <= response.status < 300:
            raise CommentError(f"{url.authority} answers {response.status} to {method}: {_said(body)}")
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise CommentError(f"{url.authority} answers with something that is no JSON") from None


def _field(value: Any, *names: str) -> Any:
    return next((value[name] for name in names if name in value), None) if isinstance(value, dict) else None


def _said(body: bytes) -> str:
    """The API's own words, where it gives some."""
    try:
        said = _field(orjson.loads(body), "message", "error")
    except orjson.JSONDecodeError:
        said = None
    return clean(str(said or "no reason given")[:200])
