"""Which hash, of those that can't be verified here, is a text?

Only whole hashes count, with all their parts as long as their scheme makes them, since a password
may begin with anything.

    crypt(3)    "$2b$12$" salt and hash, "$6$" salt "$" hash, "$y$" ..., and kin
    argon2      PHC strings, as in https://github.com/P-H-C/phc-string-format
    PBKDF2      "$pbkdf2-sha256$" as passlib, "pbkdf2_sha256$" as Django writes it
    LDAP        "{SSHA}" base64 and kin (RFC 2307 section 5.3), or one of the above after "{...}"
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_B64: Final = "[A-Za-z0-9+/]"
_KINDS: Final[Mapping[str, re.Pattern[str]]] = {
    kind: re.compile(pattern)
    for kind, pattern in {
        "a bcrypt": r"\$2[abxy]?\$[0-3][0-9]\$[./A-Za-z0-9]{53}",
        "an argon2": r"\$argon2(id|i|d)\$(v=\d{1,3}\$)?m=\d{1,10},t=\d{1,10},p=\d{1,10}"
        rf"(,keyid={_B64}*)?(,data={_B64}*)?\${_B64}{{11,}}\${_B64}{{16,}}",
        "an MD5-crypt": r"\$(1|apr1)\$[^$]{0,8}\$[./A-Za-z0-9]{22}",
        "a SHA-256-crypt": r"\$5\$(rounds=\d{1,9}\$)?[^$]{0,16}\$[./A-Za-z0-9]{43}",
        "a SHA-512-crypt": r"\$6\$(rounds=\d{1,9}\$)?[^$]{0,16}\$[./A-Za-z0-9]{86}",
        "a yescrypt": r"\$g?y\$[./A-Za-z0-9]+\$[./A-Za-z0-9]{0,86}\$[./A-Za-z0-9]{43}",
        "a PBKDF2": r"((\$pbkdf2(-sha\d{1,3})?|pbkdf2_sha\d{1,3})\$|(?i:\{PBKDF2(-SHA\d{1,3})?\}))"
        r"\d{1,10}\$[^$]+\$[./+A-Za-z0-9]{27,}={0,2}",
        "an LDAP": rf"(?i:\{{S?(SHA(-?(224|256|384|512))?|MD5)\}}){_B64}{{22,}}={{0,2}}",
    }.items()
}
_NAMED: Final = re.compile(r"\{[A-Za-z0-9-]{1,20}\}")
"""The name of a scheme, as OpenLDAP puts it before what crypt(3) and others make."""


def kind(text: str) -> str | None:
    """Tell the kind of a hash with its article, None if the text isn't one."""
    scheme = _NAMED.match(text)
    bare = text if scheme is None else text[scheme.end() :]
    for named, pattern in _KINDS.items():
        if pattern.fullmatch(text) or pattern.fullmatch(bare):
            return named
    return None
