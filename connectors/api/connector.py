"""How are tickets opened and closed through the gateway?

POST   /api        opens one          GET /api[?status=open]   lists them
GET    /api/{id}   reads one          PUT /api/{id}            replaces it
PATCH  /api/{id}   changes it: {"status": "closed"} closes it
DELETE /api/{id}   removes it         GET /pub/api             how many are open, for anybody
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from connectors.api.settings import Config
from connectors.api.tickets import STATUSES, from_desk, to_desk
from scimgw.clients import http
from scimgw.connector import (
    ApiAnswer,
    ApiConnector,
    ApiRequest,
    Call,
    Misconfigured,
    PassingThrough,
    PublicApi,
    Services,
)
from scimgw.errors import (
    BadGateway,
    Forbidden,
    InvalidValue,
    MethodNotAllowed,
    NotFound,
    ScimError,
    Unauthorized,
)
from scimgw.scim.values import show

_OK: Final = range(200, 300)
_NO_CONTENT: Final = 204
_NOT_FOUND: Final = 404
_REFUSALS: Final[Mapping[int, type[ScimError]]] = {401: Unauthorized, 403: Forbidden}
"""What the service desk says of credentials that are the caller's own."""


class ServiceDeskConnector:
    """Service desks, one for each base entity."""

    def __init__(self, config: Config, services: Services) -> None:
        """Prepare clients; nothing is connected yet.

        Raises: Misconfigured.
        """
        self._entities = config.entity
        self._clients = {}
        for entity, each in config.entity.items():
            try:
                self._clients[entity] = http.client(each.reached, services)
            except Misconfigured as error:
                below = f".entity.{entity}.connection"
                faults = [(below + path, fault) for path, fault in error.faults]
                raise Misconfigured(faults) from error

    def passes_through(self, entity: str) -> bool:
        """Ask for the caller's credentials where `connection.auth.type` says so."""
        return entity in self._entities and self._entities[entity].passes_through

    async def api(self, call: Call, request: ApiRequest) -> ApiAnswer:
        """Do to tickets what is asked."""
        match request.method, request.id:
            case "GET", None:
                return ApiAnswer(body=await self._listed(call, request.query.get("status")))
            case "POST", None:
                ticket = to_desk(request.body, whole=True)
                return ApiAnswer(body=from_desk(await self._ask(call, "POST", "", ticket)))
            case "GET", str(id):
                return ApiAnswer(body=from_desk(await self._ask(call, "GET", _segment(id))))
            case ("PUT" | "PATCH") as method, str(id):
                ticket = to_desk(request.body, whole=method == "PUT")
                answer = await self._ask(call, method, _segment(id), ticket)
                return ApiAnswer(body=from_desk(answer))
            case "DELETE", str(id):
                await self._ask(call, "DELETE", _segment(id))
                return ApiAnswer()
        raise MethodNotAllowed(f"{request.method} isn't possible here", ("GET",))

    async def public_api(self, call: Call, request: ApiRequest) -> ApiAnswer:
        """Tell how many tickets are open."""
        if request.id is not None:
            raise NotFound("no such endpoint")
        if request.method != "GET":
            raise MethodNotAllowed("this can only be read", ("GET",))
        return ApiAnswer(body={"open": len(await self._listed(call, STATUSES[0]))})

    async def close(self) -> None:
        """Close all connections."""
        for each in self._clients.values():
            await each.close()

    async def _listed(self, call: Call, status: str | None) -> list[dict[str, Any]]:
        if status is not None and status not in STATUSES:
            raise InvalidValue(f"status must be open or closed, not {show(status)}")
        answer = await self._ask(call, "GET", "" if status is None else f"?status={status}")
        found = answer.get("tickets") if isinstance(answer, dict) else None
        if not isinstance(found, list):
            raise BadGateway("the service desk answered something that isn't a list")
        return [from_desk(each) for each in found]

    async def _ask(self, call: Call, method: str, path: str, ticket: Any = None) -> Any:
        client = self._clients.get(call.entity)
        if client is None:
            raise NotFound(f"no base entity {call.entity!r}")
        response = await client.request(
            http.Request(
                method=method,
                path=f"/tickets{path}",
                body=None if ticket is None else json.dumps(ticket).encode(),
                headers={"Content-Type": "application/json", "Accept": "application/json"},
                request_id=call.request_id,
                credentials=call.credentials,
                deadline=call.deadline,
            )
        )
        missing = response.status == _NOT_FOUND
        if response.status == _NO_CONTENT or (missing and method == "DELETE" and response.repeated):
            return None
        if missing:
            raise NotFound("no such ticket")
        refusal = _REFUSALS.get(response.status)
        if refusal is not None and self.passes_through(call.entity):
            raise refusal("the service desk doesn't let you do that")
        if response.status not in _OK:
            raise BadGateway(f"the service desk answered {response.status}")
        return response.json()


def _segment(id: str) -> str:
    if id in {".", ".."}:
        raise NotFound("no such ticket")
    return f"/{quote(id, safe='')}"


_conforms: type[ApiConnector] = ServiceDeskConnector
_public: type[PublicApi] = ServiceDeskConnector
_passes: type[PassingThrough] = ServiceDeskConnector
