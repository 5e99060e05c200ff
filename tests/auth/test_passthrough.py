"""Credentials that the endpoint is to judge."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from scimgw.auth.chain import Chain
from scimgw.auth.passthrough import NAME, PassedBasic, PassedToken
from scimgw.connector import Principal
from scimgw.errors import Unauthorized
from scimgw.secret import Secret
from tests.auth.test_basic import basic

ANYBODY = Principal(NAME, read_only=True, entities=frozenset({"a"}))


class PassedTests(SynchronousTestCase):
    """Who gets in, as whom, and what goes on."""

    def setUp(self) -> None:
        """Take both kinds."""
        self.chain = Chain([PassedBasic(ANYBODY), PassedToken(ANYBODY)])

    def authenticate(self, header: str | None) -> Deferred[Principal]:
        """Present a header."""
        return Deferred.fromCoroutine(self.chain.authenticate(header))

    def test_taken(self) -> None:
        """Whoever shows a name or a token is let in, and what goes on is just that."""
        for header, name, passed in (
            (basic("jsmith:a:b"), "jsmith", basic("jsmith:a:b")),
            (basic("jürgen:x").replace("Basic ", " bASIC  "), "jürgen", basic("jürgen:x")),
            (basic("jsmith:"), "jsmith", basic("jsmith:")),
            ("bearer  abc.def-ghi~+/== ", NAME, "Bearer abc.def-ghi~+/=="),
            ("Bearer id|secret:{x}", NAME, "Bearer id|secret:{x}"),
        ):
            found = self.successResultOf(self.authenticate(header))
            self.assertEqual((name, Secret(passed)), (found.name, found.credentials))
            self.assertEqual((True, frozenset({"a"})), (found.read_only, found.entities))

    def test_refused(self) -> None:
        """No credentials, malformed ones, and those that would make a connection somebody's."""
        for header in (
            None,
            "",
            "Basic",
            "Bearer",
            "Bearer ",
            "Basic !!!",
            basic("nocolon"),
            basic("a:b") + "\r\nX: y",
            basic("a:b") + ", " + basic("c:d"),
            "Bearer a b",
            "Bearer a,b",
            "Bearer a\r\nHost: evil.example",
            "Bearer a\nb",
            "Bearer a\0b",
            "Bearer a\x1b[2J",
            "Bearer a\x7fb",
            "Bearer é",
            "Bearer \ufffd",
            "Negotiate YII=",
            "NTLM TlRM",
            'Digest username="a"',
            "abc",
        ):
            self.failureResultOf(self.authenticate(header), Unauthorized)

    def test_names(self) -> None:
        """A name that isn't fit for a log isn't shown in one."""
        for name in (
            b"",
            b"a\nb",
            b"a b",
            b"a\x1b[31m",
            b"\xff",
            "a\u202eb".encode(),
            b"x" * 65,
        ):
            found = self.successResultOf(self.authenticate(basic(name + b":x")))
            self.assertEqual(NAME, found.name)

    def test_hidden(self) -> None:
        """What goes on shows itself nowhere; who shows something else is somebody else."""
        one, other = (
            self.successResultOf(self.authenticate(f"Bearer {each}")) for each in ("hunter2", "x")
        )
        self.assertNotIn("hunter2", repr(one))
        self.assertNotEqual(one, other)

    def test_told(self) -> None:
        """Both kinds are asked for, and described."""
        self.assertEqual(
            ('Basic realm="scimgw", charset="UTF-8"', 'Bearer realm="scimgw"'),
            self.chain.challenges,
        )
        described = [each["type"] for each in self.chain.descriptions]
        self.assertEqual(["httpbasic", "oauthbearertoken"], described)
