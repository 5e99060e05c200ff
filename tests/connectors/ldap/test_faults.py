"""What a client is told when a directory fails."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from connectors.ldap.faults import told, translated
from connectors.ldap.reading import _ends_above
from connectors.ldap.result import ConnectionLost, LdapError, NoBase, ResultCode, TimedOut
from scimgw.errors import (
    BadGateway,
    Conflict,
    Forbidden,
    InvalidValue,
    Mutability,
    NotFound,
    ScimError,
    TooMany,
    Unavailable,
    Uniqueness,
)


class ToldTests(SynchronousTestCase):
    """Result codes, in SCIM's terms."""

    def test_codes(self) -> None:
        """What is wrong with the request is the client's; all else is the directory's."""
        for code, kind in (
            (ResultCode.SIZE_LIMIT_EXCEEDED, TooMany),
            (ResultCode.NO_SUCH_OBJECT, NotFound),
            (ResultCode.ENTRY_ALREADY_EXISTS, Uniqueness),
            (ResultCode.CONSTRAINT_VIOLATION, InvalidValue),
            (ResultCode.OBJECT_CLASS_VIOLATION, InvalidValue),
            (ResultCode.INVALID_ATTRIBUTE_SYNTAX, InvalidValue),
            (ResultCode.INSUFFICIENT_ACCESS_RIGHTS, Forbidden),
            (ResultCode.NOT_ALLOWED_ON_RDN, Mutability),
            (ResultCode.NOT_ALLOWED_ON_NON_LEAF, Conflict),
            (ResultCode.BUSY, Unavailable),
            (ResultCode.REFERRAL, Unavailable),
            (ResultCode.OTHER, Unavailable),
            (4711, Unavailable),
        ):
            self.assertIs(kind, type(told(LdapError(code, "why"), "to do it")), code)

    def test_reason(self) -> None:
        """The directory's reason is passed on: shortened, and on one line."""
        error = LdapError(ResultCode.CONSTRAINT_VIOLATION, "too\nweak\x00" + "x" * 500)
        detail = told(error, "to set it").detail
        self.assertTrue(
            detail.startswith("the directory refused to set it: constraint violation: too weak x")
        )
        self.assertLess(len(detail), 400)
        bare = told(LdapError(ResultCode.BUSY, ""), "to read")
        self.assertEqual("the directory refused to read: busy", bare.detail)

    def test_no_base(self) -> None:
        """That there is no base says nothing of what was looked for."""
        error = LdapError(ResultCode.NO_SUCH_OBJECT, "", "dc=org")
        fault = told(NoBase("ou=people,dc=org", error), "to search /Users")
        self.assertIs(BadGateway, type(fault))
        self.assertIn("the base 'ou=people,dc=org' isn't there", fault.detail)

    def test_where_it_ends(self) -> None:
        """What there is above the base tells that it is the base that isn't there."""
        for nearest, gone in (
            ("dc=org", True),
            ("DC=org", True),
            ("ou=people,dc=org", False),
            ("OU=People,dc=org", False),
            ("ou=x,ou=people,dc=org", False),
            ("dc=com", False),
            ("", False),
            ("whatever", False),
        ):
            error = LdapError(ResultCode.NO_SUCH_OBJECT, "", nearest)
            self.assertEqual(gone, _ends_above("ou=people,dc=org", error), nearest)
        other = LdapError(ResultCode.INVALID_DN_SYNTAX, "", "dc=org")
        self.assertFalse(_ends_above("ou=people,dc=org", other))

    def test_not_unique(self) -> None:
        """A constraint may be that a value is unique."""
        for reason in (
            "some attributes not unique",
            "000021C8: AtrErr: DSID-03200BBA",
        ):
            error = LdapError(ResultCode.CONSTRAINT_VIOLATION, reason)
            self.assertIsInstance(told(error, "to do it"), Uniqueness)

    def failing(self, raised: Exception, *, writing: bool = False) -> ScimError:
        """Give what is raised instead."""

        def fail() -> None:
            with translated("to do it", writing=writing):
                raise raised

        told: ScimError = self.assertRaises(ScimError, fail)
        return told

    def test_translated(self) -> None:
        """No answer is 503, and for a write a doubt; what a client may know stays as it is."""
        lost = self.failing(ConnectionLost("it was lost"))
        self.assertIsInstance(lost, Unavailable)
        self.assertEqual("to do it: it was lost", lost.detail)
        self.assertIsInstance(lost.__cause__, ConnectionLost)
        late = self.failing(TimedOut("too late"), writing=True)
        self.assertIsInstance(late, Unavailable)
        self.assertTrue(late.detail.endswith("whether it was carried out isn't known"), late.detail)
        gone = NotFound("x")
        self.assertIs(gone, self.failing(gone))
        taken = self.failing(LdapError(ResultCode.ENTRY_ALREADY_EXISTS, ""))
        self.assertIsInstance(taken, Uniqueness)
