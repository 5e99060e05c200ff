"""How does a secret stand encrypted in a file?

    sealed = "encrypted:v1:" base64url      ; RFC 4648 section 5, without padding

The octets are a nonce of 12 bytes, and what AES-256-GCM makes of the secret in UTF-8 under a key of
this purpose.  Where a secret stands isn't part of it, so that it can be moved to another key or
file: whoever may change the files can name another endpoint beside it just as well.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from scimgw.secret import Secret

PREFIX: Final = "encrypted:"
"""What an encrypted secret begins with, and no secret in clear does."""
PURPOSE: Final = "scimgw secrets"
"""The purpose of the key."""
_VERSION: Final = b"encrypted:v1:"
_NONCE: Final = 12
_TAG: Final = 16
_SEALED: Final = re.compile(r"encrypted:v1:([A-Za-z0-9_-]+)")


class NotOpened(ValueError):
    """A text can't be decrypted."""


def seal(secret: Secret, key: bytes, random: Callable[[int], bytes]) -> str:
    """Encrypt a secret under a key of 32 bytes."""
    nonce = random(_NONCE)
    content = nonce + AESGCM(key).encrypt(nonce, secret.reveal().encode(), _VERSION)
    return _VERSION.decode() + urlsafe_b64encode(content).decode().rstrip("=")


def unseal(text: str, key: bytes) -> Secret:
    """Decrypt.

    Raises: NotOpened.
    """
    found = _SEALED.fullmatch(text)
    if found is None:
        raise NotOpened(f"begins with {PREFIX} and isn't an encrypted secret")
    try:
        content = urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4))
    except ValueError:
        content = b""
    nonce, sealed = content[:_NONCE], content[_NONCE:]
    if len(sealed) <= _TAG:
        raise NotOpened("isn't a whole encrypted secret")
    try:
        return Secret(AESGCM(key).decrypt(nonce, sealed, _VERSION).decode())
    except InvalidTag:
        raise NotOpened("was encrypted under another secretKey, or was changed since") from None
