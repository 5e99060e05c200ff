"""Of which form is a request's target, and whose host is it about?

RFC 9112 section 3.2:

    request-target = origin-form / absolute-form / asterisk-form
    origin-form    = absolute-path [ "?" query ]
    absolute-form  = ( "http" / "https" ) "://" authority [ absolute-path ] [ "?" query ]
    asterisk-form  = "*"                                         ; for OPTIONS

The authority-form is for CONNECT, which only proxies know.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from scimgw.errors import BadRequest

_ABSOLUTE: Final = re.compile(rb"(?i:https?)://([^/?#]+)(?![^/?])")


def host(method: bytes, target: bytes, version: bytes, named: Sequence[bytes]) -> bytes | None:
    """Give the host that a request is for, which overrules the Host headers that are `named`.

    None tells that there is none, in a request of HTTP/1.0.

    Raises: BadRequest.
    """
    if len(named) > 1 or (not named and version != b"HTTP/1.0"):
        raise BadRequest("a request must have one Host header")
    if target.startswith(b"/") or (target == b"*" and method == b"OPTIONS"):
        return named[0] if named else None
    whole = _ABSOLUTE.match(target)
    if whole is None:
        raise BadRequest("the target of a request must begin with a slash, or be a whole URL")
    return whole[1]
