"""A port's certificate: how it is shown, replaced, and spoken of in time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import evolve
from OpenSSL import SSL
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.logger import LogEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from scimgw.tls.context import ready
from scimgw.tls.listening import LOOK, Tls
from scimgw.tls.settings import Certificate, Pfx
from tests.tls.papers import DAY, Papers, root
from tests.tls.wire import Line, client

SETTINGS = Certificate(key="x.key", cert="x.pem")


class Echo(Protocol):
    """Says what it hears."""

    def dataReceived(self, data: bytes) -> None:
        """Say it."""
        assert self.transport is not None
        if data == b"bye":
            self.transport.loseConnection()
        self.transport.write(data)


class TlsCase(SynchronousTestCase):
    """Has a port, and reads the log."""

    def setUp(self) -> None:
        """Begin with a certificate that is good for a year."""
        self.root = root()
        self.folder = Path(self.mktemp())
        self.certs = self.folder / "certs"
        self.certs.mkdir(parents=True)
        self.clock = Clock()
        self.lines: list[str] = []
        observer: Any = self.logged
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        self.replace(self.root.issue("first"))
        self.tls = self.made()
        self.factory = self.tls.around(Factory.forProtocol(Echo))
        self.tls.startService()
        self.addCleanup(self.tls.stopService)

    def made(self, settings: Certificate = SETTINGS) -> Tls:
        """Make it."""
        first = ready(settings, self.folder)
        begin = first.material.certificate.not_valid_before_utc.timestamp()
        return Tls(
            "plugin-x",
            settings,
            self.folder,
            first,
            self.clock,
            now=lambda: begin + DAY.total_seconds() + self.clock.seconds(),
        )

    def replace(self, papers: Papers) -> None:
        """Replace the files."""
        papers.write(self.certs, "x")

    def logged(self, event: LogEvent) -> None:
        """Keep what is said at some level."""
        if event["log_namespace"].startswith("scimgw.tls"):
            text = event["log_format"].format(**_plain(event))
            self.lines.append(f"{event['log_level'].name}: {text}")

    def said(self) -> list[str]:
        """Give what the log has got since this was last asked."""
        lines, self.lines = self.lines, []
        return lines

    def look(self, times: int = 2) -> None:
        """Let the port look after its files."""
        for _ in range(times):
            self.clock.advance(LOOK)

    def line(self) -> Line:
        """Connect."""
        return Line(self.factory, client(trust=self.root), self.clock)

    def shown(self, line: Line | None = None) -> str:
        """Tell which certificate a client is shown."""
        shown = (line or self.line()).side.get_peer_certificate(as_cryptography=True)
        assert shown is not None
        return shown.subject.rfc4514_string().partition(",")[0]


class ConnectionTests(TlsCase):
    """Connections."""

    def test_data(self) -> None:
        """What is sent arrives, and is answered."""
        line = self.line()
        self.assertEqual(b"hello", line.ask(b"hello"))

    def test_end(self) -> None:
        """A connection is closed without waiting for the client, which is told."""
        line = self.line()
        self.assertRaises(SSL.ZeroReturnError, line.ask, b"bye")
        self.assertTrue(line.transport.disconnecting)
        line.lose()
        line.protocol.loseConnection()

    def test_end_before_the_beginning(self) -> None:
        """One that was never made is cut off."""
        line = Line(self.factory, client(trust=root()), self.clock, shakes=1)
        line.protocol.loseConnection()
        self.assertTrue(line.transport.aborted)

    def test_in_clear(self) -> None:
        """A client that speaks no TLS is cut off, and nothing is said of it."""
        self.said()
        line = Line(self.factory, client(), self.clock, shakes=0)
        line.protocol.dataReceived(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertTrue(line.transport.disconnecting)
        self.assertEqual([], self.said())
        self.assertEqual([], self.flushLoggedErrors())


class ReplacedTests(TlsCase):
    """New files."""

    def test_noticed(self) -> None:
        """New connections get the new certificate; those that there are go on."""
        line = self.line()
        self.said()
        self.replace(self.root.issue("second"))
        self.look(1)
        self.assertEqual("CN=first", self.shown())  # it might be half written
        self.look(1)
        self.assertEqual("CN=second", self.shown())
        (told,) = self.said()
        self.assertRegex(told, "^info: plugin-x shows the certificate CN=second,O=Example, valid ")
        self.assertEqual(b"hello", line.ask(b"hello"))
        self.assertEqual("CN=first", self.shown(line))

    def test_asked(self) -> None:
        """When it is told to the port doesn't wait, and reads once only."""
        self.said()
        self.replace(self.root.issue("second"))
        self.tls.reload()
        self.assertEqual("CN=second", self.shown())
        self.look(5)
        self.assertEqual(1, len(self.said()))

    def test_still_being_written(self) -> None:
        """Files are read once they have come to rest."""
        for name in ("second", "third", "fourth"):
            self.replace(self.root.issue(name))
            self.look(1)
            self.assertEqual("CN=first", self.shown())
        self.look(1)
        self.assertEqual("CN=fourth", self.shown())

    def test_broken(self) -> None:
        """What can't be used is told once, and the port goes on; what follows is read again."""
        self.said()
        (self.certs / "x.pem").write_bytes(self.root.issue("second").pem)
        self.look(5)
        self.assertEqual(
            [
                (
                    "error: plugin-x goes on with the certificate that it has: "
                    "certificate.key: x.key isn't the key of the certificate"
                )
            ],
            self.said(),
        )
        self.assertEqual("CN=first", self.shown())
        self.replace(self.root.issue("third"))
        self.look()
        self.assertEqual("CN=third", self.shown())

    def test_gone(self) -> None:
        """Files that aren't there any more change nothing."""
        self.said()
        (self.certs / "x.pem").unlink()
        (self.certs / "x.key").write_bytes(b"")
        self.look(5)
        (line,) = self.said()
        self.assertIn(
            f"certificate.cert: {(self.certs / 'x.pem').absolute()} can't be read: No such", line
        )
        self.assertIn("; certificate.", line)
        self.assertEqual("CN=first", self.shown())

    def test_anything(self) -> None:
        """Whatever reading may end in, the port goes on, and looks on."""
        wrong: Any = "not a Secret"
        self.tls._settings = evolve(SETTINGS, key_password=wrong)
        self.replace(self.root.issue("second"))
        self.look()
        self.assertEqual(1, len(self.flushLoggedErrors(AttributeError)))
        self.tls._settings = SETTINGS
        self.replace(self.root.issue("second"))
        self.look()
        self.assertEqual("CN=second", self.shown())

    def test_stopped(self) -> None:
        """Nothing looks after the files of a port that is closed."""
        for _ in range(2):
            self.tls.stopService()
            self.assertEqual([], self.clock.getDelayedCalls())


class ToldTests(TlsCase):
    """The end of a certificate, and other concerns."""

    def test_readable(self) -> None:
        """A key that everybody can read is told, as is a bundle with one."""
        self.said()
        self.certs.chmod(0o755)
        key = self.certs / "x.key"
        key.chmod(0o640)
        self.tls.reload()
        self.assertEqual(1, len(self.said()))
        key.chmod(0o644)
        self.tls.reload()
        _, told = self.said()
        self.assertIn("warn: plugin-x: everybody on this machine can read x.key: chmod o-r", told)
        self.certs.chmod(0o700)
        self.tls.reload()
        self.assertEqual(1, len(self.said()))
        pfx = Certificate(pfx=Pfx(bundle="x.pfx"))
        self.assertEqual((self.certs / "x.pfx",), pfx.keys(self.folder))

    def days(self, days: int) -> list[str]:
        """Let days pass, and give what is said."""
        self.said()
        self.clock.pump([LOOK * 720] * (24 * days))
        return self.said()

    def test_daily(self) -> None:
        """From thirty days before it is told daily; then that it has happened."""
        self.replace(self.root.issue("short", life=(-DAY, 32 * DAY)))
        self.look()
        self.assertEqual([], self.days(1))
        found = self.days(5)
        self.assertIn(len(found), {4, 5})
        for line in found:
            self.assertRegex(line, "^warn: plugin-x: the certificate CN=short,O=Example expires on")
        self.assertRegex(self.days(30)[-1], "^error: plugin-x: .* has expired on ")

    def test_at_start(self) -> None:
        """It is told at start too."""
        self.replace(self.root.issue("short", life=(-DAY, 10 * DAY)))
        tls = self.made()
        self.said()
        tls.startService()
        tls.stopService()
        first, second = self.said()
        self.assertRegex(first, "^info: plugin-x shows the certificate CN=short")
        self.assertRegex(second, "^warn: plugin-x: the certificate CN=short.* in 10 days")

    def test_unreadable(self) -> None:
        """A file that can't be read any more after the start is told while there is time."""
        tls = self.made()
        (self.certs / "x.key").unlink()
        self.said()
        tls.startService()
        tls.stopService()
        self.assertIn("warn: plugin-x: x.key can't be read by the user", self.said()[1])

    def test_renewed(self) -> None:
        """A renewed certificate ends it."""
        self.replace(self.root.issue("short", life=(-DAY, 10 * DAY)))
        self.look()
        self.assertEqual(1, len(self.days(1)))
        self.replace(self.root.issue("long"))
        self.look()
        self.assertEqual([], self.days(2))


class RefusedTests(TlsCase):
    """A client's certificate that isn't taken."""

    def test_told(self) -> None:
        """The log tells which it was, from where, and why."""
        (self.certs / "ca.pem").write_bytes(root("clients").pem)
        tls = self.made(evolve(SETTINGS, client_ca=("ca.pem",)))
        factory = tls.around(Factory.forProtocol(Echo))
        for papers, reason in (
            (root("mallory\n"), "it is self-signed, and not in clientCa"),
            (self.root.issue("mallory\n"), "its issuer isn't in clientCa"),
        ):
            self.said()
            with self.assertRaises(SSL.Error):
                Line(factory, client(show=papers), self.clock).ask(b"hello")
            self.assertIn(
                "warn: plugin-x: 192.0.2.1 shows a certificate that isn't taken: "
                f"CN=mallory\\n,O=Example at depth 0: {reason} (1 such since this was told last)",
                self.said(),
            )
        self.assertEqual([], self.flushLoggedErrors())

    def test_none(self) -> None:
        """The log tells of clients that show none where one is required, once in a minute."""
        (self.certs / "ca.pem").write_bytes(root("clients").pem)
        tls = self.made(evolve(SETTINGS, client_ca=("ca.pem",), client_required=True))
        factory = tls.around(Factory.forProtocol(Echo))
        self.said()
        for version in (SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION, SSL.TLS1_3_VERSION):
            self.turned_away(factory, version)
        self.clock.advance(60)
        self.turned_away(factory, SSL.TLS1_2_VERSION)
        self.assertEqual(
            [
                "warn: plugin-x: 192.0.2.1 shows no certificate, which clientRequired asks for "
                f"({times} such since this was told last)"
                for times in (1, 3)
            ],
            self.said(),
        )
        self.assertEqual([], self.flushLoggedErrors())

    def turned_away(self, factory: IProtocolFactory, version: int) -> None:
        """Connect without a certificate, in vain."""
        Line(factory, client(version), self.clock, shakes=2).lose()


def _plain(event: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key.isidentifier()}
