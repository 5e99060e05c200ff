"""What does the gateway know of the connector that it works with?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from functools import lru_cache
from typing import Final

from attrs import evolve, field, frozen
from twisted.internet.interfaces import IReactorTime

from scimgw.connector import (
    ApiConnector,
    Call,
    Capabilities,
    Connector,
    Informed,
    Learner,
    PublicApi,
)
from scimgw.deferred import Locks, Pending
from scimgw.errors import Unavailable
from scimgw.gateway.apionly import ApiOnly
from scimgw.scim.schema import ResourceType

MAX_SCAN: Final = 100_000
"""Resources read at most to evaluate what the endpoint can't, unless configured."""


@frozen(kw_only=True)
class Endpoint:
    """A connector, what it declared at start, and the bounds that its configuration sets."""

    connector: Connector
    clock: IReactorTime
    max_scan: int = MAX_SCAN
    types: Mapping[str, ResourceType] = field(init=False)
    """Resource types by name."""
    capabilities: Mapping[ResourceType, Capabilities] = field(init=False)
    locks: Locks = field(init=False, factory=Locks)
    pending: Pending = field(init=False, factory=Pending)
    """Requests, and writes that have outlived theirs."""
    api: ApiConnector | None = field(init=False, default=None)
    """What answers /api, if anything does."""
    public_api: PublicApi | None = field(init=False, default=None)
    """What answers /pub/api."""
    beginnings: Callable[[str], Mapping[str, str]] = field(init=False)
    """Gives, for a base URL, what the addresses of resources begin with, by the names of their
    types in lower case."""
    informed: Informed | None = field(init=False, default=None)
    """Who knows the types of members."""
    _learner: Learner | None = field(init=False, default=None)
    _views: dict[str, tuple[Mapping[ResourceType, Capabilities], Endpoint]] = field(
        init=False, factory=dict
    )

    def __attrs_post_init__(self) -> None:
        """Ask the connector what it can do."""
        types = self.connector.resource_types
        object.__setattr__(self, "types", {type.name: type for type in types})
        object.__setattr__(self, "beginnings", lru_cache(maxsize=64)(self._beginnings))
        object.__setattr__(
            self,
            "capabilities",
            {type: _cached(self.connector.capabilities(type)) for type in types},
        )

        own = self.connector.api if isinstance(self.connector, ApiOnly) else self.connector
        if isinstance(own, ApiConnector):
            object.__setattr__(self, "api", own)
        if isinstance(own, PublicApi):
            object.__setattr__(self, "public_api", own)
        if isinstance(self.connector, Learner):
            object.__setattr__(self, "_learner", self.connector)
        if isinstance(self.connector, Informed):
            object.__setattr__(self, "informed", self.connector)

    async def at(self, call: Call) -> Endpoint:
        """Give the endpoint with what the call's base entity can do, where that is to be learnt.

        Raises: Unavailable, BadGateway.
        """
        if self._learner is None:
            return self
        learnt = await self._learner.learn(call)
        if call.credentials is not None:  # what one caller is told is kept from others
            return self._seen(learnt)
        known = self._views.get(call.entity)
        if known is None or known[0] is not learnt:
            self._views[call.entity] = known = (learnt, self._seen(learnt))
        return known[1]

    def _seen(self, learnt: Mapping[ResourceType, Capabilities]) -> Endpoint:
        view = copy(self)
        capabilities = {type: _cached(each) for type, each in learnt.items()}
        object.__setattr__(view, "capabilities", capabilities)
        return view

    def _beginnings(self, base: str) -> Mapping[str, str]:
        return {name.casefold(): f"{base}{each.endpoint}/" for name, each in self.types.items()}

    def check_deadline(self, call: Call) -> None:
        """Give up on what has taken too long.

        Raises: Unavailable.
        """
        if self.clock.seconds() > call.deadline:
            raise Unavailable("the endpoint took too long to answer")


def _cached(capabilities: Capabilities) -> Capabilities:
    return evolve(capabilities, filter=lru_cache(maxsize=4096)(capabilities.filter))
