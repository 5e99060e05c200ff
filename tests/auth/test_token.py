"""Bearer tokens, and several ways in at once."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from scimgw.auth.basic import BasicAuthenticator
from scimgw.auth.chain import Chain
from scimgw.auth.token import TokenAuthenticator
from scimgw.connector import Principal
from scimgw.errors import Unauthorized
from scimgw.secret import Secret
from tests.auth.test_basic import basic


class TokenTests(SynchronousTestCase):
    """Who gets in."""

    def setUp(self) -> None:
        """Know a user and, from two lists, three tokens."""
        known = [(Principal("okta"), Secret("t0ken-1")), (Principal("entra"), Secret("t0ken-2"))]
        self.chain = Chain(
            [
                BasicAuthenticator([(Principal("gwadmin"), Secret("password"))]),
                TokenAuthenticator(known),
                TokenAuthenticator([(Principal("other"), Secret("t0ken-3"))]),
            ]
        )

    def authenticate(self, header: str | None) -> Deferred[Principal]:
        """Present a header."""
        return Deferred.fromCoroutine(self.chain.authenticate(header))

    def test_right(self) -> None:
        """Each token is somebody's; one that refuses is no obstacle to the next."""
        for header, name in (
            ("Bearer t0ken-1", "okta"),
            (" bEARER  t0ken-2 ", "entra"),
            ("Bearer t0ken-3", "other"),
            (basic("gwadmin:password"), "gwadmin"),
        ):
            self.assertEqual(name, self.successResultOf(self.authenticate(header)).name)

    def test_wrong(self) -> None:
        """Whatever else is presented is refused, and never breaks anything."""
        for header in (
            None,
            "Bearer",
            "Bearer ",
            "Bearer t0ken",
            "Bearer T0KEN-1",
            "Bearer t0ken-1 t0ken-2",
            "Bearer t0ken-1,t0ken-2",
            "Bearer \x00",
            "Bearer é\ud7ff",
            "Bearer " + "x" * 10_000,
            "Token t0ken-1",
            basic("okta:t0ken-1"),
            "t0ken-1",
        ):
            self.failureResultOf(self.authenticate(header), Unauthorized)

    def test_all_are_told(self) -> None:
        """A challenge of each kind is in order."""
        expected = ('Basic realm="scimgw", charset="UTF-8"', 'Bearer realm="scimgw"')
        self.assertEqual(expected, self.chain.challenges)
