"""What does Active Directory want to be told that SCIM doesn't say?

Passwords as quoted UTF-16, account names by its rules, a new account's state, and a country three
times over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import iso3166

from connectors.ldap import dn as dns
from connectors.ldap.account import DISABLED, NORMAL
from scimgw.errors import InvalidValue

Attributes = dict[str, tuple[bytes, ...]]
"""Raw values by the attribute's name, in lower case."""

PASSWORD: Final = "unicodepwd"  # noqa: S105 - a name
ACCOUNT_NAME: Final = "samaccountname"
PRINCIPAL_NAME: Final = "userprincipalname"
CONTROL: Final = "useraccountcontrol"
COUNTRY: Final = ("c", "co", "countrycode")
_FORBIDDEN: Final = re.compile(r'["/\\\[\]:;|=,+*?<>@\0-\x1f]')
_LONGEST_NAME: Final = 20
"""Characters of a user's sAMAccountName."""


def password(text: str) -> bytes:
    """Write a password as `unicodePwd` takes it (MS-ADTS section 3.1.1.3.1.5.1)."""
    return f'"{text}"'.encode("utf-16-le")


def check_account_name(name: str) -> None:
    """Refuse what can't be a user's sAMAccountName.

    Raises: InvalidValue.
    """
    if len(name) > _LONGEST_NAME:
        raise InvalidValue(
            f"sAMAccountName can't be longer than {_LONGEST_NAME} characters, as {name!r} is"
        )
    found = _FORBIDDEN.search(name)
    if found is not None or name.endswith(".") or not name.strip():
        what = f"hold {found[0]!r}" if found else "end in a dot"
        raise InvalidValue(f"sAMAccountName can't {what}, as {name!r} does")


def check_principal_name(name: str) -> None:
    """Refuse what can't be a userPrincipalName.

    Raises: InvalidValue.
    """
    prefix, at, suffix = name.partition("@")
    if not (prefix and at and suffix) or "@" in suffix or name != name.strip():
        raise InvalidValue(f"userPrincipalName must be name@domain, not {name!r}")


def check(attributes: Mapping[str, tuple[bytes, ...]]) -> None:
    """Check the names in attributes that are about to be written.

    Raises: InvalidValue.
    """
    for name, rule in ((ACCOUNT_NAME, check_account_name), (PRINCIPAL_NAME, check_principal_name)):
        for value in attributes.get(name, ()):
            rule(value.decode())


def new_user(
    attributes: Mapping[str, tuple[bytes, ...]],
    name: str,
    base: str,
    *,
    active: bool,
    change: bool,
) -> Attributes:
    """Complete a new user: the state of the account, and its names.

    Without a password the account is disabled, since it could be used without one.  `change` is
    whether the password must be changed by the user.
    """
    with_password = PASSWORD in attributes
    state = NORMAL if active and with_password else NORMAL | DISABLED
    account = attributes.get(ACCOUNT_NAME, (name.encode(),))
    completed = {ACCOUNT_NAME: account, **attributes, CONTROL: (b"%d" % state,)}
    completed.setdefault(PRINCIPAL_NAME, (_principal(account[0], attributes, base),))
    if with_password and change:
        completed["pwdlastset"] = (b"0",)
    return completed


def _principal(account: bytes, attributes: Mapping[str, tuple[bytes, ...]], base: str) -> bytes:
    """Give the user principal name: the e-mail address, else the account's in the domain."""
    for mail in attributes.get("mail", ()):
        with suppress(InvalidValue):
            check_principal_name(mail.decode())
            return mail
    labels = [value for name in dns.parse(base) for kind, value in name if kind.lower() == "dc"]
    return account + f"@{'.'.join(labels)}".encode()


def with_country(attributes: Mapping[str, tuple[bytes, ...]], mapped: frozenset[str]) -> Attributes:
    """Say a country in all three ways, where it is said in one of them.

    `mapped` are the ways that are mapped themselves, which are left as the client says.

    Raises: InvalidValue, if there is no such country.
    """
    said = next((attributes[name] for name in COUNTRY if name in attributes), None)
    if said is None:
        return dict(attributes)
    forms = _forms(said[0].decode()) if said else dict(zip(COUNTRY, ((), (), (b"0",)), strict=True))
    others = {name: value for name, value in forms.items() if name not in mapped}
    return {**attributes, **others}


def _forms(country: str) -> Attributes:
    try:
        found = iso3166.countries.get(country)
    except KeyError:
        raise InvalidValue(
            f"country {country!r} isn't one of ISO 3166-1, by name or code"
        ) from None
    code = b"%d" % int(found.numeric)
    return {
        "c": (found.alpha2.encode(),),
        "co": (found.apolitical_name.encode(),),
        "countrycode": (code,),
    }
