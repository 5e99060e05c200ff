"""HTTP Basic authentication, and the chain of ways to prove who one is."""

from __future__ import annotations

import base64

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from scimgw.auth.basic import BasicAuthenticator
from scimgw.auth.chain import Chain, Credentials
from scimgw.connector import Principal
from scimgw.errors import Unauthorized
from scimgw.secret import Secret


def basic(pair: str | bytes) -> str:
    """Spell credentials."""
    return "Basic " + base64.b64encode(pair.encode() if isinstance(pair, str) else pair).decode()


class ChainTests(SynchronousTestCase):
    """Who gets in."""

    def setUp(self) -> None:
        """Know three users."""
        users = [
            (Principal("gwadmin"), Secret("password")),
            (Principal("ops"), Secret("a:b:c")),
            (Principal("jürgen"), Secret("pässword")),
        ]
        self.chain = Chain([BasicAuthenticator(users)])

    def authenticate(self, header: str | None) -> Deferred[Principal]:
        """Present a header."""
        return Deferred.fromCoroutine(self.chain.authenticate(header))

    def test_right(self) -> None:
        """Each user gets in with its own password, which may hold colons and be in any script."""
        for pair in ("gwadmin:password", "ops:a:b:c", "jürgen:pässword"):
            principal = self.successResultOf(self.authenticate(basic(pair)))
            self.assertEqual(pair.partition(":")[0], principal.name)

    def test_scheme_has_no_case(self) -> None:
        """The scheme is read in whatever case, and with blanks around."""
        for header in (basic("ops:a:b:c").replace("Basic", " bASIC "), basic("ops:a:b:c") + " "):
            self.assertEqual("ops", self.successResultOf(self.authenticate(header)).name)

    def test_wrong(self) -> None:
        """Whatever else is presented is refused, and never breaks anything."""
        for header in (
            None,
            "",
            "non-token",
            "Basic",
            "Basic ",
            "Basic !!!",
            "Basic é",
            basic("gwadmin:password").replace("Z", "!Z"),
            basic("gwadmin"),
            basic("gwadmin:"),
            basic("gwadmin:Password"),
            basic("gwadmin:password "),
            basic("gwadmin:a:b:c"),
            basic(":password"),
            basic("GWADMIN:password"),
            basic(b"\xff\xfe:\x00"),
            basic("gwadmin:" + "x" * 10_000),
            "Bearer abc",
        ):
            self.failureResultOf(self.authenticate(header), Unauthorized)

    def test_all_are_compared(self) -> None:
        """Known and unknown users cost the same comparisons."""
        compared = []
        authenticator = BasicAuthenticator(
            [(Principal("a"), Secret("1")), (Principal("b"), Secret("2"))]
        )
        for pair in ("a:1", "b:2", "a:x", "x:x"):
            known = _Counted(authenticator._known._digests)
            authenticator._known._digests = known
            deferred = Deferred.fromCoroutine(
                authenticator.authenticate(Credentials.parse(basic(pair)))
            )
            deferred.addErrback(lambda failure: failure.trap(Unauthorized))
            compared.append(known.given)
        self.assertEqual([2, 2, 2, 2], compared)

    def test_digests(self) -> None:
        """Of the same secret every process has another digest, which nobody can prepare for."""
        user = (Principal("a"), Secret("1"))
        one, other = (BasicAuthenticator([user])._known._digests[0][0] for _ in range(2))
        self.assertNotEqual(one, other)

    def test_what_is_told(self) -> None:
        """The challenge and the description tell what is offered."""
        self.assertEqual(('Basic realm="scimgw", charset="UTF-8"',), self.chain.challenges)
        self.assertEqual(["httpbasic"], [each["type"] for each in self.chain.descriptions])


class _Counted(list[tuple[bytes, Principal]]):
    """Counts how many entries were looked at."""

    given = 0

    def __iter__(self):  # type: ignore[no-untyped-def]  # noqa: ANN204 - as list has it
        for each in super().__iter__():
            self.given += 1
            yield each


class SecretTests(SynchronousTestCase):
    """A secret doesn't show itself."""

    def test_hidden(self) -> None:
        """Neither as text nor among others."""
        secret = Secret("hunter2")
        self.assertNotIn("hunter2", f"{secret} {secret!r} {[secret]}")
        self.assertEqual("hunter2", secret.reveal())
