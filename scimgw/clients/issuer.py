"""What does an issuer of tokens publish?

A discovery document (OpenID Connect Discovery section 3, RFC 8414 section 3), which names the
issuer and tells where its keys are, or the keys themselves (RFC 7517 section 5): whichever of them
is found at the address.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from attrs import frozen

from scimgw.clients.http import Connection, HttpClient, Options, Proxy, Request, client
from scimgw.clients.http.settings import check_url
from scimgw.connector import Invalid, Services
from scimgw.errors import BadGateway

OPTIONS: Final = Options(
    connect_timeout=5.0,
    read_timeout=5.0,
    abort_timeout=10.0,
    max_connections=2,
    max_response=512 * 1024,
    retries=1,
)
_OK: Final = 200


@frozen
class KeySet:
    """A JWK Set as it came, and the name of the issuer if it is told."""

    document: Any
    issuer: str | None = None


class IssuerClient:
    """Asks one issuer."""

    def __init__(
        self,
        url: str,
        services: Services,
        options: Options = OPTIONS,
        proxy: Proxy | None = None,
    ) -> None:
        """Prepare; nothing is connected yet."""
        self._url = url
        self._services = services
        self._options = options
        self._proxy = proxy
        self._clients: dict[str, HttpClient] = {}

    async def ask(self) -> KeySet:
        """Fetch the keys.

        Raises: Unavailable, BadGateway.
        """
        found = await self._fetch(self._url)
        if "keys" in found:
            return KeySet(found)
        issuer, url = found.get("issuer"), found.get("jwks_uri")
        if not isinstance(issuer, str) or not isinstance(url, str):
            raise BadGateway("what the issuer publishes are neither keys nor tells where they are")
        try:
            check_address("jwks_uri", url)
        except Invalid as fault:
            raise BadGateway(f"the issuer's jwks_uri {fault}") from fault
        if urlsplit(self._url).scheme == "https" and urlsplit(url).scheme != "https":
            raise BadGateway("the issuer's jwks_uri isn't https")
        return KeySet(await self._fetch(url), issuer)

    async def close(self) -> None:
        """Give up what is under way, and close every connection."""
        for each in self._clients.values():
            await each.close()

    async def _fetch(self, url: str) -> dict[str, Any]:
        parts = urlsplit(url)
        base = f"{parts.scheme}://{parts.netloc}"
        if base not in self._clients:
            settings = Connection(base_urls=(base,), options=self._options, proxy=self._proxy)
            self._clients[base] = client(settings, self._services)
        headers = {"Accept": "application/json"}
        path = url.removeprefix(base)
        response = await self._clients[base].request(
            Request(method="GET", path=path, headers=headers)
        )
        if response.status != _OK:
            raise BadGateway(f"the issuer answers {response.status}")
        found = response.json()
        if not isinstance(found, dict):
            raise BadGateway("what the issuer publishes isn't an object")
        return found


def check_address(name: str, text: str) -> None:
    """Check that keys can be fetched from an address, and that nobody can change them on the way.

    Raises: Invalid.
    """
    check_url(name, text.partition("?")[0])
    if "#" in text or not text.isascii() or not text.isprintable() or " " in text:
        raise Invalid(name, "must be a URL without fragment and blanks")
    url = urlsplit(text)
    if url.scheme != "https" and not _loopback(url.hostname or ""):
        raise Invalid(name, "must be a URL that begins with https://")


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
