"""How is everything put together, started and stopped?

The composition root: the only place that knows all the parts.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final

from twisted.application import strports
from twisted.application.service import MultiService, Service
from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.endpoints import quoteStringArgument
from twisted.internet.interfaces import IProtocolFactory
from twisted.logger import Logger

from scimgw.admission import authenticators, unpassed, unreachable
from scimgw.auth.chain import Chain
from scimgw.clients.http.forward import Forwarder
from scimgw.config.keys import CURSORS, TOKENS, derive
from scimgw.config.load import Configuration, Fault, Faults, PluginConfig
from scimgw.connector import Connector, Misconfigured, Services
from scimgw.gateway.apionly import ApiOnly
from scimgw.gateway.endpoint import Endpoint
from scimgw.hangup import Plugins
from scimgw.ports import LOOPBACK, address, spelled
from scimgw.scim.cursor import Cursors
from scimgw.scim.custom import STANDARD
from scimgw.scim.path import Path
from scimgw.scim.schema import ResourceType
from scimgw.threads import Threads
from scimgw.tls.listening import Tls
from scimgw.tokens import signed
from scimgw.web.chaining import Chaining
from scimgw.web.patience import Patience
from scimgw.web.perimeter import Perimeter
from scimgw.web.proxyprotocol import ProxiedFactory
from scimgw.web.root import Limits
from scimgw.web.routes import Routes
from scimgw.web.site import ScimSite

log = Logger()

GRACE: Final = 10.0
"""Seconds that requests under way get to end in when the gateway stops."""
_BACKLOG: Final = 1024
"""Connections that may wait to be accepted."""


class PluginService(Service):
    """One plugin: a port, a site behind it, and the connector behind that."""

    def __init__(
        self,
        config: PluginConfig,
        reactor: Any,
        secret: bytes | None = None,
        now: Callable[[], float] = time.time,
        *,
        plugins: int = 1,
    ) -> None:
        """Put the plugin's parts together; nothing is bound or connected yet.

        Without a secret, what is signed is good for this process only.  `now` gives seconds since
        1970, which certificates are held against.  What the process may have open is shared by so
        many plugins.

        Raises: Misconfigured, Faults.
        """
        self.setName(config.name)
        self.config = config
        self._reactor = reactor
        services = Services(
            name=config.name,
            folder=config.folder,
            reactor=reactor,
            clock=reactor,
            random=os.urandom,
            resource_types=config.resource_types,
        )
        scim = config.gateway.scim
        secret = secret or os.urandom(32)
        self._threads = Threads(reactor)
        key = derive(secret, f"{TOKENS} {config.name}")
        self._signed = signed(config, services, key, self._threads)
        self.connector = config.connector.build(config.endpoint, services)
        own = self.connector
        self.endpoint = Endpoint(
            connector=own if isinstance(own, Connector) else ApiOnly(own),
            clock=reactor,
            max_scan=scim.max_scan,
        )
        known = authenticators(config.gateway.auth, self._threads)
        chain = Chain(
            [*self._signed.ways, *known],  # hashes of tokens take long: signed ones first
            elsewhere=config.gateway.auth.pass_through is not None,
        )
        limits = Limits(
            max_results=scim.max_results,
            max_operations=scim.max_operations,
            max_body=config.gateway.payload_size,
            reject_unknown=scim.unknown_attributes == "reject",
            me=scim.me,
            skip_meta_location=scim.skip_meta_location,
            max_requests=config.gateway.max_requests,
        )
        perimeter = Perimeter.of(config.gateway.ip_allow_list, config.gateway.trusted_proxies)
        room = _room(plugins)
        self.site = ScimSite(
            self.endpoint,
            chain,
            config.entities,
            limits,
            reactor,
            cursors=Cursors(
                key=derive(secret, f"{CURSORS} {config.name}"),
                lifetime=scim.cursor_timeout,
            ),
            perimeter=perimeter,
            patience=Patience(
                idle=config.gateway.idle_timeout,
                per_address=min(config.gateway.max_connections, max(1, room // 2)),
                connections=room,
            ),
            name=config.name,
        )
        if self._signed.issuer is not None:
            self.site.give_tokens(self._signed.issuer)
        self._forwarder: Forwarder | None = None
        if config.gateway.chaining_base_url is not None:
            self._forwarder = Forwarder(config.gateway.chaining_base_url, services)
            self.site.hand_on(Chaining(self._forwarder).answer)
        self.tls: Tls | None = None
        if config.gateway.certificate is not None:
            assert config.tls is not None, "load has read the files"
            self.tls = Tls(
                config.name,
                config.gateway.certificate,
                config.folder,
                config.tls,
                reactor,
                now=now,
            )
            self.tls.on_distrust = self.site.distrust
        self._listener = strports.service(
            f"tcp:{config.gateway.port}:interface={quoteStringArgument(address(config))}"
            f":backlog={_BACKLOG}",
            self._on_the_wire(perimeter),
            reactor,
        )

    def _on_the_wire(self, perimeter: Perimeter) -> IProtocolFactory:
        """Put around the site what comes before HTTP on the wire, from the inside out."""
        factory: IProtocolFactory = self.site
        if self.tls is not None:
            factory = self.tls.around(factory)
        if self.config.gateway.proxy_protocol:  # the first thing that is sent, in clear
            factory = ProxiedFactory(factory, perimeter, self._reactor)
        return factory

    def privilegedStartService(self) -> None:
        """Bind the port while that may still be allowed."""
        super().privilegedStartService()
        self._listener.privilegedStartService()

    def startService(self) -> None:
        """Answer requests."""
        super().startService()
        self._listener.startService()
        host, port = address(self.config), self.config.gateway.port
        scheme = "http" if self.tls is None else "https"
        log.info(
            "{plugin} listens on {host}, {scheme}",
            plugin=self.name,
            host=spelled(host, port),
            scheme=scheme,
        )
        if self.tls is not None:
            self.tls.startService()
        elif host != LOOPBACK:
            log.warn(
                "{plugin} sends passwords and personal data over {host} in clear",
                plugin=self.name,
                host=host,
            )

    def reload(self) -> None:
        """Read the certificates again."""
        if self.tls is not None:
            self.tls.reload()

    def stopService(self) -> Deferred[None]:
        """Stop listening, let what is under way end, then close the connector."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        await self._listener.stopService()
        if self.tls is not None:
            self.tls.stopService()
        try:
            with suppress(TimeoutError):
                await self.site.close().addTimeout(GRACE, self._reactor)
                await self.endpoint.pending.none().addTimeout(GRACE, self._reactor)
        finally:
            await self._signed.close()
            await self.endpoint.connector.close()
            if self._forwarder is not None:
                await self._forwarder.close()
            await self._threads.close()
        log.info("{plugin} has stopped", plugin=self.name)


def build(configuration: Configuration, reactor: Any, secret: bytes | None = None) -> MultiService:
    """Put all plugins together; one that fails later doesn't stop another.

    Raises: Faults.
    """
    root = Plugins(reactor)
    faults: list[Fault] = []
    for config in configuration.plugins:
        try:
            plugin = PluginService(config, reactor, secret, plugins=len(configuration.plugins))
        except Misconfigured as misconfigured:
            faults += [
                Fault(f"{config.name}.json", f"$.endpoint{path}", fault)
                for path, fault in misconfigured.faults
            ]
            continue
        except Faults as found:
            faults += found.found
            continue
        plugin.setServiceParent(root)
        faults += [*_misnamed(plugin), *_not_held(plugin), *unreachable(config)]
        faults += unpassed(config, plugin.connector)
    if faults:
        raise Faults(faults)
    return root


def concerns(root: MultiService) -> Iterator[str]:
    """Tell what is no fault of a configuration, and needs attention all the same."""
    for plugin in root:
        if isinstance(plugin, PluginService) and plugin.tls is not None:
            yield from (f"{plugin.name}: {text}" for _, text in plugin.tls.concerns())


def _misnamed(plugin: PluginService) -> Iterator[Fault]:
    """Find base entities that couldn't be addressed."""
    taken = Routes.of(plugin.endpoint).names
    for entity in sorted(plugin.config.entities):
        if not entity or entity.casefold() in taken:
            yield Fault(
                f"{plugin.config.name}.json",
                f"$.endpoint.entity.{entity}",
                "can't be the name of a base entity",
            )


def _not_held(plugin: PluginService) -> Iterator[Fault]:
    """Find what the configuration adds and the connector can't hold, or can't be addressed."""
    file, held = f"{plugin.config.name}.json", plugin.endpoint.connector.resource_types
    found = {type.name: type for type in held}
    standard = {type.name: type for type in STANDARD}
    for type in plugin.config.resource_types:
        key = "customSchema" if type.name in standard else "resourceTypes"
        lacking = _added(type, standard.get(type.name)) - _named(found.get(type.name))
        if lacking:
            fault = f"this connector doesn't hold what is added: {', '.join(sorted(lacking))}"
            yield Fault(file, f"$.scimgateway.scim.{key}", fault)
        elif key == "resourceTypes" and type.endpoint.strip("/").casefold() in Routes([]).names:
            fault = f"{type.name}: {type.endpoint} can't be an endpoint"
            yield Fault(file, f"$.scimgateway.scim.{key}", fault)


def _added(type: ResourceType, standard: ResourceType | None) -> set[str]:
    """Name what a resource type has beyond the standard one; all of it if there is none."""
    return {type.name} if standard is None else _named(type) - _named(standard)


def _named(type: ResourceType | None) -> set[str]:
    if type is None:
        return set()
    paths = (
        Path(container=container, attribute=attribute)
        for container, attributes in type.containers()
        for attribute in attributes
    )
    return {type.name, *(f"{type.name}: {path}" for path in paths)}


def _room(plugins: int) -> int:
    """Give the connections that a plugin may have: of a third of what the process may have open.

    Each may send a body that takes a file, and a third is left for endpoints and all else.
    """
    open_files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = Patience().connections
    return most if open_files == resource.RLIM_INFINITY else min(most, open_files // 3 // plugins)
