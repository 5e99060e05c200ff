"""Hashes that others have made."""

from __future__ import annotations

from typing import Final

from twisted.trial.unittest import SynchronousTestCase

from scimgw.config.foreign import kind
from scimgw.scrypt import Cost, Scrypt

BCRYPT: Final = "$2b$05$aaaaaaaaaaaaaaaaaaaaaOEqz3KoKH6bru/RRpFuAJrwlceiJnvGu"
SHA512: Final = (
    "$6$abc$K4v3HcZ8yAmpRfxML6S46NCcqy9r4/KdbQpFvqSWsBf4dgySOEOo1DHJTrmn2BsJK2aNmPN8Tfb826D2o9.z51"
)
ARGON2: Final = (
    "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21l$GpZ3sK/oH9p7VIiV56G/64Zo/8GaUw434IimaPqxwCo"
)
LDAP: Final = (
    "{SSHA512}5ZRHQFq8bt/nq3v0dOvBc2wAB4RVX8orrQ5BzIGr1U/nj0rOyYl"
    "VsIR/dHJw8i0wl1wyFXn31vmwAai8Uv3VwCBE6P2f8743"
)
HASHES: Final = (
    (BCRYPT, "a bcrypt"),
    ("{CRYPT}" + BCRYPT, "a bcrypt"),
    (ARGON2, "an argon2"),
    ("{ARGON2}" + ARGON2, "an argon2"),
    ("$1$abc$OGyl6dDvZCDiGmIVbeuCq/", "an MD5-crypt"),
    ("$apr1$u3iP.1bC$BMdGJYT.BpyGEl8gN0vuS0", "an MD5-crypt"),
    ("$5$rounds=5000$abc$sCOGUciM.GdmYMCUvmUcgu03oRH87O0clF96.9mwWGB", "a SHA-256-crypt"),
    (SHA512, "a SHA-512-crypt"),
    (
        "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$6foLM1JhGupouWKMU70wxK61Kw9ZnecbACjJwRadqM2",
        "a yescrypt",
    ),
    (
        "$pbkdf2-sha256$1$6h1DaE0JQWhNCcGY8977/w$3d6gDI571ySsr2GRRPMcfL03N/PPVwert8mZGmZPHik",
        "a PBKDF2",
    ),
    ("pbkdf2_sha256$1$zLhzPMLRrCpP$Ngllkyo2+WROAbd7adsj8TuLLDBNjmQHdEKzwqBviUo=", "a PBKDF2"),
    ("{SSHA}vqcNleqlmSIlRFDp8CumzMbVN/aGUGqN", "an LDAP"),
    (LDAP, "an LDAP"),
    ("{MD5}CY9rzUYh03PK3k6DJie09g==", "an LDAP"),
)


class KindTests(SynchronousTestCase):
    """`kind`."""

    def test_hashes(self) -> None:
        """A hash is known by its whole form, whatever made it."""
        for hash, expected in HASHES:
            self.assertEqual(expected, kind(hash), hash)

    def test_passwords(self) -> None:
        """What only begins as a hash may be a password, and what goes on behind one as well."""
        for hash, _ in HASHES:
            for text in (hash[:24], hash + "!", " " + hash, hash + "\n"):
                self.assertIsNone(kind(text), text)
        for text in (
            "",
            "{SSHA}",
            "{x}secret",
            "$6$",
            "$2b$12$secret",
            "$argon2id$",
            "{SHA}secret",
        ):
            self.assertIsNone(kind(text), text)

    def test_own(self) -> None:
        """The hash that can be verified is none of them."""
        self.assertIsNone(kind(str(Scrypt.made(b"x", bytes, Cost(1, 1, 1)))))
