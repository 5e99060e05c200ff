"""What can be configured of a port's TLS?

Keys are spelled in camelCase in the files.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from attrs import frozen

from scimgw.connector import Invalid
from scimgw.secret import Secret

FOLDER: Final = "certs"
"""Where the files are, in the configuration folder."""


@frozen(kw_only=True)
class Pfx:
    """A key and its certificates in one file of PKCS#12."""

    bundle: str | None = None
    """The file."""
    password: Secret | None = None
    """What it is encrypted with."""

    def __attrs_post_init__(self) -> None:
        """Refuse the password of nothing."""
        if self.bundle is None and self.password is not None:
            raise Invalid("bundle", "required by password")


@frozen(kw_only=True)
class Certificate:
    """What a port shows, and whom it asks for a certificate.

    Names of files are relative to `certs/` in the configuration folder.
    """

    key: str | None = None
    """File of the private key, PEM; as all of these it is in `certs/`, or its path is absolute."""
    cert: str | None = None
    """File of the certificate, PEM; those that lead to the root may follow in it."""
    ca: tuple[str, ...] = ()
    """Files of certificates that lead to the root, PEM, which clients are sent too; one file may
    stand without a list."""
    key_password: Secret | None = None
    """What the file of the key is encrypted with."""
    pfx: Pfx | None = None
    """A PKCS#12 bundle in place of key and cert."""
    client_ca: tuple[str, ...] = ()
    """Files of the authorities whose clients' certificates are taken, PEM; one file may stand
    without a list.  Clients are then asked for a certificate."""
    client_required: bool = False
    """Whether a connection without a client's certificate is refused."""

    def __attrs_post_init__(self) -> None:
        """Refuse half of it."""
        bundle = None if self.pfx is None else self.pfx.bundle
        if self.key is None and self.cert is None and bundle is None:
            raise ValueError("must hold key and cert, or pfx.bundle")
        if (self.key is None) != (self.cert is None):
            missing, given = ("key", "cert") if self.key is None else ("cert", "key")
            raise Invalid(missing, f"required by {given}")
        if self.key_password is not None and self.key is None:
            raise Invalid("key", "required by keyPassword")
        if self.client_required and not self.client_ca:
            raise Invalid("client_ca", "required by clientRequired")

    def keys(self, folder: Path) -> tuple[Path, ...]:
        """Name the files with private keys, below a configuration folder."""
        named = (self.key, None if self.pfx is None else self.pfx.bundle)
        return tuple(folder / FOLDER / each for each in named if each is not None)

    def files(self, folder: Path) -> tuple[Path, ...]:
        """Name all the files, below a configuration folder."""
        bundle = None if self.pfx is None else self.pfx.bundle
        named = (self.key, self.cert, bundle, *self.ca, *self.client_ca)
        return tuple(folder / FOLDER / each for each in named if each is not None)
