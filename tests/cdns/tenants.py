"""CloudFront's distribution tenants over HTTP, as far as purges need them; moto has none (5.2)."""

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, urlsplit

NAMESPACE = 'xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"'


class Tenants:
    """A server. `invalidated` has the paths that were asked for, by distribution tenant."""

    def __init__(self) -> None:
        self.invalidated: dict[str, list[str]] = {}
        self._served: dict[str, tuple[str, str]] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def serve(self, distribution: str, domains: dict[str, str]) -> None:
        """Add domains, each with the tenant of the distribution that serves it."""
        self._served.update({domain: (tenant, distribution) for domain, tenant in domains.items()})

    def answer(self, target: str, body: str) -> tuple[int, str]:
        """Status and document."""
        path, query = urlsplit(target).path, parse_qs(urlsplit(target).query)
        if match := re.fullmatch(r"/2020-05-31/distribution-tenant/(\w+)/invalidation", path):
            self.invalidated[match[1]] = re.findall(r"<Path>([^<]*)</Path>", body)
            return 201, f"<Invalidation {NAMESPACE}><Id>I1</Id><Status>InProgress</Status></Invalidation>"
        tenant, distribution = self._served.get(query["domain"][0], ("", ""))
        if not tenant:
            return 404, "<ErrorResponse><Error><Type>Sender</Type><Code>EntityNotFound</Code></Error></ErrorResponse>"
        members = f"<Id>{tenant}</Id><DistributionId>{distribution}</DistributionId>"
        return 200, f"<DistributionTenant {NAMESPACE}>{members}</DistributionTenant>"

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"tenants": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    tenants: Tenants

    def do_GET(self) -> None:
        self._answer("")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def _answer(self, body: str) -> None:
        status, document = self.tenants.answer(self.path, body)
        self.send_response(status)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(document)))
        self.end_headers()
        self.wfile.write(document.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
        pass
