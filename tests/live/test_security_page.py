"""The commands of docs/security.md, run by openssl, and what the gateway makes of their files."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any

from cryptography import x509
from OpenSSL import SSL
from twisted.internet.utils import getProcessOutputAndValue
from twisted.trial.unittest import TestCase

from scimgw.secret import Secret
from scimgw.tls.context import ready
from scimgw.tls.names import dns, ip, names, subject
from scimgw.tls.settings import Certificate, Pfx
from tests.live.processes import needed
from tests.service.process import ROOT
from tests.tls.papers import Papers
from tests.tls.wire import client, shake

PAGE = ROOT / "docs/security.md"
OPENSSL = shutil.which("openssl")
PASSWORD = "hunter2"
SELF_SIGNED, REQUEST, AUTHORITY, BUNDLE, CLIENT = range(5)
"""The commands, in the order of the page."""


class PageTests(TestCase):
    """Step by step."""

    timeout = 300

    def setUp(self) -> None:
        """Read the page."""
        needed(OPENSSL, "openssl")
        page = PAGE.read_text("utf-8")
        self.commands = re.findall(r"^```sh\n(.+?)^```$", page, re.DOTALL | re.MULTILINE)
        self.assertEqual(CLIENT + 1, len(self.commands))
        self.folder = Path(self.mktemp()).absolute()
        self.certs = self.folder / "certs"
        self.certs.mkdir(parents=True)

    async def run_commands(self, *which: int) -> None:
        """Run some commands of the page."""
        for each in which:
            _, err, status = await getProcessOutputAndValue(
                "/bin/sh",
                ["-ec", self.commands[each]],
                env={**os.environ, "PFX_PASSWORD": PASSWORD},
                path=str(self.certs),
            )
            self.assertEqual(0, status, err.decode())

    def shaken(self, trusted: str, show: Papers | None = None, **settings: Any) -> SSL.Connection:
        """Connect with what the files hold, trusting one of them; give the gateway's side."""
        port = ready(Certificate(**settings), self.folder).context
        trust = Papers(certificate=self.certificate(trusted), key=None)  # type: ignore[arg-type]  # nobody's
        side = client(trust=trust, show=show)
        other = shake(side, port)
        shown = side.get_peer_certificate(as_cryptography=True)
        assert shown is not None
        self.assertTrue(
            {dns("scim.example.com"), dns("localhost"), ip("127.0.0.1")} <= names(shown)
        )
        return other

    def certificate(self, name: str) -> x509.Certificate:
        """Read a certificate."""
        return x509.load_pem_x509_certificate((self.certs / name).read_bytes())

    async def test_self_signed(self) -> None:
        """A certificate that is its own authority."""
        await self.run_commands(SELF_SIGNED)
        self.assertEqual(0o600, (self.certs / "key.pem").stat().st_mode & 0o777)
        self.shaken("cert.pem", key="key.pem", cert="cert.pem")

    async def test_signed(self) -> None:
        """A certificate of an authority, in files or in a bundle."""
        await self.run_commands(REQUEST, AUTHORITY, BUNDLE)
        self.shaken("ca.pem", key="key.pem", cert="cert.pem", ca=("ca.pem",))
        self.shaken("ca.pem", pfx=Pfx(bundle="scim.pfx", password=Secret(PASSWORD)))

    async def test_client(self) -> None:
        """A client's certificate."""
        await self.run_commands(REQUEST, AUTHORITY, CLIENT)
        key = ready(Certificate(key="client.key", cert="client.pem"), self.folder).material.key
        show = Papers(certificate=self.certificate("client.pem"), key=key)
        settings = {"key": "key.pem", "cert": "cert.pem", "client_ca": ("ca.pem",)}
        seen = self.shaken("ca.pem", show, **settings).get_peer_certificate(as_cryptography=True)
        assert seen is not None
        self.assertIn(subject("CN=idp,O=Example"), names(seen))
