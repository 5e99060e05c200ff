"""Whose is the certificate that a client has shown?

RFC 8705 section 2.1.  That it is genuine was found out in the handshake.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from scimgw.auth.basic import REALM
from scimgw.auth.chain import Authenticator, Credentials
from scimgw.connector import Principal
from scimgw.errors import Unauthorized
from scimgw.tls.names import Name


class CertificateAuthenticator:
    """Knows several clients, each by a name that its certificate has."""

    # there is no registered scheme for what isn't said by HTTP, and a 401 has to name one
    challenge = f'TLS-Client-Certificate realm="{REALM}"'
    description: Mapping[str, str] = {
        "type": "tls_client_auth",
        "name": "TLS client certificate",
        "description": "Certificate of the connection, where there is no Authorization header",
        "specUri": "https://www.rfc-editor.org/info/rfc8705",
    }

    def __init__(self, clients: Iterable[tuple[Principal, Name]]) -> None:
        """Accept some clients; of two that fit the first counts."""
        self._known: dict[Name, tuple[int, Principal]] = {}
        for place, (principal, name) in enumerate(clients):
            self._known.setdefault(name, (place, principal))

    async def authenticate(self, credentials: Credentials) -> Principal | None:
        """Look the certificate's names up."""
        if credentials.certificate is None:
            return None
        known = self._known
        found = [known[name] for name in credentials.certificate if name in known]
        if not found:
            raise Unauthorized("the client certificate has no name that is known here")
        _, principal = min(found, key=lambda each: each[0])
        return principal


_conforms: type[Authenticator] = CertificateAuthenticator
