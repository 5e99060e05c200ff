"""Stands for an issuer whose addresses are its own, as those of Entra ID's tenants are."""

from __future__ import annotations

import json
from typing import Any

from twisted.web.resource import Resource
from twisted.web.server import Request, Site


class IssuerSite(Site):
    """Answers GET of what is published, by its path, and 404 whatever else is asked."""

    noisy = False

    def __init__(self) -> None:
        """Publish nothing."""
        self.published: dict[str, bytes] = {}
        self.asked: list[str] = []
        super().__init__(_Published(self))

    def publish(self, path: str, document: Any) -> None:
        """Publish a document as JSON."""
        self.published[path] = json.dumps(document).encode()


class _Published(Resource):
    isLeaf = True

    def __init__(self, site: IssuerSite) -> None:
        super().__init__()
        self._site = site

    def render_GET(self, request: Request) -> bytes:
        path = request.uri.decode()
        self._site.asked.append(path)
        if path not in self._site.published:
            request.setResponseCode(404)
            return b""
        request.setHeader(b"Content-Type", b"application/json")
        return self._site.published[path]
