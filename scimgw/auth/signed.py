"""What does a signed token say, and which of some keys has signed it?

JSON Web Tokens in the compact form of RFC 7515 section 7.1.  What a token says of its own key but
its name (`jwk`, `jku`, `x5c`, `x5u`) is never looked at (RFC 8725 section 3.10).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from typing import Any, Final

import jwt
import jwt.algorithms
from attrs import field, frozen

from scimgw import jsontext
from scimgw.auth.chain import Credentials
from scimgw.auth.claims import Claims
from scimgw.auth.keys import ED25519, Key
from scimgw.errors import InvalidToken
from scimgw.jsontext import NotJson

LONGEST: Final = 8192
"""Characters of a token."""
_COMPACT: Final = re.compile(r"([\w-]+)\.([\w-]+)\.[\w-]+", re.ASCII)
_TYPES: Final = frozenset({"jwt", "at+jwt", "application/jwt", "application/at+jwt"})
"""Types of tokens that let in (RFC 7519 section 5.1, RFC 9068 section 2.1); others, such as logout
tokens, are for something else (RFC 8725 section 3.11)."""
_ID: Final = 255
_TOLD: Final = ("alg", "kid", "iss", "aud", "tid", "appid", "azp", "iat", "nbf", "exp")
_JWS: Final = jwt.PyJWS()
_JWS.register_algorithm(ED25519, jwt.algorithms.OKPAlgorithm())


class WrongKey(InvalidToken):
    """A token isn't signed by any of some keys."""


@frozen
class Presented:
    """A token, and what it says, which may be a lie."""

    token: str = field(repr=False)
    algorithm: str
    key_id: str | None
    claims: Claims


def read(token: str) -> Presented | None:
    """Read a token, without looking at its signature; None if it isn't a signed one.

    Raises: InvalidToken.
    """
    if len(token) > LONGEST:
        raise InvalidToken(f"the token has more than {LONGEST} characters")
    parts = _COMPACT.fullmatch(token)
    header, claims = (None, None) if parts is None else map(_object, parts.groups())
    if header is None or claims is None:
        return None
    type = header.get("typ", "JWT")
    if not isinstance(type, str) or type.casefold() not in _TYPES:
        raise InvalidToken("the token is of a type that lets nobody in")
    if "crit" in header or "b64" in header:
        raise InvalidToken("the token's header demands what isn't known here")
    algorithm, id = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str):
        raise InvalidToken("the token's header names no algorithm")
    if id is not None and (not isinstance(id, str) or len(id) > _ID):
        raise InvalidToken("the token's kid isn't text, or is too long")
    return Presented(token, algorithm, id, claims)


def told(credentials: Credentials) -> str:
    """Repeat, on one line for a log, what a token says of who has signed it, for whom, and when.

    It may be a lie.  Whom the token is about isn't told; nothing of what isn't a signed token is.
    """
    try:
        presented = read(credentials.value) if credentials.scheme == "bearer" else None
    except InvalidToken:
        presented = None
    if presented is None:
        return ""
    said = {**presented.claims, "alg": presented.algorithm, "kid": presented.key_id}
    shown = (f"{name} {_shown(said[name])}" for name in _TOLD if _tellable(said.get(name)))
    return f"the token says {', '.join(shown)}"


def _tellable(value: Any) -> bool:
    return isinstance(value, str | int | float) or (
        isinstance(value, list) and all(isinstance(each, str) for each in value)
    )


def _shown(value: Any) -> str:
    return ascii(value)[:_ID]


def _object(part: str) -> dict[str, Any] | None:
    try:
        value = jsontext.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (NotJson, ValueError):
        return None
    return value if isinstance(value, dict) else None


def fitting(keys: Iterable[Key], presented: Presented, algorithms: frozenset[str]) -> list[Key]:
    """Give the keys that may have signed a token, of those for some algorithms.

    A token that names no key must leave no doubt; a key without a name is for all tokens.

    Raises: WrongKey.
    """
    if presented.algorithm not in algorithms:
        raise WrongKey("the token is signed by an algorithm that isn't accepted")
    suited = [key for key in keys if presented.algorithm in key.algorithms]
    if presented.key_id is None:
        return suited if len(suited) == 1 else []
    return [key for key in suited if key.id in {None, presented.key_id}]


def check_signature(presented: Presented, keys: Iterable[Key]) -> None:
    """Check that one of some keys has signed a token.

    Raises: WrongKey.
    """
    for key in keys:
        try:
            _JWS.decode(presented.token, key.value, algorithms=[presented.algorithm])
        except (jwt.PyJWTError, ValueError, TypeError):
            continue
        return
    raise WrongKey("the token isn't signed by a key that is trusted")
