"""A SCIM server that can do less than plugin-loki: says so, and refuses the rest.

A stand-in for servers that can't be had here.  It is the gateway's own site over the document
store, behind a resource that takes abilities away; strict: what isn't announced can't be used.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

from attrs import frozen
from twisted.internet import reactor as installed
from twisted.web.resource import IResource, Resource
from twisted.web.server import Request

from connectors.loki import Config, LokiConnector
from scimgw.auth.basic import BasicAuthenticator
from scimgw.auth.chain import Chain
from scimgw.connector import NO_ENTITY, Principal
from scimgw.gateway.endpoint import Endpoint
from scimgw.scim.cursor import Cursors
from scimgw.scim.schema import GROUP, USER, ResourceType
from scimgw.secret import Secret
from scimgw.web.root import Limits as RootLimits
from scimgw.web.site import ScimSite
from tests.fakes.services import in_memory

reactor: Any = installed
NOT_IMPLEMENTED = 501


@frozen(kw_only=True)
class Limits:
    """What the server can do."""

    patch: bool = True
    filter: bool = True
    sort: bool = True
    etag: bool = True
    groups: bool = True
    """Whether users tell their groups."""
    most: int = 200
    """Resources in a page."""


class Limited(Resource):
    """Takes abilities away from another resource."""

    isLeaf = True

    def __init__(self, inner: IResource, limits: Limits) -> None:
        """Stand before a resource."""
        super().__init__()
        self._inner = inner
        self._limits = limits

    def render(self, request: Request) -> Any:
        """Answer discovery, refuse what isn't announced, and leave the rest to the other."""
        match request.path:
            case b"/ServiceProviderConfig":
                return _say(request, self._config())
            case b"/Schemas":
                return _say(request, [self._schema(each) for each in (USER, GROUP)])
            case b"/ResourceTypes":
                types = [{**each.to_json(), "schemaExtensions": []} for each in (USER, GROUP)]
                return _say(request, {"totalResults": 2, "Resources": types})
        if self._refused(request):
            request.setResponseCode(NOT_IMPLEMENTED)
            return _say(request, {})
        if not self._limits.groups and b"ttributes=" not in request.uri:
            separator = b"&" if b"?" in request.uri else b"?"
            request.uri += separator + b"excludedAttributes=groups"
        return self._inner.render(request)

    def _refused(self, request: Request) -> bool:
        """Whether a request uses what isn't there."""
        limits = self._limits
        arguments = parse_qs(request.uri.decode().partition("?")[2], keep_blank_values=True)
        conditions = request.requestHeaders.hasHeader("if-match")
        return (
            (not limits.patch and request.method == b"PATCH")
            or (not limits.filter and "filter" in arguments)
            or (not limits.sort and "sortBy" in arguments)
            or (not limits.etag and conditions)
            or (not limits.groups and b"groups" in request.uri)
        )

    def _config(self) -> dict[str, Any]:
        limits = self._limits
        return {
            "patch": {"supported": limits.patch},
            "filter": {"supported": limits.filter, "maxResults": limits.most},
            "sort": {"supported": limits.sort},
            "etag": {"supported": limits.etag},
        }

    def _schema(self, type: ResourceType) -> dict[str, Any]:
        schema = type.schema.to_json()
        hidden = set() if self._limits.groups else {"groups"}
        kept = [each for each in schema["attributes"] if each["name"] not in hidden]
        return {**schema, "attributes": kept}


def _say(request: Request, value: Any) -> None:
    request.setHeader("Content-Type", "application/json")
    request.write(json.dumps(value).encode())
    request.finish()


def limited(limits: Limits) -> ScimSite:
    """Serve a document store, limited."""
    endpoint = Endpoint(connector=LokiConnector(Config(), in_memory(reactor)), clock=reactor)
    chain = Chain([BasicAuthenticator([(Principal("gwadmin"), Secret("password"))])])
    root_limits = RootLimits(max_results=limits.most)
    cursors = Cursors(key=b"k" * 32)
    site = ScimSite(endpoint, chain, frozenset({NO_ENTITY}), root_limits, reactor, cursors=cursors)
    site.resource = Limited(site.resource, limits)
    return site
