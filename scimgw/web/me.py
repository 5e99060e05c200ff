"""How does a client address itself?

RFC 7644 section 3.11: /Me is the user that the configuration maps the identity to; every request
for it is carried out on that user, whose address stands in Location.
"""

from __future__ import annotations

from typing import Final

from attrs import evolve

from scimgw.errors import MethodNotAllowed, NotFound, NotSupported
from scimgw.gateway import reads
from scimgw.scim.filter import Compare, Operator
from scimgw.scim.path import resolve
from scimgw.scim.project import projection
from scimgw.scim.query import Search
from scimgw.scim.references import location
from scimgw.web import scim
from scimgw.web.conversation import Answer
from scimgw.web.exchange import Context, Exchange

ON_ME: Final = scim.ON_RESOURCE


async def me(context: Context) -> Answer:
    """Carry a request out on the user whom the client is."""
    name = context.limits.me.get(context.call.principal.name)
    type = context.endpoint.types.get("User")
    if name is None or type is None:
        raise NotSupported("/Me is nobody: no user is configured for this identity")
    if context.request.method == b"POST":
        raise MethodNotAllowed("nobody can be made at /Me", ON_ME)
    search = Search(
        type=type,
        projection=projection(type, "id", ""),
        filter=Compare(resolve(type, "userName"), Operator.EQ, name),
        count=1,
    )
    found = await reads.search(context.endpoint, context.call, search)
    if not found.resources:
        raise NotFound("/Me is configured to be a user who isn't there")
    id = found.resources[0].id
    exchange = Exchange(
        request=context.request,
        endpoint=context.endpoint,
        call=context.call,
        base=context.base,
        limits=context.limits,
        cursors=context.cursors,
        type=type,
        id=id,
    )
    answer = await scim.answer(exchange)
    address = location(context.base, type.endpoint, id)
    return evolve(answer, headers={**answer.headers, "Location": address})
