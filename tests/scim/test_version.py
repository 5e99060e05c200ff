"""If-Match and If-None-Match: RFC 7644 section 3.14."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from scimgw.scim.version import Conditions, Tags


class TagsTests(SynchronousTestCase):
    """The tags in a header."""

    def test_read(self) -> None:
        """Weak and strong tags are read, one or several, also as badly copied as they come."""
        for header, expected in {
            '"a"': ("a",),
            'W/"a"': ("a",),
            'w/"a" , "b"': ("a", "b"),
            'W/"a,b"': ("a,b",),
            '""': ("",),
            "a": ("a",),
            "W/a, b": ("a", "b"),
            'W/"a': ("a",),
            "": (),
            ",": (),
        }.items():
            self.assertEqual(Tags(opaque=expected), Tags.parse(header), header)
        self.assertEqual(Tags(any=True), Tags.parse(" * "))

    def test_match(self) -> None:
        """Tags are compared weakly; any matches whatever there is."""
        tags = Tags.parse('W/"a", "b"')
        self.assertEqual(
            [True, True, False, False],
            [tags.match(version) for version in ('W/"a"', '"b"', 'W/"c"', None)],
        )
        self.assertTrue(Tags.parse("*").match(None))


class ConditionsTests(SynchronousTestCase):
    """What a request demands."""

    def test_hold(self) -> None:
        """The version must be among the one kind of tags, and not among the other."""
        one = Tags.parse('W/"1"')
        for conditions, version, expected in (
            (Conditions(), 'W/"1"', True),
            (Conditions(if_match=one), 'W/"1"', True),
            (Conditions(if_match=one), 'W/"2"', False),
            (Conditions(if_match=one), None, False),
            (Conditions(if_none_match=one), 'W/"1"', False),
            (Conditions(if_none_match=one), 'W/"2"', True),
            (Conditions(if_none_match=Tags(any=True)), None, False),
        ):
            self.assertEqual(expected, conditions.hold(version))

    def test_nothing_demanded(self) -> None:
        """Without headers nothing is demanded."""
        self.assertFalse(Conditions())
        self.assertTrue(Conditions(if_match=Tags()))
        self.assertTrue(Conditions(if_none_match=Tags()))
