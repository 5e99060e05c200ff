"""How does a client come out of settings?"""

from __future__ import annotations

import json
import os
from urllib.parse import quote, urlencode, urlsplit

from attrs import evolve
from twisted.logger import Logger

from scimgw.clients.http import assertion, proxy, tls, tokens
from scimgw.clients.http.client import HttpClient, Request, Response
from scimgw.clients.http.credentials import Credential, Fixed, PassThrough, basic, bearer
from scimgw.clients.http.settings import AuthOptions, Connection, Options
from scimgw.clients.http.tokens import Token, TokenCredential
from scimgw.connector import Misconfigured, Services
from scimgw.errors import BadGateway

log = Logger()

_FORM = "application/x-www-form-urlencoded"
_ENTRA = "https://login.microsoftonline.com"
_OK = 200


def client(settings: Connection, services: Services) -> HttpClient:
    """Make the client of an endpoint; connects to nothing, but reads files that settings name.

    Raises: Misconfigured, with paths below `connection`.
    """
    if not settings.options.tls.reject_unauthorized:
        log.warn(
            "{plugin}: whatever certificate {urls} shows is accepted",
            plugin=services.name,
            urls=", ".join(settings.base_urls),
        )
    return _client(settings, credential(settings, services), services)


def _client(settings: Connection, shown: Credential, services: Services) -> HttpClient:
    try:
        policy = tls.policy(settings.options.tls, services.folder)
    except Misconfigured as error:
        raise _below(".options.tls", error) from error
    passed: tuple[str, ...] = ()
    if settings.proxy is not None:
        passed = tuple(proxy.no_proxy(settings.proxy, os.environ.get("NO_PROXY", "")))
    return HttpClient(settings, shown, services, policy, passed)


def credential(settings: Connection, services: Services) -> Credential:
    """Make the credential that settings describe.

    Raises: Misconfigured.
    """
    options = settings.auth.options
    match settings.auth.type:
        case "none":
            return Fixed()
        case "passThrough":
            return PassThrough()
        case "basic":
            assert options.username is not None
            assert options.password is not None
            return basic(options.username, options.password)
        case "bearer":
            assert options.token is not None
            return bearer(options.token)
        case "token" | "oauth" | "oauthJwtBearer":
            return _token_credential(settings, services)


def _token_credential(settings: Connection, services: Services) -> Credential:
    options = settings.auth.options
    url = token_url(options)
    plain = evolve(settings, base_urls=(url,), options=for_issuer(settings, url))
    issuer = _client(plain, Fixed(), services)
    signer = _signer(options, services) if options.key is not None else None

    async def ask() -> Token:
        if settings.auth.type == "token":
            kind, content = "application/json", _login(options)
        else:
            signed = None if signer is None else _assertion(signer, options, url, services)
            kind, content = _FORM, urlencode(form(options, signed)).encode()
        request = Request(
            method="POST",
            body=content,
            headers={"Content-Type": kind, "Accept": "application/json"},
            idempotent=True,  # to be given two tokens does no harm
        )
        return _token(await issuer.request(request))

    return TokenCredential(ask, services.clock, issuer.close)


def for_issuer(settings: Connection, url: str) -> Options:
    """Give the options for a token endpoint.

    Headers for the endpoint aren't for it, and that the endpoint's certificate needn't be verified
    says nothing of another host's.
    """
    same = urlsplit(url).hostname in {urlsplit(each).hostname for each in settings.base_urls}
    tls = settings.options.tls
    return evolve(
        settings.options,
        headers={},
        tls=evolve(tls, reject_unauthorized=tls.reject_unauthorized or not same),
    )


def _token(response: Response) -> Token:
    try:
        answer = response.json()
    except BadGateway:
        if response.status == _OK:
            raise
        answer = None
    if response.status // 100 != _OK // 100:
        raise tokens.refusal(response.status, answer)
    return tokens.read(answer)


def token_url(options: AuthOptions) -> str:
    """Give the token endpoint: the one told, or Entra ID's, v1 for a resource, v2 for scopes."""
    if options.token_url is not None:
        return options.token_url
    tenant = quote(options.azure_tenant_id or "", safe="")
    version = "oauth2/token" if options.resource is not None else "oauth2/v2.0/token"
    return f"{_ENTRA}/{tenant}/{version}"


def form(options: AuthOptions, signed: str | None) -> dict[str, str]:
    """Say what a token is asked for with (RFC 6749 section 4.4, RFC 7523 section 2)."""
    secret = None if options.client_secret is None else options.client_secret.reveal()
    said: dict[str, str | None] = {
        "client_id": options.client_id,
        "client_secret": secret,
        "scope": options.scope,
        "resource": options.resource,
    }
    if signed is not None and options.subject is not None:
        said |= {"grant_type": assertion.GRANT, "assertion": signed}
    else:
        said["grant_type"] = "client_credentials"
    if signed is not None and options.subject is None:
        said |= {"client_assertion_type": assertion.CLIENT, "client_assertion": signed}
    return {name: value for name, value in said.items() if value is not None}


def _login(options: AuthOptions) -> bytes:
    assert options.password is not None
    said = {"username": options.username, "password": options.password.reveal()}
    return json.dumps(said).encode()


def _assertion(signer: assertion.Signer, options: AuthOptions, url: str, services: Services) -> str:
    issuer = options.issuer or options.client_id or ""
    return signer.sign(
        issuer=issuer,
        subject=options.subject or issuer,
        audience=options.audience or url,
        now=services.clock.seconds(),
        id=services.random(16).hex(),
    )


def _signer(options: AuthOptions, services: Services) -> assertion.Signer:
    assert options.key is not None
    try:
        key = tls.read("key", services.folder / options.key)
        certificate = None
        if options.certificate is not None:
            certificate = tls.read("certificate", services.folder / options.certificate)
        return assertion.Signer.load(key, certificate)
    except Misconfigured as error:
        raise _below(".auth.options", error) from error
    except (ValueError, TypeError) as error:
        fault = "isn't an RSA or EC key in PEM, or its certificate isn't one"
        raise Misconfigured([(".auth.options.key", fault)]) from error


def _below(path: str, error: Misconfigured) -> Misconfigured:
    return Misconfigured([(f"{path}{each}", fault) for each, fault in error.faults])
