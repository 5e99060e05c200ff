"""What is spoken on a port, between two sides in memory."""

from __future__ import annotations

import ssl
from typing import Any

from attrs import evolve
from cryptography.hazmat.primitives.asymmetric import rsa
from OpenSSL import SSL
from twisted.trial.unittest import SynchronousTestCase

from scimgw.tls.context import context, reason
from tests.tls.papers import CLIENTS, DAY, LOCALHOST, SERVERS, Papers, root
from tests.tls.wire import carry, client, resume, shake, step

TLS_1_1 = SSL.TLS1_1_VERSION
TLS_1_2 = SSL.TLS1_2_VERSION
TLS_1_3 = SSL.TLS1_3_VERSION


class SpokenTests(SynchronousTestCase):
    """Versions and suites."""

    def setUp(self) -> None:
        """Have a port."""
        self.root = root()
        self.port = context(self.root.issue("localhost", LOCALHOST).material(), required=False)

    def refusal(self, side: SSL.Connection) -> str:
        """Check that a client isn't served, and give the reason."""
        with self.assertRaises(SSL.Error) as raised:
            shake(side, self.port)
        return reason(raised.exception)

    def test_versions(self) -> None:
        """TLS 1.2 and 1.3 are spoken."""
        for version, name in ((TLS_1_2, "TLSv1.2"), (TLS_1_3, "TLSv1.3")):
            other = shake(client(version, trust=self.root), self.port)
            self.assertEqual(name, other.get_protocol_version_name())

    def test_old_versions(self) -> None:
        """Older ones are refused as such."""
        self.assertEqual("unsupported protocol", self.refusal(client(TLS_1_1)))

    def test_suites(self) -> None:
        """Each suite of 1.2 has forward secrecy, and encrypts and authenticates in one."""
        for suite in (
            b"ECDHE-ECDSA-AES128-GCM-SHA256",
            b"ECDHE-ECDSA-AES256-GCM-SHA384",
            b"ECDHE-ECDSA-CHACHA20-POLY1305",
        ):
            other = shake(client(TLS_1_2, suites=suite), self.port)
            self.assertEqual(suite.decode(), other.get_cipher_name())
        for suite in (
            b"ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0",
            b"ECDHE-ECDSA-AES256-SHA384:@SECLEVEL=0",
            b"ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0",
            b"AECDH-AES128-SHA:@SECLEVEL=0",
        ):
            self.assertEqual("no shared cipher", self.refusal(client(TLS_1_2, suites=suite)), suite)

    def test_suites_of_rsa(self) -> None:
        """With an RSA key too there is no exchange of keys by it, and none by plain numbers."""
        papers = self.root.issue(key=rsa.generate_private_key(65537, 2048))
        self.port = context(papers.material(), required=False)
        for suite in (b"AES128-GCM-SHA256", b"AES256-SHA", b"DHE-RSA-AES128-GCM-SHA256"):
            refusal = self.refusal(client(TLS_1_2, suites=suite + b":@SECLEVEL=0"))
            self.assertEqual("no shared cipher", refusal, suite)
        other = shake(client(TLS_1_2, trust=self.root), self.port)
        self.assertEqual("ECDHE-RSA-AES256-GCM-SHA384", other.get_cipher_name())

    def test_chain(self) -> None:
        """A client that trusts the root only is shown the way to it."""
        papers = self.root.authority("middle").authority("below").issue("localhost", LOCALHOST)
        side = client(trust=self.root)
        shake(side, context(papers.material(), required=False))
        sent = side.get_peer_cert_chain(as_cryptography=True) or []
        self.assertEqual([papers.certificate, *papers.between], sent)

    def test_alpn(self) -> None:
        """HTTP/1.1 is chosen of what a client offers, and nothing else."""
        for offered, chosen in (
            ([b"h2", b"http/1.1"], b"http/1.1"),
            ([b"h2"], b""),
            (None, b""),
        ):
            other = shake(client(alpn=offered), self.port)
            self.assertEqual(chosen, other.get_alpn_proto_negotiated())

    def test_no_sessions(self) -> None:
        """A client that comes back proves anew who it is."""
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            self.assertFalse(resume(self.port, version))

    def test_no_renegotiation(self) -> None:
        """No second handshake is held on a connection."""
        one = client(TLS_1_2)
        other = shake(one, self.port)
        one.renegotiate()
        step(one)
        carry(one, other)
        self.assertRaises(SSL.WantReadError, other.recv, 1)
        carry(other, one)
        with self.assertRaises(SSL.Error) as raised:
            step(one)
        self.assertEqual("no renegotiation", reason(raised.exception))

    def test_weak_key(self) -> None:
        """A key that is too short for today is refused before anybody connects."""
        papers = self.root.issue(key=rsa.generate_private_key(65537, 1024))  # noqa: S505 - that is the point
        with self.assertRaises(SSL.Error) as raised:
            context(papers.material(), required=False)
        self.assertEqual("ee key too small", reason(raised.exception))

    def test_reason(self) -> None:
        """An error of OpenSSL without a word is told too."""
        self.assertEqual("no reason given", reason(SSL.Error()))
        self.assertEqual("no reason given", reason(SSL.Error("x")))


class ClientTests(SynchronousTestCase):
    """Who shows a certificate."""

    def setUp(self) -> None:
        """Have a port that asks for certificates of one authority."""
        self.ours, self.authority = root("ours"), root("clients")
        self.material = self.ours.issue("localhost", LOCALHOST).material(self.authority.certificate)

    def shown(self, papers: Papers | None, version: int, **more: Any) -> object:
        """Connect, and give whose certificate the port has seen."""
        port = context(evolve(self.material, **more), required=self.required)
        other = shake(client(version, trust=self.ours, show=papers), port)
        seen = other.get_peer_certificate(as_cryptography=True)
        return None if seen is None else seen.subject.rfc4514_string()

    required = False

    def test_taken(self) -> None:
        """A certificate of the authority is taken, by way of others too; none is needed."""
        below = self.authority.authority("below")
        for version in (TLS_1_2, TLS_1_3):
            for papers in (
                self.authority.issue("client", use=CLIENTS),
                self.authority.issue("client"),
                below.issue("client", use=CLIENTS),
            ):
                self.assertEqual("CN=client,O=Example", self.shown(papers, version))
            self.assertIsNone(self.shown(None, version))

    def test_not_taken(self) -> None:
        """One that isn't of the authority, has ended, or isn't for clients ends the handshake."""
        for version in (TLS_1_2, TLS_1_3):
            for papers in (
                root("clients").issue("client", use=CLIENTS),
                self.ours.issue("client", use=CLIENTS),
                self.authority.issue("client", use=SERVERS),
                self.authority.issue("client", life=(-2 * DAY, -DAY)),
                self.authority.issue("client", life=(DAY, 2 * DAY)),
                root("self-signed"),
            ):
                self.assertRaises(SSL.Error, self.shown, papers, version)

    def test_asked_for(self) -> None:
        """A client is told whose certificates are taken, so that it can choose one."""
        one = client(trust=self.ours)
        shake(one, context(self.material, required=False))
        names = [each.CN for each in one.get_client_ca_list()]
        self.assertEqual(["clients"], names)

    def test_not_asked_for(self) -> None:
        """Without authorities no client is asked, and none is seen."""
        papers = self.authority.issue("client", use=CLIENTS)
        self.assertIsNone(self.shown(papers, TLS_1_3, client_ca=()))

    def test_required(self) -> None:
        """Where one is required, a client without any isn't served."""
        self.required = True
        for version in (TLS_1_2, TLS_1_3):
            self.assertRaises(SSL.Error, self.shown, None, version)
            papers = self.authority.issue("client", use=CLIENTS)
            self.assertEqual("CN=client,O=Example", self.shown(papers, version))

    def test_authority_below_a_root(self) -> None:
        """An authority is trusted as it stands there: its root, and its sisters, are not."""
        below, sister = self.authority.authority("below"), self.authority.authority("sister")
        trusted = (below.certificate,)
        papers = below.issue("client", use=CLIENTS)
        self.assertEqual("CN=client,O=Example", self.shown(papers, TLS_1_3, client_ca=trusted))
        for other in (sister, self.authority):
            papers = other.issue("client", use=CLIENTS)
            self.assertRaises(SSL.Error, self.shown, papers, TLS_1_3, client_ca=trusted)

    def test_one_certificate(self) -> None:
        """A single certificate can be trusted by itself (RFC 8705 section 2.2)."""
        only = root("only")
        shown = self.shown(only, TLS_1_3, client_ca=(only.certificate,))
        self.assertEqual("CN=only,O=Example", shown)
