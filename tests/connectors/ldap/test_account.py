"""Whether an account is active, in a directory's terms."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from connectors.ldap import filtertext
from connectors.ldap.account import FOR_EVER, Account, account_of


def account(name: str) -> Account:
    """Give what is known of an attribute."""
    found = account_of(name)
    assert found is not None
    return found


class BitsTests(SynchronousTestCase):
    """userAccountControl of Active Directory."""

    def test_read(self) -> None:
        """One bit tells; nothing at all means that it is active."""
        control = account("userAccountControl")
        for raws, active in (([b"512"], True), ([b"514"], False), ([b"66050"], False), ([], True)):
            self.assertEqual(active, control.active(raws), raws)

    def test_changed(self) -> None:
        """To disable twice disables; other bits stay; to enable takes the lock away too."""
        control = account("USERACCOUNTCONTROL")
        for before, active, after in (
            (b"512", False, b"514"),
            (b"514", False, b"514"),
            (b"514", True, b"512"),
            (b"512", True, b"512"),
            (b"66050", True, b"66048"),
            (b"530", True, b"512"),
        ):
            self.assertEqual((after,), control.changed([before], active), (before, active))


class LockTests(SynchronousTestCase):
    """pwdAccountLockedTime of OpenLDAP's password policy."""

    def test_read(self) -> None:
        """Only a lock for ever is a disabled account: others pass by themselves."""
        lock = account("pwdAccountLockedTime")
        for raws, active in (([], True), ([FOR_EVER], False), ([b"20260101000000Z"], True)):
            self.assertEqual(active, lock.active(raws), raws)

    def test_changed(self) -> None:
        """A lock is set, kept, or taken away."""
        lock = account("pwdAccountLockedTime")
        self.assertEqual((FOR_EVER,), lock.changed([], False))
        self.assertEqual((FOR_EVER,), lock.changed([FOR_EVER], False))
        self.assertEqual((), lock.changed([FOR_EVER], True))

    def test_filter(self) -> None:
        """Accounts are found by it."""
        locked = "(pwdAccountLockedTime=000001010000Z)"
        lock = account("pwdAccountLockedTime")
        for active, text in ((False, locked), (True, f"(!{locked})")):
            self.assertEqual(filtertext.parse(text).toWire(), lock.filter(active).toWire())

    def test_others(self) -> None:
        """No other attribute tells."""
        self.assertIsNone(account_of("uid"))
