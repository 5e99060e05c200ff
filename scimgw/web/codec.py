"""How do bodies become values, and values bodies, and of which media type are they?"""

from __future__ import annotations

from typing import Any, Final

import orjson

from scimgw import jsontext
from scimgw.errors import InvalidSyntax
from scimgw.jsontext import NotJson

SCIM_JSON: Final = b"application/scim+json"
JSON: Final = b"application/json"


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


def answer_type(accept: str | None) -> bytes:
    """Choose an answer's type: SCIM JSON, but for browsers and who takes plain JSON only."""
    if accept is None:
        return SCIM_JSON
    kinds = {part.partition(";")[0].strip().casefold() for part in accept.split(",")}
    if SCIM_JSON.decode() in kinds:
        return SCIM_JSON
    plain = JSON.decode() in kinds and not kinds & {"*/*", "application/*"}
    return JSON if plain or "text/html" in kinds else SCIM_JSON
