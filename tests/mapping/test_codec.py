"""How values are written in an endpoint, and how in SCIM."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from scimgw.mapping import Codec, Rule, text_codec
from scimgw.scim.schema import Attribute, AttributeType
from scimgw.scim.values import instant

MOMENTS = st.datetimes(datetime(1601, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - Hypothesis wants them so


def codec(type: str, leaf: AttributeType = AttributeType.STRING, **more: Any) -> Codec:
    """Give the codec of a rule."""
    rule = Rule(map_to="x", type=type, **more)  # type: ignore[arg-type]  # Literal
    found = text_codec(rule, Attribute(name="x", type=leaf))
    assert found is not None
    return found


class SimpleTests(SynchronousTestCase):
    """Strings, booleans, integers, binaries."""

    def test_read(self) -> None:
        """A value of the endpoint becomes what SCIM's type wants."""
        for type, leaf, raw, value in (
            ("string", AttributeType.STRING, "x", "x"),
            ("array", AttributeType.STRING, "x", "x"),
            ("boolean", AttributeType.BOOLEAN, "TRUE", True),
            ("boolean", AttributeType.BOOLEAN, "false", False),
            ("boolean", AttributeType.STRING, "TRUE", "true"),
            ("integer", AttributeType.INTEGER, "-5", -5),
            ("integer", AttributeType.DECIMAL, "5", 5),
            ("integer", AttributeType.STRING, "5", "5"),
            ("binary", AttributeType.BINARY, b"abc", "YWJj"),
        ):
            self.assertEqual(value, codec(type, leaf).read(raw), (type, leaf))

    def test_write(self) -> None:
        """And back."""
        for type, leaf, value, raw in (
            ("boolean", AttributeType.BOOLEAN, True, "TRUE"),
            ("boolean", AttributeType.STRING, "False", "FALSE"),
            ("integer", AttributeType.INTEGER, 7, "7"),
            ("integer", AttributeType.STRING, " 7 ", "7"),
            ("binary", AttributeType.BINARY, "YW\nJj", b"abc"),
            ("binary", AttributeType.BINARY, "YWI", b"ab"),
        ):
            self.assertEqual(raw, codec(type, leaf).write(value), (type, leaf))

    def test_refused(self) -> None:
        """What isn't of the type is told by what would be right."""
        for type, value in (("boolean", "yes"), ("integer", "x"), ("integer", "٣")):
            self.assertRaises(ValueError, codec(type).write, value)
            self.assertRaises(ValueError, codec(type).read, value)

    def test_unfit(self) -> None:
        """Not every type can be every SCIM attribute."""
        for type, leaf in (
            ("string", AttributeType.BOOLEAN),
            ("boolean", AttributeType.INTEGER),
            ("string", AttributeType.BINARY),
            ("integer", AttributeType.DATE_TIME),
        ):
            rule = Rule(map_to="x", type=type)  # type: ignore[arg-type]  # Literal
            self.assertIsNone(text_codec(rule, Attribute(name="x", type=leaf)), (type, leaf))


class DateTests(SynchronousTestCase):
    """Generalized time, file time, ISO 8601."""

    def test_generalized(self) -> None:
        """Minutes, seconds, fractions and zones may be there or not (RFC 4517 section 3.3.13)."""
        read = codec("date", format="generalizedTime").read
        for raw, value in {
            "20110513044234Z": "2011-05-13T04:42:34Z",
            "20110513044234.0Z": "2011-05-13T04:42:34Z",
            "20110513044234,25Z": "2011-05-13T04:42:34.250000Z",
            "20110513064234+0200": "2011-05-13T04:42:34Z",
            "2011051302-02": "2011-05-13T04:00:00Z",
            "201105130442.5-0030": "2011-05-13T05:12:30Z",
        }.items():
            self.assertEqual(value, read(raw), raw)
        for raw in ("2011", "20111313044234Z", "20110513044234", "x"):
            self.assertRaises(ValueError, read, raw)

    def test_file_time(self) -> None:
        """Tenths of microseconds since 1601; two values mean never."""
        read = codec("date", format="fileTime").read
        self.assertEqual("2011-05-13T04:42:34Z", read("129497353540000000"))
        self.assertIsNone(read("0"))
        self.assertIsNone(read("9223372036854775807"))
        for raw in ("x", "9223372036854775806"):
            self.assertRaises(ValueError, read, raw)

    def test_iso(self) -> None:
        """As it is, if it is one."""
        iso = codec("date", format="iso")
        self.assertEqual("2011-05-13T04:42:34", iso.read("2011-05-13T04:42:34"))
        self.assertRaises(ValueError, iso.write, "yesterday")

    def test_reversible(self) -> None:
        """What is written is read as the same instant, to the microsecond."""

        @given(MOMENTS, st.sampled_from(("generalizedTime", "fileTime", "iso")))
        def check(moment: datetime, format: str) -> None:
            dates = codec("date", format=format)
            text = moment.isoformat()
            self.assertEqual(instant(text), instant(dates.read(dates.write(text))))

        check()
