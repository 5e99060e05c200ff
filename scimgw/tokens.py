"""Which signed tokens let in, for what is configured?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from attrs import field, frozen

from scimgw.auth import keys
from scimgw.auth.chain import Authenticator
from scimgw.auth.claims import Claims, Demand, Rules, subject
from scimgw.auth.hashed import Beside
from scimgw.auth.issuers import FixedKey, Issuer, Keys, Remembered, SignedTokens
from scimgw.auth.oauth import DESCRIPTION, OAuthClient, TokenIssuer
from scimgw.auth.published import Published, PublishedKeys
from scimgw.clients.http import Proxy
from scimgw.clients.issuer import IssuerClient
from scimgw.config.identities import BearerJwt, BearerJwtAzure, Identity
from scimgw.config.load import Fault, Faults, PluginConfig
from scimgw.connector import Principal, Services
from scimgw.deferred import gather
from scimgw.errors import BadGateway

CERTIFICATES: Final = "certs"
"""Folder of key files, in the configuration's."""
PROVISIONING: Final = "00000014-0000-0000-c000-000000000000"
"""Application id of Entra ID's provisioning service."""
AUDIENCES: Final = (
    "00000002-0000-0000-c000-000000000000",
    "8adf8e6e-67b2-4cf2-a259-e3dc5476c621",
)
"""Whom that service's tokens are for."""
_STS: Final = "https://sts.windows.net"
_CHINA: Final = "https://sts.chinacloudapi.cn"
_STS_OF: Final = {
    "https://login.partner.microsoftonline.cn": _CHINA,
    "https://login.chinacloudapi.cn": _CHINA,
}
"""Issuers of v1 tokens by their authorities, where it isn't the usual one."""


@frozen(kw_only=True)
class Signed:
    """The ways in by signed tokens, and what gives out tokens, if anything does."""

    ways: tuple[Authenticator, ...]
    issuer: TokenIssuer | None
    _clients: tuple[IssuerClient, ...] = field(alias="clients")

    async def close(self) -> None:
        """Close connections to issuers."""
        await gather(each.close() for each in self._clients)


def signed(
    config: PluginConfig, services: Services, key: bytes, beside: Beside | None = None
) -> Signed:
    """Make the ways in of a plugin; the key signs its own tokens, 32 bytes.

    Hashes of clients' secrets are verified beside the reactor.

    Raises: Faults, if a file can't be used.
    """
    building = _Building(config, services)
    issuers = building.issuers()
    if building.faults:
        raise Faults(building.faults)
    now, ways = services.clock.seconds, list[Authenticator]()
    clients = [
        OAuthClient(
            principal=principal(each.client_id, each),
            secret=each.client_secret,
            lifetime=each.expires_in,
        )
        for each in config.gateway.auth.bearer_o_auth
    ]
    issuer, remembered = None, Remembered(now)
    if clients:
        issuer = TokenIssuer(clients, key, config.name, now, services.random, beside=beside)
        ways.append(SignedTokens([issuer.issuer], now, DESCRIPTION, remembered))
    if issuers:
        ways.append(SignedTokens(issuers, now, remembered=remembered))
    return Signed(ways=tuple(ways), issuer=issuer, clients=tuple(building.clients))


def principal(name: str, identity: Identity) -> Principal:
    """Tell who an identity is."""
    entities = frozenset(identity.base_entities) or None
    return Principal(name, read_only=identity.read_only, entities=entities)


def discovery(entry: BearerJwtAzure) -> str:
    """Give the address where a tenant of Entra ID tells its keys."""
    return f"{_authority(entry)}/{_tenant(entry)}/v2.0/.well-known/openid-configuration"


def entra(entry: BearerJwtAzure, source: Keys, who: Callable[[Claims], Principal]) -> Issuer:
    """Trust the provisioning service of a tenant of Entra ID, by tokens of both versions."""
    tenant, authority = _tenant(entry), _authority(entry)
    sts = _STS_OF.get(authority, _STS)
    return Issuer(
        keys=source,
        algorithms=frozenset({"RS256"}),
        rules=Rules(
            issuers=frozenset({f"{sts}/{tenant}/", f"{authority}/{tenant}/v2.0"}),
            audiences=frozenset({*AUDIENCES, *entry.audience}),
            demands=(
                Demand(("tid",), frozenset({tenant})),
                Demand(("appid", "azp"), frozenset({PROVISIONING})),
            ),
        ),
        principal=who,
    )


def _authority(entry: BearerJwtAzure) -> str:
    return entry.authority.rstrip("/")


def _tenant(entry: BearerJwtAzure) -> str:
    return entry.tenant_id_g_u_i_d.lower()


@frozen
class _Building:
    config: PluginConfig
    services: Services
    faults: list[Fault] = field(init=False, factory=list)
    clients: list[IssuerClient] = field(init=False, factory=list)

    def issuers(self) -> list[Issuer]:
        auth = self.config.gateway.auth
        of_jwt = [
            issuer
            for place, each in enumerate(auth.bearer_jwt)
            for issuer in self._of_jwt(f"bearerJwt[{place}]", each)
        ]
        return of_jwt + [
            self._of_azure(each, _always(principal(each.name or f"bearerJwtAzure[{place}]", each)))
            for place, each in enumerate(auth.bearer_jwt_azure)
        ]

    def _of_jwt(self, place: str, entry: BearerJwt) -> Iterator[Issuer]:
        options, named = entry.options, _always(principal(entry.name or place, entry))
        if entry.azure_tenant_id is not None:
            tenant = BearerJwtAzure(
                tenant_id_g_u_i_d=entry.azure_tenant_id,
                audience=options.audience,
                proxy=entry.proxy,
            )
            yield self._of_azure(tenant, named)
            return
        try:
            found, algorithms = self._keys(entry)
        except ValueError as error:
            key = "secret" if entry.secret is not None else "publicKey"
            self._fault(f"{place}.{key}", str(error))
            return
        unsuited = set(options.algorithms) - algorithms
        if unsuited:
            fault = f"the key isn't for {', '.join(sorted(unsuited))}"
            self._fault(f"{place}.options.algorithms", fault)
        yield Issuer(
            keys=found,
            algorithms=frozenset(options.algorithms) or algorithms,
            rules=Rules(
                issuers=frozenset(options.issuer),
                audiences=frozenset(options.audience),
                demands=(Demand(("sub",), frozenset(options.subject)),) if options.subject else (),
                max_age=options.max_age,
                tolerance=options.clock_tolerance,
            ),
            principal=_whoever(place, entry) if entry.name is None else named,
        )

    def _keys(self, entry: BearerJwt) -> tuple[Keys, frozenset[str]]:
        if entry.well_known_uri is not None:
            return self._published(entry.well_known_uri, entry.proxy), keys.ASYMMETRIC
        if entry.secret is not None:
            key = keys.of_secret(entry.secret.reveal().encode())
        else:
            assert entry.public_key is not None
            file = self.services.folder / CERTIFICATES / entry.public_key
            try:
                content = file.read_bytes()
            except OSError as error:
                raise ValueError(f"{file} can't be read: {error.strerror}") from error
            key = keys.of_pem(content)
        return FixedKey(key), key.algorithms

    def _of_azure(self, entry: BearerJwtAzure, who: Callable[[Claims], Principal]) -> Issuer:
        return entra(entry, self._published(discovery(entry), entry.proxy), who)

    def _published(self, url: str, proxy: Proxy | None) -> PublishedKeys:
        client = IssuerClient(url, self.services, proxy=proxy)
        self.clients.append(client)

        async def ask() -> Published:
            found = await client.ask()
            try:
                return Published(keys.of_set(found.document), found.issuer)
            except ValueError as fault:
                raise BadGateway(f"what the issuer publishes {fault}") from fault

        return PublishedKeys(ask, self.services.clock.seconds, f"{self.services.name}: {url}")

    def _fault(self, path: str, fault: str) -> None:
        at = f"$.scimgateway.auth.{path}"
        self.faults.append(Fault(f"{self.config.name}.json", at, fault))


def _always(who: Principal) -> Callable[[Claims], Principal]:
    return lambda _: who


def _whoever(place: str, entry: BearerJwt) -> Callable[[Claims], Principal]:
    """Tell subjects apart; a Basic user's name can't be like that of any, as it holds no colon."""

    def found(claims: Claims) -> Principal:
        name = subject(claims)
        return principal(f"{place}:{name}" if name else place, entry)

    return found
