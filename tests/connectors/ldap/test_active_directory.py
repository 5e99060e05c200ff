"""What Active Directory wants to be told."""

from __future__ import annotations

from collections.abc import Mapping

from twisted.trial.unittest import SynchronousTestCase

from connectors.ldap import active_directory as ad
from scimgw.errors import InvalidValue

BASE = "OU=people,DC=ad,DC=test"


class NameTests(SynchronousTestCase):
    """sAMAccountName, userPrincipalName, passwords."""

    def test_account_names(self) -> None:
        """At most twenty characters, none of those that mean something elsewhere."""
        for name in ("bjensen", "o'brien", "a.b", "x" * 20, "Åse"):
            ad.check_account_name(name)
        for name in ("x" * 21, "a*b", "a@b", "a/b", "a.", " ", "a\0b", 'a"b', "[a]", "a,b"):
            error = self.assertRaises(InvalidValue, ad.check_account_name, name)
            self.assertIn("sAMAccountName", error.detail)

    def test_principal_names(self) -> None:
        """A name and a domain."""
        ad.check_principal_name("a.b@example.com")
        for name in ("a", "a@", "@b", "a@b@c", " a@b"):
            self.assertRaises(InvalidValue, ad.check_principal_name, name)

    def test_password(self) -> None:
        """A password is quoted, and in UTF-16."""
        self.assertEqual('"é"'.encode("utf-16-le"), ad.password("é"))


class NewUserTests(SynchronousTestCase):
    """How a new user is completed."""

    def new(
        self,
        attributes: Mapping[str, tuple[bytes, ...]],
        *,
        active: bool = True,
        change: bool = True,
    ) -> ad.Attributes:
        """Complete a user."""
        return ad.new_user(attributes, "bjensen", BASE, active=active, change=change)

    def test_without_password(self) -> None:
        """Without a password the account is disabled, whatever the client says."""
        self.assertEqual(
            {
                "samaccountname": (b"bjensen",),
                "useraccountcontrol": (b"514",),
                "userprincipalname": (b"bjensen@ad.test",),
            },
            self.new({}),
        )

    def test_with_password(self) -> None:
        """With one it is as the client says; the password is to be changed, if configured so."""
        secret = {ad.PASSWORD: (b"x",)}
        found = self.new(secret)
        self.assertEqual(((b"512",), (b"0",)), (found["useraccountcontrol"], found["pwdlastset"]))
        self.assertEqual((b"514",), self.new(secret, active=False)["useraccountcontrol"])
        self.assertNotIn("pwdlastset", self.new(secret, change=False))

    def test_names(self) -> None:
        """What is given stays; an e-mail address is the principal name, if it can be one."""
        given = {"samaccountname": (b"babs",), "mail": (b"b@example.com",)}
        self.assertEqual((b"b@example.com",), self.new(given)["userprincipalname"])
        odd = {"samaccountname": (b"babs",), "mail": (b"none",)}
        self.assertEqual((b"babs@ad.test",), self.new(odd)["userprincipalname"])
        named = {"userprincipalname": (b"x@y",)}
        self.assertEqual((b"x@y",), self.new(named)["userprincipalname"])


class CountryTests(SynchronousTestCase):
    """A country, three times over."""

    def test_said_thrice(self) -> None:
        """By name or by code, the other forms follow; what is mapped stays as it was said."""
        for name in ("Norway", "NO", "nor", "578"):
            found = ad.with_country({"co": (name.encode(),)}, frozenset({"co"}))
            self.assertEqual(
                {"co": (name.encode(),), "c": (b"NO",), "countrycode": (b"578",)}, found
            )
        found = ad.with_country({"c": (b"NO",)}, frozenset({"c"}))
        self.assertEqual((b"Norway",), found["co"])

    def test_cleared(self) -> None:
        """With one form the others go; the number is 0 then."""
        found = ad.with_country({"co": ()}, frozenset({"co"}))
        self.assertEqual({"co": (), "c": (), "countrycode": (b"0",)}, found)

    def test_unsaid(self) -> None:
        """Where no country is said, none is."""
        self.assertEqual({"l": (b"Oslo",)}, ad.with_country({"l": (b"Oslo",)}, frozenset({"co"})))

    def test_unknown(self) -> None:
        """What is no country is refused."""
        error = self.assertRaises(
            InvalidValue, ad.with_country, {"co": (b"Atlantis",)}, frozenset({"co"})
        )
        self.assertIn("Atlantis", error.detail)
