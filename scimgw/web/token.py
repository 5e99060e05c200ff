"""How is a token asked for, and given?

    POST [/<entity>]/oauth/token

The client credentials grant (RFC 6749 section 4.4), as a form or as JSON.  A client shows its
secret in the header or in the body (section 2.3.1), and is answered as section 5 says.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import parse_qsl, unquote_plus

from twisted.web.http import (
    BAD_REQUEST,
    INTERNAL_SERVER_ERROR,
    OK,
    SERVICE_UNAVAILABLE,
    UNAUTHORIZED,
)

from scimgw.auth.basic import REALM
from scimgw.auth.chain import Credentials
from scimgw.auth.oauth import OAuthClient, TokenIssuer
from scimgw.errors import InvalidSyntax, MethodNotAllowed, TooManyRequests, Unauthorized
from scimgw.web import codec
from scimgw.web.conversation import Answer, header
from scimgw.web.login import Login
from scimgw.web.request import ScimRequest

METHODS: Final = ("POST", "OPTIONS")
_FORM: Final = "application/x-www-form-urlencoded"
_GRANT: Final = "client_credentials"
_LONGEST: Final = 16 * 1024
"""Bytes of a body."""
_HEADERS: Final[Mapping[str, str]] = {
    "Content-Type": "application/json",
    "Cache-Control": "no-store",
    "Pragma": "no-cache",
}

_CODES: Final[Mapping[int, str]] = {
    TooManyRequests.status: "temporarily_unavailable",
    SERVICE_UNAVAILABLE: "temporarily_unavailable",
    INTERNAL_SERVER_ERROR: "server_error",
}
"""Of RFC 6749 section 4.1.2.1, as section 5.2 has none for what isn't the request's fault."""
_UNFIT: Final = re.compile(r"[^ !#-\[\]-~]")
"""What no error_description may hold."""


class Refused(Exception):
    """No token is given: a code of RFC 6749 section 5.2, and why."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


async def login(request: ScimRequest, issuer: TokenIssuer, known: Login) -> OAuthClient:
    """Tell which client asks for a token.

    Raises: MethodNotAllowed, TooManyRequests, Refused.
    """
    if request.method != b"POST":
        raise MethodNotAllowed("a token is asked for by POST", METHODS)
    assert request.content is not None
    asked = parameters(request.content.read(_LONGEST + 1), header(request, b"content-type"))
    if "grant_type" not in asked:
        raise Refused("invalid_request", "grant_type is missing")
    shown = credentials(asked, header(request, b"authorization"))
    try:
        client = await known.client(request, issuer, shown)
    except Unauthorized as error:
        raise Refused("invalid_client", error.detail) from error
    if asked["grant_type"] != _GRANT:
        raise Refused("unsupported_grant_type", f"grant_type must be {_GRANT}")
    return client


def given(issuer: TokenIssuer, client: OAuthClient) -> Answer:
    """Give a client a token (RFC 6749 section 5.1)."""
    token = {
        "access_token": issuer.issue(client).reveal(),
        "token_type": "Bearer",
        "expires_in": client.lifetime,
    }
    return Answer(OK, token, _HEADERS)


def refused(refusal: Refused) -> Answer:
    """Say why no token is given (RFC 6749 section 5.2)."""
    said = {"error": refusal.code, "error_description": str(refusal)}
    if refusal.code != "invalid_client":
        return Answer(BAD_REQUEST, said, _HEADERS)
    return Answer(UNAUTHORIZED, said, {**_HEADERS, "WWW-Authenticate": f'Basic realm="{REALM}"'})


def respelled(answer: Answer) -> Answer:
    """Say a failure, whichever it is, in the words of the token endpoint (RFC 6749 section 5.2)."""
    said = {
        "error": _CODES.get(answer.status, "invalid_request"),
        "error_description": _UNFIT.sub("'", answer.body["detail"]),
    }
    return Answer(answer.status, said, {**answer.headers, **_HEADERS})


def parameters(content: bytes, content_type: str | None) -> Mapping[str, str]:
    """Read what is asked for; what is empty is left out (RFC 6749 section 3.2).

    Raises: Refused.
    """
    if len(content) > _LONGEST:
        raise Refused("invalid_request", f"the body is larger than {_LONGEST} bytes")
    kind = (content_type or "").partition(";")[0].strip().casefold()
    if kind == _FORM:
        found = _form(content)
    elif codec.media_type(content_type) is not None:
        found = _json(content)
    else:
        raise Refused("invalid_request", f"the body must be {_FORM} or application/json")
    return {name: value for name, value in found.items() if value}


def _form(content: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(content.decode("ascii"), keep_blank_values=True, errors="strict")
    except UnicodeError:
        raise Refused("invalid_request", "the body isn't UTF-8 in a form") from None
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Refused("invalid_request", "a parameter is given twice")
    return found


def _json(content: bytes) -> dict[str, str]:
    try:
        found = codec.decode(content)
    except InvalidSyntax as error:
        raise Refused("invalid_request", "the body isn't JSON") from error
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        raise Refused("invalid_request", "the body isn't an object of strings")
    return found


def credentials(asked: Mapping[str, str], authorization: str | None) -> Sequence[tuple[str, str]]:
    """Give id and secret of a client, as they may be meant.

    In a header both are encoded as in forms, but not every client does so.

    Raises: Refused.
    """
    id, secret = asked.get("client_id"), asked.get("client_secret")
    if authorization is None:
        if id is None or secret is None:
            raise Refused("invalid_client", "client_id and client_secret are required")
        return [(id, secret)]
    if secret is not None:
        raise Refused("invalid_request", "credentials are in the header and in the body")
    plain = _basic(authorization)
    decoded = unquote_plus(plain[0]), unquote_plus(plain[1])
    if id not in {None, plain[0], decoded[0]}:
        raise Refused("invalid_request", "client_id isn't that of the Authorization header")
    return [decoded, plain]


def _basic(authorization: str) -> tuple[str, str]:
    shown = Credentials.parse(authorization)
    if shown.scheme != "basic":
        raise Refused("invalid_client", "a client logs in by HTTP Basic, or in the body")
    try:
        id, colon, secret = base64.b64decode(shown.value, validate=True).decode().partition(":")
    except ValueError:
        raise Refused("invalid_client", "basic credentials must be base64 of UTF-8") from None
    if not colon:
        raise Refused("invalid_client", "basic credentials must hold a colon")
    return id, secret
