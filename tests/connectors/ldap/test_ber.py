"""Answers of directories, in BER: RFC 4511 section 4."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from ldaptor.protocols import pureber, pureldap
from twisted.trial.unittest import SynchronousTestCase

from connectors.ldap import ber
from connectors.ldap.ber import (
    Answer,
    ExtendedResult,
    Message,
    Response,
    Result,
    SearchEntry,
    SearchReference,
)

PAGED = "1.2.840.113556.1.4.319"
IDS = st.integers(0, 2**31 - 1)
VALUES = st.one_of(st.binary(), st.integers(120, 70_000).map(bytes))
NAMES = st.text("abcxyzABC-;=0123456789", min_size=1, max_size=20)
ENTRIES = st.dictionaries(NAMES, st.lists(VALUES, max_size=4), max_size=5)
CONTROLS = st.lists(
    st.tuples(
        st.from_regex(r"[0-2](\.[1-9][0-9]{0,5}){1,4}", fullmatch=True),
        st.sampled_from([None, True, False]),
        st.none() | st.binary(max_size=300),
    ),
    max_size=3,
)
RESULTS = {
    Answer.BIND: pureldap.LDAPBindResponse,
    Answer.SEARCH: pureldap.LDAPSearchResultDone,
    Answer.MODIFY: pureldap.LDAPModifyResponse,
    Answer.ADD: pureldap.LDAPAddResponse,
    Answer.DELETE: pureldap.LDAPDelResponse,
    Answer.MODIFY_DN: pureldap.LDAPModifyDNResponse,
    Answer.COMPARE: pureldap.LDAPCompareResponse,
}
LIMIT = 2**20


def wire(operation: Any, controls: Any = None, id: int = 7) -> bytes:
    """Write a message as ldaptor does."""
    return bytes(pureldap.LDAPMessage(operation, controls=controls, id=id).toWire())


def tlv(tag: int, *contents: bytes) -> bytes:
    """Write an element."""
    content = b"".join(contents)
    return bytes([tag]) + bytes(pureber.int2berlen(len(content))) + content


def message(*elements: bytes) -> bytes:
    """Write a message out of its elements, after the id 7."""
    return tlv(0x30, b"\x02\x01\x07", *elements)


DONE = tlv(0x0A, b"\0") + tlv(4) + tlv(4)
ENTRY = pureldap.LDAPSearchResultEntry("cn=Ada", [("CN", ["Ada", "A"]), ("sn", ["L" * 200])])

MALFORMED = {
    # what is wrong -> message
    "nothing": b"",
    "no message": tlv(0x31, b"\x02\x01\x07", tlv(0x65, DONE)),
    "no operation": message(),
    "no id": tlv(0x30, tlv(0x65, DONE)),
    "an empty id": tlv(0x30, b"\x02\x00", tlv(0x65, DONE)),
    "a negative id": tlv(0x30, b"\x02\x01\xff", tlv(0x65, DONE)),
    "a large id": tlv(0x30, b"\x02\x05\x01\x00\x00\x00\x00", tlv(0x65, DONE)),
    "a request": message(tlv(0x63, DONE)),
    "something after it": message(tlv(0x65, DONE)) + b"\0",
    "an indefinite length": b"\x30\x80" + message(tlv(0x65, DONE))[2:] + b"\0\0",
    "a long length": b"\x30\x85\0\0\0\0\x0c" + message(tlv(0x65, DONE))[2:],
    "a result that is too short": message(tlv(0x65, tlv(0x0A, b"\0"), tlv(4))),
    "a code that is an INTEGER": message(tlv(0x65, tlv(2, b"\0"), tlv(4), tlv(4))),
    "a result beyond its end": message(b"\x65\x05" + DONE + b"\0\0"),
    "a value beyond its set": message(
        tlv(0x64, tlv(4), tlv(0x30, tlv(0x30, tlv(4, b"cn"), b"\x31\x02\x04\x01" + b"xx")))
    ),
    "a value that is no string": message(
        tlv(0x64, tlv(4), tlv(0x30, tlv(0x30, tlv(4, b"cn"), tlv(0x31, tlv(2, b"x")))))
    ),
    "an attribute without values": message(tlv(0x64, tlv(4), tlv(0x30, tlv(0x30, tlv(4, b"cn"))))),
    "an entry without attributes": message(tlv(0x64, tlv(4))),
    "a DN that is no text": message(tlv(0x64, tlv(4, b"\xff"), tlv(0x30))),
    "a name that isn't ASCII": message(
        tlv(0x64, tlv(4), tlv(0x30, tlv(0x30, tlv(4, b"\xc3\xa9"), tlv(0x31))))
    ),
    "controls that are none": message(tlv(0x65, DONE), tlv(0xA0, tlv(4))),
    "a length that ends too early": b"\x30\x82\x01",
}


class DecodeTests(SynchronousTestCase):
    """Reading one message."""

    def response(self, data: bytes) -> Response:
        """Read a message whose id is 7."""
        decoded = ber.decode(data)
        self.assertEqual(7, decoded.id)
        return decoded.response

    def test_entry(self) -> None:
        """An entry has its values under names in lower case."""
        self.assertEqual(
            Message(
                id=7,
                response=SearchEntry(
                    dn="cn=Ada", attributes={"cn": [b"Ada", b"A"], "sn": [b"L" * 200]}
                ),
                controls={},
            ),
            ber.decode(wire(ENTRY)),
        )

    def test_twice(self) -> None:
        """An attribute that comes twice has all values."""
        written = wire(pureldap.LDAPSearchResultEntry("", [("CN", ["a"]), ("cn", ["b"])]))
        self.assertEqual(
            SearchEntry(dn="", attributes={"cn": [b"a", b"b"]}), self.response(written)
        )

    @given(st.text(), ENTRIES, IDS, CONTROLS)
    def test_entries(
        self, dn: str, attributes: dict[str, list[bytes]], id: int, controls: Any
    ) -> None:
        """Whatever ldaptor writes as an entry is read, and its controls."""
        expected: dict[str, list[bytes]] = {}
        for name, values in attributes.items():
            expected[name.lower()] = expected.get(name.lower(), []) + values
        written = wire(pureldap.LDAPSearchResultEntry(dn, attributes.items()), controls or None, id)
        self.assertEqual(
            Message(
                id=id,
                response=SearchEntry(dn=dn, attributes=expected),
                controls={oid: value or b"" for oid, _, value in controls},
            ),
            ber.decode(written),
        )

    @given(st.sampled_from(sorted(RESULTS)), st.integers(0, 2**31 - 1), st.text(), st.text())
    @example(Answer.SEARCH, 128, "", "x" * 128)
    def test_results(self, answer: Answer, code: int, matched_dn: str, text: str) -> None:
        """Whatever ldaptor writes as a result is read."""
        written = wire(RESULTS[answer](code, matched_dn, text))
        expected = Result(
            answer=answer, code=code, matched_dn=matched_dn, message=text.rstrip("\0")
        )
        self.assertEqual(expected, self.response(written))

    @given(st.none() | st.just("1.3.6.1.4.1.1466.20037"), st.none() | st.binary())
    def test_extended(self, name: str | None, value: bytes | None) -> None:
        """An extended result may have a name, and a value that isn't shown."""
        written = wire(pureldap.LDAPExtendedResponse(0, responseName=name, response=value))
        response = self.response(written)
        expected = ExtendedResult(answer=Answer.EXTENDED, code=0, name=name, value=value)
        self.assertEqual(expected, response)
        self.assertNotIn("value", repr(response))

    @given(st.lists(st.text()))
    def test_references(self, uris: list[str]) -> None:
        """A reference has URIs."""
        operation = pureldap.LDAPSearchResultReference([pureldap.LDAPString(uri) for uri in uris])
        self.assertEqual(SearchReference(tuple(uris)), self.response(wire(operation)))

    def test_referrals(self) -> None:
        """A referral says where to go."""
        uris = tlv(0xA3, tlv(4, b"ldap://a/"), tlv(4, b"ldap://b/"))
        self.assertEqual(
            Result(answer=Answer.MODIFY, code=10, referrals=("ldap://a/", "ldap://b/")),
            self.response(message(tlv(0x67, tlv(0x0A, b"\x0a"), tlv(4), tlv(4), uris))),
        )

    def test_extensions(self) -> None:
        """What follows the known elements is skipped (RFC 4511 section 4)."""
        written = message(tlv(0x61, DONE, tlv(0x87, b"x"), tlv(0x9E)), tlv(0x8A, b"1.2"))
        self.assertEqual(Result(answer=Answer.BIND, code=0), self.response(written))
        written = message(tlv(0x65, DONE), tlv(0xA0, tlv(0x30, tlv(4, b"1.2"), tlv(1, b"\xff"))))
        self.assertEqual({"1.2": b""}, ber.decode(written).controls)

    def test_message(self) -> None:
        """Active Directory's messages end in NUL, and may be of any charset."""
        written = message(tlv(0x61, tlv(0x0A, b"\x31"), tlv(4), tlv(4, b"80090308: \xe4\0")))
        self.assertEqual(
            Result(answer=Answer.BIND, code=49, message="80090308: �"), self.response(written)
        )

    def test_shown(self) -> None:
        """An entry shows no values."""
        entry = SearchEntry(dn="cn=Ada", attributes={"userpassword": [b"secret"]})
        self.assertNotIn("secret", repr(entry))

    def test_malformed(self) -> None:
        """What is no message is a ValueError."""
        for what, data in MALFORMED.items():
            with self.assertRaises(ValueError, msg=what):
                ber.decode(data)

    @given(st.binary(max_size=60).map(message) | st.binary(max_size=60))
    def test_garbage(self, data: bytes) -> None:
        """Whatever comes is a message or a ValueError."""
        self._read(data)

    @given(st.data())
    def test_damaged(self, data: st.DataObject) -> None:
        """Wherever a message is cut or wrong, it is a message or a ValueError."""
        whole = bytearray(wire(ENTRY, [(PAGED, None, b"x")]))
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
        self._read(bytes(whole[: data.draw(st.integers(0, len(whole)))]))

    def _read(self, data: bytes) -> None:
        try:
            decoded = ber.decode(data)
        except ValueError:
            return
        self.assertIsInstance(decoded, Message)
        self.assertEqual(len(data), ber.size(data, 0, LIMIT))


class SizeTests(SynchronousTestCase):
    """Finding where a message ends."""

    @given(VALUES, st.binary(max_size=5))
    def test_size(self, value: bytes, rest: bytes) -> None:
        """The size is known as soon as the header is there, wherever the message begins."""
        whole = wire(pureldap.LDAPSearchResultEntry("cn=Ada", [("cn", [value])]))
        header = 2 + max(whole[1] - 0x80, 0)
        for length in range(header + 1):
            expected = len(whole) if length >= header else None
            self.assertEqual(expected, ber.size(rest + whole[:length], len(rest), LIMIT))
        self.assertEqual(len(whole), ber.size(rest + whole + rest, len(rest), LIMIT))

    def test_limit(self) -> None:
        """A message that would be too long, or is none, isn't waited for."""
        self.assertEqual(2 + 100, ber.size(b"\x30\x64", 0, 100))
        for data in (b"\x30\x65", b"\x30\x84\xff\xff\xff\xff", b"GET / HTTP/1.1", b"\x30\x80"):
            self.assertRaises(ValueError, ber.size, data, 0, 100)
        self.assertRaises(ValueError, ber.size, b"\x30\x88\0\0\0\0", 0, 100)


class CookieTests(SynchronousTestCase):
    """The value of a control for paged results: RFC 2696."""

    @given(IDS, st.binary())
    def test_cookie(self, total: int, cookie: bytes) -> None:
        """It holds an estimate, which may be 0, and a cookie."""
        value = pureber.BERSequence([pureber.BERInteger(total), pureber.BEROctetString(cookie)])
        self.assertEqual(cookie, ber.paged_cookie(value.toWire()))

    @given(st.binary(max_size=20))
    @example(b"")
    @example(b"\x30\x00")
    def test_garbage(self, value: bytes) -> None:
        """Whatever comes is a cookie or a ValueError."""
        try:
            self.assertIsInstance(ber.paged_cookie(value), bytes)
        except ValueError:
            return
