"""How is TLS spoken?

TLS 1.2 and 1.3, with forward secrecy and authenticated encryption only: what Mozilla's guide
(https://wiki.mozilla.org/Security/Server_Side_TLS, version 5.7) calls intermediate, without DHE.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from attrs import field, frozen
from OpenSSL import SSL
from OpenSSL.crypto import Error as CryptoError

from scimgw.connector import Misconfigured
from scimgw.tls.asking import ask
from scimgw.tls.files import Material, read
from scimgw.tls.settings import Certificate

CIPHERS: Final = b"ECDHE+AESGCM:ECDHE+CHACHA20"
"""Suites of TLS 1.2; all of TLS 1.3 are as good."""
_HTTP: Final = b"http/1.1"
_OPTIONS: Final = (
    SSL.OP_NO_COMPRESSION
    | SSL.OP_NO_RENEGOTIATION
    | SSL.OP_CIPHER_SERVER_PREFERENCE
    # every connection proves anew who it is: no key that many sessions hang on, and no client that
    # comes back with a certificate that has ended
    | SSL.OP_NO_TICKET
)


@frozen(kw_only=True)
class Ready:
    """What connections are made with, and what it was made of."""

    material: Material
    context: SSL.Context = field(eq=False)


def ready(settings: Certificate, folder: Path) -> Ready:
    """Read the files, below a configuration folder, and prepare for connections.

    Raises: Misconfigured; paths are below `certificate`.
    """
    material = read(settings, folder)
    try:
        made = context(material, required=settings.client_required)
    except (SSL.Error, CryptoError) as error:
        path = ".pfx.bundle" if settings.cert is None else ".cert"
        raise Misconfigured([(path, f"OpenSSL refuses it: {reason(error)}")]) from error
    return Ready(material=material, context=made)


def context(material: Material, *, required: bool) -> SSL.Context:
    """Make OpenSSL's settings for a port.

    Raises: SSL.Error, if a key is too short, or a signature too weak.
    """
    made = SSL.Context(SSL.TLS_SERVER_METHOD)
    made.set_min_proto_version(SSL.TLS1_2_VERSION)
    made.set_options(_OPTIONS)
    made.set_mode(SSL.MODE_RELEASE_BUFFERS)
    made.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    made.set_alpn_select_callback(_select)
    made.use_certificate(material.certificate)
    made.use_privatekey(material.key)
    for each in material.chain:
        made.add_extra_chain_cert(each)
    made.check_privatekey()
    if material.client_ca:
        ask(made, material.client_ca, required=required)
    made.set_cipher_list(CIPHERS)  # the last, since it freezes the rest
    return made


def reason(error: Exception) -> str:
    """Say what OpenSSL says, without its codes."""
    stack = error.args[0] if error.args else None
    texts = [each[-1] for each in stack] if isinstance(stack, list) else []
    return "; ".join(texts) or "no reason given"


def _select(_: SSL.Connection, offered: Sequence[bytes]) -> Any:
    return _HTTP if _HTTP in offered else SSL.NO_OVERLAPPING_PROTOCOLS
