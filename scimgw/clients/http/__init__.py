"""HTTP to an endpoint: failover, credentials, bounds on time and size, failures as ScimErrors."""

from scimgw.clients.http.build import client
from scimgw.clients.http.client import HttpClient, Request, Response
from scimgw.clients.http.settings import (
    Auth,
    AuthOptions,
    Connection,
    HttpEntity,
    Options,
    Proxy,
    Tls,
)

__all__ = [
    "Auth",
    "AuthOptions",
    "Connection",
    "HttpClient",
    "HttpEntity",
    "Options",
    "Proxy",
    "Request",
    "Response",
    "Tls",
    "client",
]
