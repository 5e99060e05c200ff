"""How do bodies become values, and values bodies, and of which media type are they?"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

import orjson

from scimgw import jsontext
from scimgw.errors import InvalidSyntax
from scimgw.jsontext import NotJson

SCIM_JSON: Final = b"application/scim+json"
JSON: Final = b"application/json"
_WEIGHT: Final = re.compile(r"q=([01](?:\.\d{0,3})?)", re.ASCII)


def decode(body: bytes) -> Any:
    """Read a body.

    Raises: InvalidSyntax, saying where and why.
    """
    try:
        return jsontext.decode(body)
    except NotJson as fault:
        raise InvalidSyntax(f"the body can't be read: {fault}") from None


def encode(value: Any) -> bytes:
    """Write a JSON text."""
    return orjson.dumps(value)


def media_type(content_type: str | None) -> str | None:
    """Give the media type of a body in lower case, None if it isn't one that is read."""
    if not content_type or not content_type.strip():
        return JSON.decode()
    kind, *parameters = (part.strip().casefold() for part in content_type.split(";"))
    charsets = {
        value.strip('"')
        for name, _, value in (each.partition("=") for each in parameters)
        if name == "charset"
    }
    if kind.encode() not in {SCIM_JSON, JSON} or not charsets <= {"utf-8", "utf8"}:
        return None
    return kind


@lru_cache(maxsize=128)
def answer_type(accept: str | None) -> bytes:
    """Choose an answer's type: SCIM JSON, but for browsers and who takes or likes plain JSON only.

    RFC 7644 section 3.8, RFC 9110 section 12.5.1.
    """
    if accept is None:
        return SCIM_JSON
    weights = dict(map(_weighted, accept.split(",")))
    scim, plain = weights.get(SCIM_JSON.decode()), weights.get(JSON.decode(), 0.0)
    if scim is not None:
        return JSON if not scim or plain > scim else SCIM_JSON
    only = plain > 0 and not weights.keys() & {"*/*", "application/*"}
    return JSON if only or "text/html" in weights else SCIM_JSON


def _weighted(part: str) -> tuple[str, float]:
    """Read a media range and how much it is liked: from 0, not at all, to 1."""
    kind, *parameters = (each.strip().casefold() for each in part.split(";"))
    found = (_WEIGHT.fullmatch(each) for each in parameters)
    return kind, next((float(each[1]) for each in found if each is not None), 1.0)
