"""GitHub's and GitLab's comments on the loopback: pages, editing, authors, tokens that may and may not.

What is answered follows docs.github.com/rest/issues/comments and docs.gitlab.com/api/notes.
"""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

TOKEN, READING, BROKEN = "may-write", "may-read", "meets-a-fault"
BOT = {"github": "github-actions[bot]", "gitlab": "project_7_bot"}
PATHS = {
    "github": (r"/repos/acme/keys/issues/7/comments", r"/repos/acme/keys/issues/comments/(\d+)"),
    "gitlab": (r"/projects/42/merge_requests/7/notes", r"/projects/42/merge_requests/7/notes/(\d+)"),
}


@dataclass(slots=True, kw_only=True)
class Forge:
    """A running stub, its comments, and each request's method and status."""

    kind: Literal["github", "gitlab"]
    url: str = ""
    comments: list[dict[str, Any]] = field(default_factory=list)
    requests: list[tuple[str, int]] = field(default_factory=list)

    def say(self, author: str, text: str) -> int:
        """Add a comment; its number."""
        writer = {"user": {"login": author}} if self.kind == "github" else {"author": {"username": author}}
        self.comments.append({"id": 1000 + len(self.comments), "body": text, **writer})
        return int(self.comments[-1]["id"])

    @property
    def texts(self) -> list[str]:
        """All comments."""
        return [str(one["body"]) for one in self.comments]

    @property
    def settings(self) -> dict[str, str]:
        """The variables of a workflow or pipeline that lead here, with the token that may write."""
        if self.kind == "github":
            return {"GITHUB_API_URL": self.url, "GITHUB_REPOSITORY": "acme/keys", "GITHUB_TOKEN": TOKEN}
        return {"CI_API_V4_URL": self.url, "CI_PROJECT_ID": "42", "JWKS_REVIEW_TOKEN": TOKEN}


@contextmanager
def forge(kind: Literal["github", "gitlab"]) -> Iterator[Forge]:
    """A stub without comments."""
    here = Forge(kind=kind)

    class Handler(BaseHTTPRequestHandler):
        def handle_one(self) -> None:
            size = int(self.headers.get("Content-Length", "0"))
            status, value = _answer(here, self.command, self.path, dict(self.headers), self.rfile.read(size))
            here.requests.append((self.command, status))
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = do_PUT = handle_one  # noqa: N815 - the base class calls these

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    here.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield here
    finally:
        server.shutdown()
        server.server_close()


def _answer(here: Forge, method: str, target: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
    url = urlsplit(target)
    token = headers.get("PRIVATE-TOKEN") if here.kind == "gitlab" else headers.get("Authorization", "")[7:]
    listed, single = PATHS[here.kind]
    if token == BROKEN:
        return 502, {"message": "bad gateway"}
    if token not in (TOKEN, READING):
        return 401, {"message": "Bad credentials"}
    if here.kind == "gitlab" and url.path == "/user":
        return 200, {"id": 1, "username": BOT["gitlab"]}
    if method == "GET" and re.fullmatch(listed, url.path):
        asked = parse_qs(url.query)
        size, page = int(asked["per_page"][0]), int(asked["page"][0])
        return 200, here.comments[size * (page - 1) : size * page]
    if token == READING:
        return 403, {"message": "Resource not accessible by integration"}
    text = json.loads(body)["body"]
    if here.kind == "github" and len(text) > 65536:
        return 422, {"message": "body is too long (maximum is 65536 characters)"}
    if method == "POST" and re.fullmatch(listed, url.path):
        here.say(BOT[here.kind], text)
        return 201, here.comments[-1]
    found = re.fullmatch(single, url.path)
    if found and method == ("PATCH" if here.kind == "github" else "PUT"):
        (one,) = [one for one in here.comments if one["id"] == int(found[1])]
        one["body"] = text
        return 200, one
    return 404, {"message": "Not Found"}
