"""How is the SCIM server of one base entity spoken with?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from attrs import evolve, frozen
from twisted.logger import Logger

from connectors.restful import ask, failure, write
from connectors.restful.callers import PerCaller
from connectors.restful.learn import Learnt
from connectors.restful.learn import read as read_learnt
from connectors.restful.read import listed, to_resource, to_version
from scimgw.clients.http import HttpClient, Request, Response
from scimgw.connector import Call, Capabilities, GroupRef, Services, Stored
from scimgw.deferred import Locks, gather
from scimgw.errors import BadGateway, Conflict, InvalidFilter, NotFound
from scimgw.scim.changes import Changes
from scimgw.scim.path import Path, resolve
from scimgw.scim.project import NEEDED
from scimgw.scim.query import Page, Query
from scimgw.scim.resource import Resource
from scimgw.scim.schema import GROUP, USER, ResourceType

log = Logger()

GROUPS: Final = "groups"
MEMBERS: Final = "members"
REFRESH: Final = 3600.0
"""Seconds after which the other side is asked anew what it can do."""
_SCIM: Final = "application/scim+json"
_ACCEPT: Final = "application/scim+json, application/json"
_NOT_FOUND: Final = 404
_OK: Final = 200
_ABSENT: Final = frozenset({403, 404, 405, 501})
"""Statuses of discovery that isn't there, or isn't for us."""
_TOO_LONG: Final = frozenset({414, 431})
"""Statuses of a URL that is too long for a server, and of a head that is."""
_NO_SEARCH: Final = frozenset({404, 405, 501})
"""Statuses of a `.search` that isn't there."""
_SEARCHING: Final = ("POST", ask.SEARCH)
_STEP: Final = 200
"""Resources asked for at once, where the other side sets no bound."""
_ATTEMPTS: Final = 5


@frozen
class Knowledge:
    """What was learnt, and when."""

    learnt: Learnt
    capabilities: Mapping[ResourceType, Capabilities]
    at: float


class Remote:
    """One SCIM server."""

    def __init__(
        self, client: HttpClient, types: Sequence[ResourceType], services: Services, *, passed: bool
    ) -> None:
        """Speak through a client; `passed` tells that it shows the callers' own credentials."""
        self.client = client
        self._types = types
        self._clock = services.clock
        self._passed = passed
        self._knowledge: PerCaller[Knowledge] = PerCaller(services.random)
        self._learning = Locks()
        self._strong = False
        self._left_out: set[str] = set()

    # --- what it can do ---

    async def knowledge(self, call: Call) -> Knowledge:
        """Ask what it can do, the first time and now and then.

        Raises: Unavailable, BadGateway.
        """
        caller = self._knowledge.caller(call)
        known = self._knowledge.get(caller)
        if known is not None and self._clock.seconds() < known.at + REFRESH:
            return known
        async with self._learning.holding(caller):
            newer = self._knowledge.get(caller)
            if newer is None or newer is known:
                newer = await self._learn(call)
                self._knowledge.keep(caller, newer)
            return newer

    async def _learn(self, call: Call) -> Knowledge:
        said = [
            await self._discovered(call, path)
            for path in ("/ServiceProviderConfig", "/ResourceTypes", "/Schemas")
        ]
        learnt = read_learnt(*said)
        capabilities = {type: learnt.capabilities(type) for type in self._types}
        return Knowledge(learnt, capabilities, self._clock.seconds())

    async def _discovered(self, call: Call, path: str) -> Any:
        response = await self._send(call, "GET", path)
        if response.status in _ABSENT:
            log.info("the endpoint has no {path} ({status})", path=path, status=response.status)
            return None
        failure.check(response, passed=self._passed)
        return response.json()

    # --- reading ---

    async def search(self, call: Call, query: Query) -> Page:
        """Find resources."""
        learnt = (await self.knowledge(call)).learnt
        if query.ids is not None:
            return Page(resources=await self._by_ids(call, query, query.ids, learnt))
        return await self._page(call, query, learnt)

    async def _page(self, call: Call, query: Query, learnt: Learnt) -> Page:
        endpoint = learnt.endpoint(query.type)
        response = await self._asked(call, endpoint, ask.parameters(query))
        self._check_there(response, endpoint)
        failure.check(response, passed=self._passed)
        documents, total = listed(response.json())
        resources = [self._read(query.type, each, query.attributes, learnt) for each in documents]
        return Page(resources=resources, total=total)

    def _check_there(self, response: Response, endpoint: str) -> None:
        """Tell a wrong address from what isn't there for whoever's own credentials were shown.

        Raises: BadGateway.
        """
        if response.status == _NOT_FOUND and not self._passed:
            raise BadGateway(f"the endpoint has no {endpoint}: perhaps its address is wrong")

    async def _asked(self, call: Call, endpoint: str, parameters: Mapping[str, str]) -> Response:
        """Ask in the URL, or in a body if that would be too long."""
        path = ask.with_parameters(endpoint, parameters)
        if len(path) <= ask.LONGEST_URL:
            response = await self._send(call, "GET", path)
            if response.status not in _TOO_LONG:
                return response
        body = ask.search_request(parameters)
        response = await self._send(call, "POST", f"{endpoint}/{ask.SEARCH}", body)
        if response.status in _NO_SEARCH:
            raise InvalidFilter(f"too long for the endpoint, which has no {ask.SEARCH}")
        return response

    async def _by_ids(
        self, call: Call, query: Query, ids: Sequence[str], learnt: Learnt
    ) -> Sequence[Resource]:
        if len(ids) == 1 or not learnt.filter:
            found = await gather([self._one(call, query, id, learnt) for id in ids])
            return [each for each in found if each is not None]
        resources: list[Resource] = []
        most = learnt.max_results or _STEP
        for filter, count in ask.by_ids(query.type, ids, most):
            few = evolve(query, ids=None, filter=filter, count=count)
            resources += (await self._page(call, few, learnt)).resources
        places = {id: place for place, id in enumerate(ids)}
        wanted = [each for each in resources if each.id in places]
        return sorted(wanted, key=lambda each: places[each.id])

    async def _one(self, call: Call, query: Query, id: str, learnt: Learnt) -> Resource | None:
        shown = ask.shown(query.type, query.attributes)
        try:
            path = ask.item(learnt.endpoint(query.type), id)
            response = await self._send(call, "GET", ask.with_parameters(path, shown))
            failure.check(response, passed=self._passed)
        except NotFound:
            return None
        found = self._read(
            query.type, response.json(), query.attributes, learnt, response.headers.get("etag")
        )
        return found if found.id == id else None

    def _read(
        self,
        type: ResourceType,
        document: Any,
        attributes: frozenset[Path] | None,
        learnt: Learnt,
        etag: str | None = None,
    ) -> Resource:
        found = to_resource(type, document, self._tell, etag)
        if learnt.etag:
            self._notice(etag, document.get("meta"))
        else:
            found = _unversioned(found)
        groups = type.find(GROUPS)
        wanted = groups is not None and (
            attributes is None or any(path.attribute is groups for path in attributes)
        )
        if wanted and GROUPS not in found.data and learnt.has(type, f"{GROUPS}.value"):
            # in no group, and so there is no need to ask for them
            return Resource(type, {**found.data, GROUPS: []})
        return found

    def _notice(self, etag: str | None, meta: Any) -> None:
        """Remember whether versions are strong here, since those must be sent back as such."""
        tag = etag or (meta.get("version") if isinstance(meta, dict) else None)
        if isinstance(tag, str) and tag:
            self._strong = tag.startswith('"')

    def _tell(self, path: str) -> None:
        if path not in self._left_out and len(self._left_out) < _STEP:
            self._left_out.add(path)
            log.warn("the endpoint has values of {path} that don't fit it; left out", path=path)

    # --- writing ---

    async def create(self, call: Call, resource: Resource) -> Stored:
        """Add a resource."""
        type = resource.type
        learnt = (await self.knowledge(call)).learnt
        body = write.written(type, resource.data)
        response = await self._send(call, "POST", learnt.endpoint(type), body)
        self._check_there(response, learnt.endpoint(type))
        failure.check(response, creating=True, passed=self._passed)
        tag = response.headers.get("etag")
        if not response.body:  # it should hold the resource, and needn't (RFC 7644 section 3.3)
            id = ask.id_at(response.headers.get("location"))
            return Stored(id=id, version=to_version(tag) if learnt.etag else None)
        return Stored.whole(self._read(type, response.json(), None, learnt, tag))

    async def modify(
        self, call: Call, type: ResourceType, id: str, changes: Changes, if_version: str | None
    ) -> Stored:
        """Change a resource, by PATCH if there is one."""
        learnt = (await self.knowledge(call)).learnt
        if not learnt.patch:
            return await self._replaced(call, type, id, changes, if_version)
        current = None
        roots = write.without_address(changes)
        if roots:
            current = await self._current(call, type, id, roots, learnt)
            _check_version(current, if_version)
            if_version = current.version
        message = write.to_patch(changes, current)
        if not message["Operations"]:
            return Stored(id=id)
        path = ask.item(learnt.endpoint(type), id)
        response = await self._send(call, "PATCH", path, message, if_version)
        failure.check(response, passed=self._passed)
        return self._stored(type, id, response, learnt)

    async def _replaced(
        self, call: Call, type: ResourceType, id: str, changes: Changes, if_version: str | None
    ) -> Stored:
        """Read and write the whole, again if somebody else was faster and nobody would mind."""
        learnt = (await self.knowledge(call)).learnt
        path = ask.item(learnt.endpoint(type), id)
        for attempt in range(_ATTEMPTS):
            read = await self._send(call, "GET", path)
            failure.check(read, passed=self._passed)
            document = read.json()
            current = self._read(type, document, None, learnt, read.headers.get("etag"))
            _check_version(current, if_version)
            body = write.to_put(current, document, changes)
            response = await self._send(call, "PUT", path, body, current.version)
            try:
                failure.check(response, passed=self._passed)
            except Conflict:
                if if_version is not None or current.version is None or attempt + 1 == _ATTEMPTS:
                    raise
                continue
            return self._stored(type, id, response, learnt)
        raise AssertionError("the last attempt returns or raises")

    async def _current(
        self, call: Call, type: ResourceType, id: str, roots: frozenset[Path], learnt: Learnt
    ) -> Resource:
        query = Query(type=type, ids=(id,), attributes=NEEDED | roots)
        current = await self._one(call, query, id, learnt)
        if current is None:
            raise NotFound(f"{type.name} {id!r} not found")
        return current

    def _stored(self, type: ResourceType, id: str, response: Response, learnt: Learnt) -> Stored:
        tag = response.headers.get("etag")
        if response.status == _OK and type.find(MEMBERS) is None:
            return Stored.whole(self._read(type, response.json(), None, learnt, tag))
        return Stored(id=id, version=to_version(tag) if learnt.etag else None)

    async def delete(self, call: Call, type: ResourceType, id: str, if_version: str | None) -> None:
        """Remove a resource."""
        learnt = (await self.knowledge(call)).learnt
        path = ask.item(learnt.endpoint(type), id)
        response = await self._send(call, "DELETE", path, None, if_version)
        if response.status == _NOT_FOUND and response.repeated:
            return  # the attempt before had removed it
        failure.check(response, passed=self._passed)

    # --- groups of users ---

    async def memberships(
        self, call: Call, user_ids: Sequence[str]
    ) -> Mapping[str, Sequence[GroupRef]]:
        """Ask the users for their groups, or, where these don't tell, the groups for members."""
        learnt = (await self.knowledge(call)).learnt
        if learnt.has(USER, f"{GROUPS}.value"):
            query = Query(type=USER, attributes=NEEDED | {resolve(USER, GROUPS)})
            users = await self._by_ids(call, query, user_ids, learnt)
            return {user.id: _references(user) for user in users}
        return await self._holders(call, user_ids, learnt)

    async def _holders(
        self, call: Call, user_ids: Sequence[str], learnt: Learnt
    ) -> Mapping[str, Sequence[GroupRef]]:
        wanted: dict[str, list[GroupRef]] = {id: [] for id in user_ids}
        names = NEEDED | {resolve(GROUP, "displayName"), resolve(GROUP, MEMBERS)}
        most = learnt.max_results or _STEP
        everything = Query(type=GROUP, attributes=names)
        queries = [everything]
        if learnt.filter:
            path = resolve(GROUP, f"{MEMBERS}.value")
            filters = ask.any_of(path, user_ids, most)
            queries = [evolve(everything, filter=filter) for filter, _ in filters]
        seen: set[str] = set()
        for query in queries:
            start, total = 1, 1
            while start <= total:
                page = await self._page(call, evolve(query, start_index=start, count=most), learnt)
                if not page.resources:
                    break
                total, start = page.total or 0, start + len(page.resources)
                for group in page.resources:
                    if group.id not in seen:
                        seen.add(group.id)
                        _hold(wanted, group)
        return wanted

    # --- the wire ---

    async def _send(
        self,
        call: Call,
        method: str,
        path: str,
        body: Any = None,
        version: str | None = None,
    ) -> Response:
        headers = {"Accept": _ACCEPT}
        if body is not None:
            headers["Content-Type"] = _SCIM
        if version is not None:
            headers["If-Match"] = version.removeprefix("W/") if self._strong else version
        return await self.client.request(
            Request(
                method=method,
                path=path,
                body=None if body is None else json.dumps(body).encode(),
                headers=headers,
                request_id=call.request_id,
                credentials=call.credentials,
                deadline=call.deadline,
                # a search is posted, but changes nothing
                idempotent=True if (method, path.rpartition("/")[2]) == _SEARCHING else None,
            )
        )


def _unversioned(resource: Resource) -> Resource:
    """Leave out a version that nothing can be made to depend on."""
    meta = dict(resource.data.get("meta", {}))
    meta.pop("version", None)
    return Resource(resource.type, {**resource.data, "meta": meta})


def _check_version(current: Resource, if_version: str | None) -> None:
    if if_version is not None and current.version != if_version:
        raise Conflict(f"{current.type.name} {current.id!r} has another version")


def _references(user: Resource) -> Sequence[GroupRef]:
    return [
        GroupRef(value=each["value"], display=each.get("display"), type=each.get("type", "direct"))
        for each in user.data.get(GROUPS, ())
        if "value" in each
    ]


def _hold(wanted: Mapping[str, list[GroupRef]], group: Resource) -> None:
    """Note a group with those of its members that are asked for."""
    reference = GroupRef(value=group.id, display=group.data.get("displayName"))
    for member in group.data.get(MEMBERS, ()):
        if member.get("value") in wanted:
            wanted[member["value"]].append(reference)
