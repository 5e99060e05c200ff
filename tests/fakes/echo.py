"""A connector that answers /api with what it was asked, and in every way that there is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from attrs import frozen

from scimgw.connector import (
    ApiAnswer,
    ApiConnector,
    ApiRequest,
    Call,
    ConnectorPlugin,
    PublicApi,
    Services,
)
from scimgw.errors import Uniqueness


class EchoConnector:
    """Answers as the id says; else tells what it was asked."""

    closed = False

    def __init__(self) -> None:
        """Begin without requests."""
        self.wait: Callable[[], Awaitable[Any]] | None = None
        self.done: list[str] = []

    async def api(self, call: Call, request: ApiRequest) -> ApiAnswer:
        """Answer."""
        if self.wait is not None:
            await self.wait()
        self.done.append(request.method)
        if request.id == "twice":
            raise Uniqueness("there is one already")
        if request.id == "bug":
            raise KeyError("secret hunter2")
        prepared = _PREPARED.get(request.id or "")
        if prepared is not None:
            return prepared()
        told = {"method": request.method, "id": request.id, "query": dict(request.query)}
        body = request.body.hex() if isinstance(request.body, bytes) else request.body
        return ApiAnswer(body={**told, "entity": call.entity, "body": body})

    async def public_api(self, call: Call, request: ApiRequest) -> ApiAnswer:
        """Tell whom it is for."""
        told = {"principal": call.principal.name, "entity": call.entity, "id": request.id}
        return ApiAnswer(body=told)

    async def close(self) -> None:
        """Be closed."""
        self.closed = True


async def pieces(number: int) -> AsyncIterator[bytes]:
    """Give many pieces."""
    for each in range(number):
        yield b"%08d" % each


async def broken() -> AsyncIterator[bytes]:
    """Give one piece, and fail."""
    yield b"begun"
    raise Uniqueness("no more")


_PREPARED: Mapping[str, Callable[[], ApiAnswer]] = {
    "text": lambda: ApiAnswer(body="grüße"),
    "bytes": lambda: ApiAnswer(body=b"\0\1", headers={"Content-Type": "image/png"}),
    "nothing": ApiAnswer,
    "teapot": lambda: ApiAnswer(status=418, body={"tea": None}, headers={"X-Tea": "green"}),
    "stream": lambda: ApiAnswer(body=pieces(100_000)),
    "broken": lambda: ApiAnswer(body=broken()),
}


@frozen
class Config:
    """Nothing to say."""


def build(_config: Any, _services: Services) -> EchoConnector:
    """Make the connector."""
    return EchoConnector()


PLUGIN = ConnectorPlugin(config=Config, build=build)
_conforms: type[ApiConnector] = EchoConnector
_public: type[PublicApi] = EchoConnector
