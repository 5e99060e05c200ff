"""What a file says of TLS, and of clients that show certificates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from scimgw.config.load import Faults, PluginConfig, load
from scimgw.tls.names import dns, email, ip, subject, uri
from tests.tls.papers import pem, root

PAIR = {"key": "x.key", "cert": "x.pem"}
SECTION = "plugin-loki.json: $.scimgateway"
CLIENT_CA = f"{SECTION}.certificate.clientCa"
ASKING = {**PAIR, "clientCa": "ca.pem"}
BASIC = {"basic": [{"username": "a", "password": "b"}]}


class CertificateCase(SynchronousTestCase):
    """Writes files."""

    def setUp(self) -> None:
        """Have a certificate."""
        self.folder = Path(self.mktemp())
        certs = self.folder / "certs"
        certs.mkdir(parents=True)
        authority = root()
        authority.issue().write(certs, "x")
        (certs / "ca.pem").write_bytes(pem(authority.certificate))

    def load(self, certificate: Any, auth: Any = None) -> PluginConfig:
        """Read a configuration with it."""
        section = {"port": 1, "auth": BASIC | (auth or {}), "certificate": certificate}
        (self.folder / "scimgw.json").write_text('{"plugins": ["plugin-loki"]}')
        document = {"scimgateway": section, "endpoint": {}}
        (self.folder / "plugin-loki.json").write_text(json.dumps(document))
        (plugin,) = load(self.folder).plugins
        return plugin

    def faults(self, certificate: Any, auth: Any = None) -> list[str]:
        """Read a configuration that is wrong."""
        with self.assertRaises(Faults) as raised:
            self.load(certificate, auth)
        return [str(each) for each in raised.exception.found]


class CertificateTests(CertificateCase):
    """`certificate`."""

    def test_off(self) -> None:
        """Without values there is no TLS, as in the original's templates."""
        template = {
            "key": None,
            "cert": None,
            "ca": None,
            "pfx": {"bundle": None, "password": None},
        }
        for off in (None, {}, template, {**PAIR, "enabled": False}):
            plugin = self.load(off)
            self.assertEqual((None, None), (plugin.gateway.certificate, plugin.tls))

    def test_on(self) -> None:
        """With a key and a certificate there is, the rest being null or not."""
        for more in ({}, {"ca": None, "pfx": {"bundle": None, "password": None}}):
            plugin = self.load({**PAIR, **more})
            assert plugin.tls is not None
            self.assertEqual((), plugin.tls.material.client_ca)

    def test_one_or_several(self) -> None:
        """One file of authorities may stand without a list."""
        for ca in ("ca.pem", ["ca.pem"]):
            plugin = self.load({**PAIR, "ca": ca, "clientCa": ca, "clientRequired": True})
            assert plugin.gateway.certificate is not None
            self.assertEqual(("ca.pem",), plugin.gateway.certificate.ca)
            self.assertEqual(("ca.pem",), plugin.gateway.certificate.client_ca)

    def test_half(self) -> None:
        """Half of it is a fault."""
        rows: list[tuple[Any, str]] = [
            ({"key": "x.key"}, ".cert: required by key"),
            ({"cert": "x.pem"}, ".key: required by cert"),
            ({"ca": "ca.pem"}, ": must hold key and cert, or pfx.bundle"),
            ({**PAIR, "pfx": {"password": "x"}}, ".pfx.bundle: required by password"),
            (
                {"pfx": {"bundle": "x.pfx"}, "keyPassword": "x"},
                ".key: required by keyPassword",
            ),
            ({**PAIR, "clientRequired": True}, ".clientCa: required by clientRequired"),
            ("x", ": must be an object, not a string"),
            ({**PAIR, "ca": 1}, ".ca: must be an array, not a number"),
            ({**PAIR, "foo": 1}, ".foo: unknown key"),
        ]
        for certificate, fault in rows:
            self.assertIn(f"{SECTION}.certificate{fault}", self.faults(certificate))

    def test_files(self) -> None:
        """Faults of the files come with all others, and tell where they were looked for."""
        gone = (self.folder / "certs/no.pem").absolute()
        self.assertEqual(
            [
                f"{SECTION}.certificate.cert: {gone} can't be read: No such file or directory",
                f"{SECTION}.certificate.ca: x.key doesn't hold certificates in PEM",
            ],
            self.faults({**PAIR, "cert": "no.pem", "ca": ["x.key"]}),
        )

    def test_files_of_a_faulty_section(self) -> None:
        """They are looked at whatever else is wrong, unless that is where they are named."""
        gone = f"{(self.folder / 'certs/no.pem').absolute()} can't be read"
        faults = self.faults({**PAIR, "cert": "no.pem"}, {"basic": [], "foo": 1})
        self.assertIn(f"{SECTION}.auth.foo: unknown key", faults)
        self.assertIn(f"{SECTION}.certificate.cert: {gone}: No such file or directory", faults)
        (fault,) = self.faults({**PAIR, "cert": "no.pem", "foo": 1})
        self.assertEqual(f"{SECTION}.certificate.foo: unknown key", fault)

    def test_in_vain(self) -> None:
        """Certificates of clients must be asked for, and be good for something."""
        clients = {"clientCertificate": [{"sanDns": "x"}]}
        fault = f"{CLIENT_CA}: required by auth.clientCertificate"
        self.assertEqual([fault], self.faults(None, clients))
        self.assertEqual([fault], self.faults(PAIR, clients))
        self.assertEqual(
            [f"{CLIENT_CA}: asks in vain: set auth.clientCertificate, or clientRequired"],
            self.faults({**PAIR, "clientCa": "ca.pem"}),
        )


class ClientTests(CertificateCase):
    """`auth.clientCertificate`."""

    def test_names(self) -> None:
        """Each kind of name is taken."""
        for entry, name in (
            ({"subjectDn": "CN=x,O=y"}, subject("CN=x,O=y")),
            ({"sanDns": "X.example"}, dns("x.example")),
            ({"sanUri": "urn:x"}, uri("urn:x")),
            ({"sanIp": "::1"}, ip("::1")),
            ({"sanEmail": "a@b.example", "name": "a"}, email("a@b.example")),
        ):
            plugin = self.load(ASKING, {"clientCertificate": [entry]})
            self.assertEqual(name, plugin.gateway.auth.client_certificate[0].known_by)

    def test_alone(self) -> None:
        """It is a way in of its own."""
        clients = [{"sanDns": "x", "readOnly": True, "baseEntities": ["undefined"]}]
        plugin = self.load(ASKING, {"basic": [], "clientCertificate": clients})
        (client,) = plugin.gateway.auth.client_certificate
        self.assertEqual((True, ("undefined",)), (client.read_only, client.base_entities))

    def test_wrong(self) -> None:
        """Exactly one name, which must be one, is given."""
        one_of = "must hold one of subjectDn, sanDns, sanUri, sanIp or sanEmail, not"
        dn = "must be a DN of RFC 4514, such as CN=client,O=Example"
        rows: list[tuple[Any, str]] = [
            ({}, f": {one_of} 0"),
            ({"name": "x"}, f": {one_of} 0"),
            ({"sanDns": "x", "sanUri": "y"}, f": {one_of} 2"),
            ({"subjectDn": "/CN=x"}, f".subjectDn: {dn}"),
            ({"sanIp": "x"}, ".sanIp: 'x' does not appear to be an IPv4 or IPv6 address"),
        ]
        for entry, fault in rows:
            self.assertEqual(
                [f"{SECTION}.auth.clientCertificate[0]{fault}"],
                self.faults(ASKING, {"clientCertificate": [entry]}),
            )
