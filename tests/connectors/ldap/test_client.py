"""One connection to a directory."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from attrs import evolve
from ldaptor.protocols import pureber, pureldap
from OpenSSL.SSL import Error as TlsError
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from connectors.ldap import client as client_module
from connectors.ldap import filtertext, request
from connectors.ldap.client import DISCONNECTION, START_TLS, Client, Found
from connectors.ldap.request import (
    EXTENDED_DN,
    NO_ATTRIBUTES,
    PAGED_RESULTS,
    PERMISSIVE_MODIFY,
    Control,
    Kind,
    Modification,
    Scope,
    Search,
    matched_values,
)
from connectors.ldap.result import (
    ConnectionLost,
    LdapError,
    ResultCode,
    TimedOut,
    TransportError,
    describe,
)
from scimgw.secret import Secret
from tests.connectors.ldap.wire import DONE, Wire

T = TypeVar("T")
TIMEOUT = 30.0
ADA = "cn=Adä,dc=org"
SEARCH = Search(base="dc=org")
ENTRY = pureldap.LDAPSearchResultEntry(ADA, [("cn", ["Ada"])])
REFERENCE = pureldap.LDAPSearchResultReference([pureldap.LDAPString("ldap://b/")])


def page(cookie: bytes) -> tuple[str, None, bytes]:
    """Give the control that comes with a page."""
    value = pureber.BERSequence([pureber.BERInteger(0), pureber.BEROctetString(cookie)])
    return (PAGED_RESULTS, None, value.toWire())


class ClientCase(SynchronousTestCase):
    """Has a client, and plays the directory."""

    def setUp(self) -> None:
        """Connect."""
        self.clock = Clock()
        self.client = Client(self.clock, TIMEOUT)
        self.wire = Wire(self.client)

    def tearDown(self) -> None:
        """Leave no timer behind."""
        self.assertEqual([], self.clock.getDelayedCalls())

    def run_(self, coroutine: Coroutine[Any, Any, T]) -> Deferred[T]:
        """Begin an operation."""
        return Deferred.fromCoroutine(coroutine)

    def fails(self, deferred: Deferred[Any], error: type[Exception], text: str = "") -> Any:
        """Expect that an operation has failed, and why."""
        failure = self.failureResultOf(deferred, error)
        self.assertIn(text, str(failure.value))
        return failure.value


class OperationTests(ClientCase):
    """What is asked, and what comes of it."""

    def test_bind(self) -> None:
        """A bind gives the DN and the password."""
        bound = self.run_(self.client.bind(ADA, Secret("pä")))
        asked = self.wire.answer(pureldap.LDAPBindResponse(0))
        self.assertEqual((3, ADA.encode(), "pä".encode()), (asked.version, asked.dn, asked.auth))
        self.successResultOf(bound)

    def test_bind_without_password(self) -> None:
        """A DN without a password would bind as nobody, and succeed: it isn't tried."""
        self.fails(self.run_(self.client.bind(ADA, Secret(""))), ValueError, "needs a password")
        self.assertEqual([], self.wire.sent())

    def test_bind_as_nobody(self) -> None:
        """Without either, it is anonymous."""
        bound = self.run_(self.client.bind("", Secret("")))
        asked = self.wire.answer(pureldap.LDAPBindResponse(0))
        self.assertEqual((b"", b""), (asked.dn, asked.auth))
        self.successResultOf(bound)

    def test_refused(self) -> None:
        """What isn't success is an error, with the directory's reason and without the password."""
        bound = self.run_(self.client.bind(ADA, Secret("hush")))
        self.wire.answer(pureldap.LDAPBindResponse(49, matchedDN="dc=org", errorMessage="data 533"))
        error = self.fails(bound, LdapError, "invalid credentials (49): data 533")
        self.assertEqual(
            (ResultCode.INVALID_CREDENTIALS, "data 533", "dc=org", ()),
            (error.code, error.message, error.matched_dn, error.referrals),
        )
        self.assertNotIn("hush", repr(error) + repr(vars(self.client)))

    def test_search(self) -> None:
        """A search asks for what it says."""
        found = self.run_(
            self.client.search(
                Search(
                    base=ADA,
                    scope=Scope.ONE,
                    filter=filtertext.parse("(cn=a*)"),
                    attributes=("cn", "sn"),
                    size_limit=5,
                )
            )
        )
        asked = self.wire.answer(ENTRY, REFERENCE, ENTRY, DONE)
        self.assertEqual(
            (ADA.encode(), 1, 5, [b"cn", b"sn"], filtertext.parse("(cn=a*)")),
            (asked.baseObject, asked.scope, asked.sizeLimit, asked.attributes, asked.filter),
        )
        result = self.successResultOf(found)
        self.assertEqual([ADA, ADA], [entry.dn for entry in result.entries])
        self.assertEqual((["ldap://b/"], b""), (result.references, result.cookie))

    def test_wire(self) -> None:
        """A search is written as ldaptor writes it."""
        for scope, limit, names in ((Scope.BASE, 0, ()), (Scope.SUB, 200, ("cn", "é"))):
            search = Search(base=ADA, scope=scope, size_limit=limit, attributes=names)
            written = pureldap.LDAPSearchRequest(
                baseObject=ADA, scope=scope, sizeLimit=limit, attributes=names
            )
            self.assertEqual(written.toWire(), request.to_search(search).toWire())

    def test_nothing_found(self) -> None:
        """A search for no attributes, that finds nothing, is a success."""
        found = self.run_(self.client.search(evolve(SEARCH, attributes=NO_ATTRIBUTES)))
        self.assertEqual([b"1.1"], self.wire.answer(DONE).attributes)
        self.assertEqual(Found(entries=[], references=[]), self.successResultOf(found))

    def test_size_limit(self) -> None:
        """Part of what was searched for is an error."""
        found = self.run_(self.client.search(SEARCH))
        self.wire.answer(ENTRY, pureldap.LDAPSearchResultDone(4))
        error = self.fails(found, LdapError, "size limit exceeded (4)")
        self.assertEqual(ResultCode.SIZE_LIMIT_EXCEEDED, error.code)

    def test_pages(self) -> None:
        """A page comes with a cookie for the next, the last without one."""
        search = evolve(SEARCH, page_size=2, controls=(EXTENDED_DN,))
        found = self.run_(self.client.search(search))
        message = self.wire.one()
        self.assertEqual(
            [
                (EXTENDED_DN.oid.encode(), 255, EXTENDED_DN.value),
                (PAGED_RESULTS.encode(), 255, b"\x30\x05\x02\x01\x02\x04\x00"),
            ],
            [(oid, critical & 255, value) for oid, critical, value in message.controls],
        )
        self.wire.say(message.id, ENTRY)
        self.wire.say(message.id, DONE, controls=[page(b"\0next")])
        cookie = self.successResultOf(found).cookie
        self.assertEqual(b"\0next", cookie)
        found = self.run_(self.client.search(search.after(cookie)))
        message = self.wire.one()
        self.assertEqual(b"\x30\x0a\x02\x01\x02\x04\x05\0next", message.controls[1][2])
        self.wire.say(message.id, DONE, controls=[page(b"")])
        self.assertEqual(b"", self.successResultOf(found).cookie)

    def test_malformed_page(self) -> None:
        """A page whose end isn't known is no page, and its connection is given up."""
        found = self.run_(self.client.search(evolve(SEARCH, page_size=2)))
        self.wire.answer(DONE, controls=[(PAGED_RESULTS, None, b"\x30\x80")])
        self.fails(found, ConnectionLost, "malformed cookie")
        self.assertTrue(self.wire.transport.aborted)

    def test_add(self) -> None:
        """An entry is added with all values of its attributes, as octets."""
        added = self.run_(self.client.add(ADA, {"cn": [b"Ada"], "photo": [b"\0\xff", b""]}))
        asked = self.wire.answer(pureldap.LDAPAddResponse(0))
        self.assertEqual(ADA.encode(), asked.entry)
        self.assertEqual(
            [(b"cn", [b"Ada"]), (b"photo", [b"\0\xff", b""])],
            [(name.value, [each.value for each in values]) for name, values in asked.attributes],
        )
        self.successResultOf(added)

    def test_modify(self) -> None:
        """Modifications keep their order; without values, all that there were go."""
        modified = self.run_(
            self.client.modify(
                ADA,
                [
                    Modification(Kind.DELETE, "cn"),
                    Modification(Kind.ADD, "cn", (b"A", b"B")),
                    Modification(Kind.REPLACE, "sn", (b"L",)),
                ],
                [PERMISSIVE_MODIFY],
            )
        )
        message = self.wire.one()
        self.assertEqual(
            [(1, b"cn", []), (0, b"cn", [b"A", b"B"]), (2, b"sn", [b"L"])],
            [
                (kind.value, change[0].value, [each.value for each in change[1]])
                for kind, change in message.value.modification
            ],
        )
        self.assertEqual([(PERMISSIVE_MODIFY.oid.encode(), None, None)], message.controls)
        self.wire.say(message.id, pureldap.LDAPModifyResponse(0))
        self.successResultOf(modified)

    def test_delete(self) -> None:
        """An entry is deleted by its name."""
        deleted = self.run_(self.client.delete(ADA))
        self.assertEqual(ADA.encode(), self.wire.answer(pureldap.LDAPDelResponse(0)).value)
        self.successResultOf(deleted)

    def test_set_password(self) -> None:
        """A password is set by the operation that is made for it."""
        done = self.run_(self.client.set_password(ADA, Secret("hush")))
        asked = self.wire.answer(pureldap.LDAPExtendedResponse(0))
        self.assertEqual(pureldap.LDAPPasswordModifyRequest.oid, asked.requestName)
        self.assertIn(b"\x82\x04hush", asked.requestValue)
        self.assertIn(ADA.encode(), asked.requestValue)
        self.successResultOf(done)

    def test_referral(self) -> None:
        """A referral is an error that says where to go."""
        deleted = self.run_(self.client.delete(ADA))
        self.wire.one()
        self.wire.hear(bytes.fromhex("3016020101 6b11 0a010a 0400 0400 a308 0406") + b"ldap:/")
        self.assertEqual(("ldap:/",), self.fails(deleted, LdapError, "referral").referrals)

    def test_overlapping(self) -> None:
        """Answers are given to whom they belong, in whatever order and pieces they come."""
        first, second = self.run_(self.client.search(SEARCH)), self.run_(self.client.delete(ADA))
        one, two = self.wire.sent()
        data = b"".join(
            pureldap.LDAPMessage(operation, id=id).toWire()
            for id, operation in (
                (two.id, pureldap.LDAPDelResponse(32)),
                (one.id, pureldap.LDAPSearchResultEntry(ADA, [("cn", ["x" * 300])])),
                (one.id, DONE),
            )
        )
        for octet in data:
            self.wire.hear(bytes([octet]))
        self.assertEqual(1, len(self.successResultOf(first).entries))
        self.fails(second, LdapError, "no such object (32)")

    def test_numbers(self) -> None:
        """Messages are numbered to the end, and begin anew without those under way."""
        first = self.run_(self.client.delete(ADA))
        self.client._last_id = 2**31 - 2
        for id in (2**31 - 1, 2):
            deleted = self.run_(self.client.delete(ADA))
            message = self.wire.sent()[-1]
            self.assertEqual(id, message.id)
            self.wire.say(id, pureldap.LDAPDelResponse(0))
            self.successResultOf(deleted)
        self.wire.say(1, pureldap.LDAPDelResponse(0))
        self.successResultOf(first)

    def test_no_utf8(self) -> None:
        """What can't be written isn't, and the connection is as it was."""
        self.fails(self.run_(self.client.delete("cn=\ud800")), ValueError)
        self.assertEqual(([], {}), (self.wire.sent(), self.client.onwire))


class EndTests(ClientCase):
    """How operations end that aren't answered."""

    def both(self) -> tuple[Deferred[Any], Deferred[Any]]:
        """Begin two operations."""
        both = self.run_(self.client.search(SEARCH)), self.run_(self.client.delete(ADA))
        self.wire.sent()
        return both

    def over(self) -> None:
        """Expect that the connection was given up, and takes nothing more."""
        self.assertTrue(self.wire.transport.aborted)
        self.fails(self.run_(self.client.delete(ADA)), ConnectionLost, "no connection")
        self.wire.hear(b"\x30")
        self.wire.lose()

    def test_timeout(self) -> None:
        """Who waits too long gives the connection up, with all that is under way."""
        first = self.run_(self.client.search(SEARCH))
        self.clock.advance(1)
        second = self.run_(self.client.delete(ADA))
        self.clock.advance(TIMEOUT - 1)
        self.fails(first, TimedOut, "didn't answer within 30 seconds")
        self.fails(second, ConnectionLost, "took too long")
        self.over()

    def test_lost(self) -> None:
        """A lost connection fails all that is under way, and tells the cause."""
        first, second = self.both()
        reason = TlsError("certificate verify failed")
        self.wire.lose(reason)
        for deferred in (first, second):
            self.assertIs(reason, self.fails(deferred, TransportError, "was lost").__cause__)
        self.fails(self.run_(self.client.delete(ADA)), ConnectionLost, "no connection")

    def test_abort(self) -> None:
        """A connection is given up at once, and what is lost needn't be."""
        first, second = self.both()
        self.client.abort()
        for deferred in (first, second):
            self.fails(deferred, ConnectionLost, "given up")
        self.assertTrue(self.wire.transport.aborted)
        self.wire.lose()
        self.wire.transport.aborted = False
        self.client.abort()
        self.assertFalse(self.wire.transport.aborted)

    def test_unconnected(self) -> None:
        """Before there is a connection, nothing is sent."""
        client = Client(self.clock, TIMEOUT)
        self.fails(self.run_(client.delete(ADA)), ConnectionLost, "no connection")
        self.successResultOf(self.run_(client.close()))

    def test_cancelled(self) -> None:
        """What is cancelled is abandoned, and late answers are dropped."""
        first, second = self.both()
        first.cancel()
        self.failureResultOf(first, CancelledError)
        message = self.wire.one()
        self.assertIsInstance(message.value, pureldap.LDAPAbandonRequest)
        self.assertEqual(1, message.value.value)
        self.wire.say(1, ENTRY, DONE)
        self.wire.say(2, pureldap.LDAPDelResponse(0))
        self.successResultOf(second)
        self.assertTrue(self.client.connected)

    def test_cancelled_bind(self) -> None:
        """A bind can't be abandoned: its connection is given up."""
        bound = self.run_(self.client.bind(ADA, Secret("x")))
        self.wire.sent()
        bound.cancel()
        self.failureResultOf(bound, CancelledError)
        self.assertEqual([], self.wire.sent())
        self.over()

    def test_cancelled_by_a_failure(self) -> None:
        """The failure of one operation may cancel another, which is failing too."""
        first, second = self.both()
        first.addErrback(lambda _: second.cancel())
        self.wire.lose()
        self.failureResultOf(second, CancelledError)

    def test_malformed(self) -> None:
        """What is no message ends the connection, and fails what is under way."""
        for data in (b"HTTP/1.1 400", b"\x30\x84\x7f\xff\xff\xff", b"\x30\x03\x02\x01\x01"):
            self.setUp()
            first, second = self.both()
            self.wire.hear(data)
            for deferred in (first, second):
                self.fails(deferred, ConnectionLost, "no answer")
            self.over()

    def test_wrong_answer(self) -> None:
        """An answer to something else ends the connection."""
        for answer in (pureldap.LDAPAddResponse(0), ENTRY, REFERENCE, DONE):
            self.setUp()
            deleted = self.run_(self.client.delete(ADA))
            self.wire.answer(answer)
            self.fails(deleted, ConnectionLost, "the directory answered a")
            self.over()

    def test_leave(self) -> None:
        """A directory that takes leave says why."""
        first, second = self.both()
        self.wire.say(
            0, pureldap.LDAPExtendedResponse(52, errorMessage="down", responseName=DISCONNECTION)
        )
        for deferred in (first, second):
            self.fails(deferred, ConnectionLost, "took leave: unavailable (52): down")
        self.over()

    def test_unsolicited(self) -> None:
        """Whatever else a directory says by itself is ignored."""
        first, second = self.both()
        self.wire.say(0, pureldap.LDAPExtendedResponse(0, responseName="1.2.3"), DONE)
        self.assertNoResult(first)
        self.wire.say(1, DONE)
        self.wire.say(2, pureldap.LDAPDelResponse(0))
        self.successResultOf(first)
        self.successResultOf(second)

    def test_close(self) -> None:
        """Who leaves unbinds, fails what is under way, and waits for the end."""
        first, second = self.both()
        closed, again = self.run_(self.client.close()), self.run_(self.client.close())
        self.assertIsInstance(self.wire.one().value, pureldap.LDAPUnbindRequest)
        for deferred in (first, second):
            self.fails(deferred, ConnectionLost, "was closed")
        self.assertTrue(self.wire.transport.disconnecting)
        self.assertNoResult(closed)
        self.wire.lose()
        self.successResultOf(closed)
        self.successResultOf(again)
        self.successResultOf(self.run_(self.client.close()))

    def test_close_takes_too_long(self) -> None:
        """A connection that won't end is cut."""
        closed = self.run_(self.client.close())
        self.clock.advance(client_module._GRACE)
        self.assertTrue(self.wire.transport.aborted)
        self.wire.lose()
        self.successResultOf(closed)


class StartTlsTests(ClientCase):
    """From clear text to TLS (RFC 4511 section 4.14)."""

    OPTIONS: Any = object()

    def start(self) -> Deferred[None]:
        """Ask for TLS."""
        return self.run_(self.client.start_tls(self.OPTIONS))

    def test_agreed(self) -> None:
        """TLS begins when the directory agrees, whether it gives a name to its answer or not."""
        for name in (None, START_TLS):
            self.setUp()
            started = self.start()
            self.assertEqual(
                START_TLS.encode(),
                self.wire.answer(pureldap.LDAPExtendedResponse(0, responseName=name)).requestName,
            )
            self.successResultOf(started)
            self.assertIs(self.OPTIONS, self.wire.transport.tls)

    def test_refused(self) -> None:
        """A directory that refuses stays in the clear, and it is known."""
        started = self.start()
        self.wire.answer(pureldap.LDAPExtendedResponse(2))
        self.fails(started, LdapError, "protocol error (2)")
        self.assertIsNone(self.wire.transport.tls)

    def test_other_name(self) -> None:
        """An answer of another name is none."""
        started = self.start()
        self.wire.answer(pureldap.LDAPExtendedResponse(0, responseName="1.2.3"))
        self.fails(started, ConnectionLost, "something else than StartTLS")
        self.assertIsNone(self.wire.transport.tls)

    def test_injected(self) -> None:
        """What somebody slips in after the answer in the clear is never read as if it were TLS."""
        for rest in (
            b"\x30",
            pureldap.LDAPMessage(pureldap.LDAPBindResponse(0), id=2).toWire(),
        ):
            self.setUp()
            started = self.start()
            id = self.wire.one().id
            self.wire.hear(
                pureldap.LDAPMessage(pureldap.LDAPExtendedResponse(0), id=id).toWire() + rest
            )
            self.fails(started, ConnectionLost, "in the clear")
            self.assertIsNone(self.wire.transport.tls)
            self.assertTrue(self.wire.transport.aborted)


class ValueTests(SynchronousTestCase):
    """Values of requests and results."""

    def test_matched_values(self) -> None:
        """The values that match filters are asked for by a control (RFC 3876)."""
        filters = [filtertext.parse("(member=a)"), filtertext.parse("(cn=*)")]
        self.assertEqual(
            Control(
                "1.2.826.0.1.3344810.2.3",
                value=b"\x30\x11\xa3\x0b\x04\x06member\x04\x01a\x87\x02cn",
            ),
            matched_values(filters),
        )

    def test_controls(self) -> None:
        """What isn't critical says nothing of it, because that is the default."""
        wire = pureldap.LDAPMessage(
            DONE,
            controls=request.to_controls([Control("1.2"), Control("1.3", critical=True)]),
            id=1,
        ).toWire()
        self.assertEqual(b"\xa0\x11\x30\x05\x04\x031.2\x30\x08\x04\x031.3\x01\x01\xff", wire[-19:])

    def test_describe(self) -> None:
        """A code has a name, if RFC 4511 has one for it."""
        self.assertEqual("entry already exists (68)", describe(68))
        self.assertEqual("result code 4096", describe(4096))
