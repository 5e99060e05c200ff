"""By what an entry is known."""

from __future__ import annotations

from uuid import UUID

from twisted.trial.unittest import SynchronousTestCase

from connectors.ldap import filtertext
from connectors.ldap.identity import Identity, extended, is_dn
from scimgw.errors import Unavailable
from tests.connectors.ldap.samples import entry

ID = "01020304-0506-0708-090a-0b0c0d0e0f10"
OCTETS = UUID(ID).bytes_le


class IdentityTests(SynchronousTestCase):
    """DNs, entryUUIDs, objectGUIDs."""

    def test_of(self) -> None:
        """Each is read in its form."""
        found = entry("cn=x", entryuuid=[ID.encode()], objectguid=[OCTETS])
        self.assertEqual(
            ["cn=x", ID, ID],
            [each.of(found) for each in (Identity.DN, Identity.ENTRY_UUID, Identity.OBJECT_GUID)],
        )

    def test_missing(self) -> None:
        """A directory that doesn't tell can't be worked with."""
        for each in (Identity.ENTRY_UUID, Identity.OBJECT_GUID):
            error = self.assertRaises(Unavailable, each.of, entry("cn=x"))
            self.assertIn(each.value, error.detail)

    def test_selecting(self) -> None:
        """Entries are found by their ids; what can't be an id finds none, in whatever form."""
        guid = "".join(f"\\{octet:02x}" for octet in OCTETS)
        nothing = "(!(objectClass=*))"
        for identity, ids, text in (
            (Identity.DN, ["cn=x"], "(entryDN=cn=x)"),
            (Identity.DN, ["cn=a", "cn=(b)"], r"(|(entryDN=cn=a)(entryDN=cn=\28b\29))"),
            (Identity.DN, ["nobody", ""], nothing),
            (Identity.ENTRY_UUID, [ID, "x"], f"(entryuuid={ID})"),
            (Identity.ENTRY_UUID, [ID.replace("-", "")], nothing),
            (Identity.ENTRY_UUID, [f"{{{ID}}}", ID[:-2] + "FF"], nothing),
            (Identity.OBJECT_GUID, [ID], f"(objectguid={guid})"),
        ):
            found = identity.selecting(ids, open_ldap=True)
            self.assertEqual(filtertext.parse(text).toWire(), found.toWire(), ids)
        ad = Identity.DN.selecting(["cn=x"], open_ldap=False)
        self.assertEqual(filtertext.parse("(distinguishedName=cn=x)").toWire(), ad.toWire())

    def test_is_dn(self) -> None:
        """The empty name is that of no entry."""
        self.assertEqual([True, False, False], [is_dn("cn=x"), is_dn(""), is_dn("x")])

    def test_extended(self) -> None:
        """The GUID beside a DN is found, with a SID between or without."""
        for sid in ("", "<SID=S-1-5-21-1>;"):
            self.assertEqual((ID, "CN=x;y"), extended(f"<GUID={ID}>;{sid}CN=x;y"))
        self.assertRaises(ValueError, extended, "CN=x")
