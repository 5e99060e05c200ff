"""May an identity do what it asks for?

One place for every route.  Below it, who may only read works on an endpoint that can't be written.
"""

from __future__ import annotations

import re
from typing import Final

from twisted.web.server import Request

from scimgw.connector import Principal
from scimgw.errors import Forbidden, NotFound
from scimgw.web.routes import PUBLIC, ROOT, SEARCH, Target

_READING: Final = frozenset({b"GET", b"HEAD", b"OPTIONS"})
_TRAVERSAL: Final = frozenset({"", ".", ".."})


def no_entity(target: Target) -> NotFound:
    """Say that a base entity doesn't exist: the same of one that there isn't, and another's."""
    return NotFound(f"no base entity {target.base_entity!r}")


def on_serving(principal: Principal, target: Target, request: Request) -> None:
    """Check what is to be carried out here.

    Raises: NotFound, Forbidden.
    """
    if not principal.reaches(target.base_entity):
        raise no_entity(target)
    if principal.read_only and _writes(target, request):
        raise Forbidden(f"{principal.name!r} may only read")


def on_handing(principal: Principal, target: Target, request: Request) -> None:
    """Check what is to be handed on to a gateway that may read a path in another way.

    Whoever is limited to base entities may ask for nothing that could lead out of one there.

    Raises: NotFound, Forbidden.
    """
    if principal.entities is not None and (target.route is None or _leads_out(target)):
        raise no_entity(target)
    on_serving(principal, target, request)


def _writes(target: Target, request: Request) -> bool:
    if request.method in _READING:
        return False
    if target.route == PUBLIC:  # as anybody may, unless it is something else elsewhere
        return _leads_out(target)
    of_all = target.route == SEARCH and not target.rest
    searched = of_all or (target.type is not None and target.rest == (SEARCH,))
    return request.method != b"POST" or not searched


def _leads_out(target: Target) -> bool:
    """Whether another server might take a part of the path for a step in the tree, or for none."""
    if target.route == ROOT:  # behind two slashes, which may be one there
        return bool(target.rest)
    steps = [step.partition(";")[0] for each in target.rest for step in re.split(r"[/\\]", each)]
    return not _TRAVERSAL.isdisjoint(steps)
