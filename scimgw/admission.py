"""Which ways in are there for what is configured, and who could get nowhere?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scimgw.auth.basic import BasicAuthenticator
from scimgw.auth.certificate import CertificateAuthenticator
from scimgw.auth.chain import Authenticator
from scimgw.auth.hashed import Beside
from scimgw.auth.passthrough import NAME, PassedBasic, PassedToken
from scimgw.auth.token import TokenAuthenticator
from scimgw.config.identities import Auth, Identity
from scimgw.config.load import Fault, PluginConfig
from scimgw.connector import ApiConnector, Connector, PassingThrough
from scimgw.tokens import principal


def authenticators(auth: Auth, beside: Beside | None = None) -> list[Authenticator]:
    """Make the ways in of what is configured, in the order in which they are asked.

    Hashes are verified beside the reactor.
    """
    ways: list[Authenticator] = []
    if auth.basic:
        users = ((principal(each.username, each), each.password) for each in auth.basic)
        ways.append(BasicAuthenticator(users, beside))
    if auth.bearer_token:
        tokens = (
            (principal(each.name or f"bearerToken[{place}]", each), each.token)
            for place, each in enumerate(auth.bearer_token)
        )
        ways.append(TokenAuthenticator(tokens, beside))
    if auth.client_certificate:
        clients = (
            (principal(each.name or f"clientCertificate[{place}]", each), each.known_by)
            for place, each in enumerate(auth.client_certificate)
        )
        ways.append(CertificateAuthenticator(clients))
    if auth.pass_through is not None:
        anybody = principal(NAME, auth.pass_through)
        ways += [PassedBasic(anybody), PassedToken(anybody)]
    return ways


def unreachable(config: PluginConfig) -> Iterator[Fault]:
    """Find base entities that somebody is limited to and that there aren't."""
    if config.gateway.chaining_base_url is not None:  # then they are the other gateway's
        return
    auth = config.gateway.auth
    of: Sequence[tuple[str, Sequence[Identity]]]
    of = (
        ("basic", auth.basic),
        ("bearerToken", auth.bearer_token),
        ("bearerJwt", auth.bearer_jwt),
        ("bearerJwtAzure", auth.bearer_jwt_azure),
        ("bearerOAuth", auth.bearer_o_auth),
        ("clientCertificate", auth.client_certificate),
    )
    places = [
        (f"{key}[{place}]", identity)
        for key, identities in of
        for place, identity in enumerate(identities)
    ]
    if auth.pass_through is not None:
        places.append(("passThrough", auth.pass_through))
    for key, identity in places:
        for entity in sorted({*identity.base_entities} - config.entities):
            path = f"$.scimgateway.auth.{key}.baseEntities"
            yield Fault(f"{config.name}.json", path, f"there is no base entity {entity!r}")


def unpassed(config: PluginConfig, connector: Connector | ApiConnector) -> Iterator[Fault]:
    """Find base entities that credentials would be passed to in vain, and that would get none."""
    if config.gateway.chaining_base_url is not None:  # then the other gateway judges
        return
    asks = connector.passes_through if isinstance(connector, PassingThrough) else None
    wanted = {entity for entity in config.entities if asks is not None and asks(entity)}
    file = f"{config.name}.json"
    if config.gateway.auth.pass_through is None:
        for entity in sorted(wanted):
            fault = "wants the callers' own credentials: scimgateway.auth.passThrough must be on"
            yield Fault(file, f"$.endpoint.entity.{entity}", fault)
        return
    for entity in sorted(config.entities - wanted):
        fault = f"base entity {entity!r} doesn't ask for the callers' own credentials"
        yield Fault(file, "$.scimgateway.auth.passThrough", fault)
