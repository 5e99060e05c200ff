"""Where does a directory keep whether an account is active?

Active Directory in a bit of `userAccountControl`; OpenLDAP, with its password policy, in
`pwdAccountLockedTime` (draft-behera-ldap-password-policy section 5.3.3).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from attrs import frozen
from ldaptor.protocols import pureldap

DISABLED: Final = 0x2
"""ACCOUNTDISABLE of userAccountControl."""
LOCKED_OUT: Final = 0x10
"""LOCKOUT: taken away when an account is enabled."""
NORMAL: Final = 0x200
"""NORMAL_ACCOUNT."""
FOR_EVER: Final = b"000001010000Z"
"""Locked until an administrator unlocks it."""
_BIT_AND: Final = b"1.2.840.113556.1.4.803"


@frozen(kw_only=True)
class Account:
    """How one attribute tells, of its raw values.

    `active` reads it; `changed` gives the values that say otherwise, or the same ones; `filter`
    selects by it.
    """

    active: Callable[[Sequence[bytes]], bool]
    changed: Callable[[Sequence[bytes], bool], tuple[bytes, ...]]
    filter: Callable[[bool], Any]


def account_of(name: str) -> Account | None:
    """Tell how an attribute says whether an account is active, None if it doesn't."""
    return _ACCOUNTS.get(name.lower())


def _bits(values: Sequence[bytes]) -> int:
    return int(values[0]) if values else NORMAL


def _bits_changed(values: Sequence[bytes], active: bool) -> tuple[bytes, ...]:  # noqa: FBT001 - a value
    bits = _bits(values)
    after = bits & ~(DISABLED | LOCKED_OUT) if active else bits | DISABLED
    return (b"%d" % after,)


def _bit_filter(active: bool) -> Any:  # noqa: FBT001 - a value
    disabled = pureldap.LDAPFilter_extensibleMatch(
        matchingRule=_BIT_AND,
        type=b"userAccountControl",
        matchValue=b"%d" % DISABLED,
        dnAttributes=None,
    )
    return pureldap.LDAPFilter_not(disabled) if active else disabled


def _lock_filter(active: bool) -> Any:  # noqa: FBT001 - a value
    locked = pureldap.LDAPFilter_equalityMatch(
        attributeDesc=pureldap.LDAPAttributeDescription(b"pwdAccountLockedTime"),
        assertionValue=pureldap.LDAPAssertionValue(FOR_EVER),
    )
    return pureldap.LDAPFilter_not(locked) if active else locked


def _lock_changed(values: Sequence[bytes], active: bool) -> tuple[bytes, ...]:  # noqa: FBT001 - a value
    if active:
        return ()
    return (FOR_EVER,) if FOR_EVER not in values else tuple(values)


_ACCOUNTS: Final = {
    "useraccountcontrol": Account(
        active=lambda values: not _bits(values) & DISABLED,
        changed=_bits_changed,
        filter=_bit_filter,
    ),
    "pwdaccountlockedtime": Account(
        active=lambda values: FOR_EVER not in values,
        changed=_lock_changed,
        filter=_lock_filter,
    ),
}
