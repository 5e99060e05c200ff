"""What a signed token says, and whose signature it bears: hostile tokens above all."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from twisted.trial.unittest import SynchronousTestCase

from scimgw.auth import keys
from scimgw.auth.chain import Credentials
from scimgw.auth.keys import ASYMMETRIC, HMAC, Key
from scimgw.auth.signed import LONGEST, check_signature, fitting, read, told
from scimgw.errors import InvalidToken
from tests.auth.tokens import (
    CURVES,
    ED25519,
    OCT,
    OTHER_RSA,
    RSA,
    SECRET,
    compact,
    encoded,
    pem,
    public,
    token,
)

CLAIMS = {"iss": "https://issuer.example", "sub": "somebody"}
RS384 = b'{"alg":"RS384"}'
ALL = frozenset({*HMAC, *ASYMMETRIC})


class SignedCase(SynchronousTestCase):
    """Verifies tokens."""

    keys: Sequence[Key] = (keys.of_pem(pem(RSA)),)

    def verify(self, text: str, algorithms: frozenset[str] = ALL) -> object:
        """Read a token, check its signature, and give what it says."""
        presented = read(text)
        if presented is None:
            raise InvalidToken("not signed")
        check_signature(presented, fitting(self.keys, presented, algorithms))
        return presented.claims

    def refused(self, text: str, algorithms: frozenset[str] = ALL) -> str:
        """Check that a token is refused, and tell why."""
        detail: str = self.assertRaises(InvalidToken, self.verify, text, algorithms).detail
        return detail


class AlgorithmTests(SignedCase):
    """Each algorithm."""

    def test_each(self) -> None:
        """A token of each algorithm is good with its key, and with no other's."""
        owners = {
            **{name: (OCT, keys.of_secret(SECRET.encode())) for name in HMAC},
            **dict.fromkeys(
                ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
                (RSA, keys.of_pem(pem(RSA))),
            ),
            **{name: (key, keys.of_pem(pem(key))) for name, key in CURVES.items()},
            **dict.fromkeys(("EdDSA", "Ed25519"), (ED25519, keys.of_pem(pem(ED25519)))),
        }
        self.assertEqual(ALL, owners.keys())
        for name, (private, key) in owners.items():
            self.keys = [key]
            signed = token(private, CLAIMS, name)
            self.assertEqual(CLAIMS, self.verify(signed))
            self.refused(signed, ALL - {name})
            self.keys = [each for _, each in owners.values() if each != key]
            self.refused(signed)

    def test_types(self) -> None:
        """Access tokens of either spelling let in, tokens for something else don't."""
        for type in ("JWT", "jwt", "at+jwt", "application/jwt", "application/AT+jwt"):
            self.assertEqual(CLAIMS, self.verify(token(RSA, CLAIMS, typ=type)))
        for wrong in ("logout+jwt", "dpop+jwt", "", 5, None, ["JWT"]):
            self.refused(token(RSA, CLAIMS, typ=wrong))


class HostileTests(SignedCase):
    """What somebody may try."""

    def test_none(self) -> None:
        """A token without a signature is refused, however it says so."""
        for name in ("none", "None", "NONE", "nOnE", "none "):
            content = f"{encoded(json.dumps({'alg': name}).encode())}.{encoded(b'{}')}"
            self.refused(content + ".")
            self.refused(f"{content}.{encoded(b'x')}")
            self.refused(token(RSA, CLAIMS, alg=name))

    def test_public_key_as_secret(self) -> None:
        """What everybody knows is no secret, whatever form it has."""
        der = pem_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        for secret in (pem(RSA), pem(RSA).strip(), der):
            content = f"{encoded(json.dumps({'alg': 'HS256'}).encode())}.{encoded(b'{}')}"
            mac = hmac.new(secret, content.encode(), hashlib.sha256).digest()
            self.refused(f"{content}.{encoded(mac)}")

    def test_another_key(self) -> None:
        """Another's signature is none, be its key in the token itself."""
        for header in (
            {},
            {"jwk": public(OTHER_RSA)},
            {"jku": "https://evil.example/keys"},
            {"x5u": "https://evil.example/cert"},
            {"x5c": ["AAAA"]},
        ):
            self.refused(token(OTHER_RSA, CLAIMS, **header))
            self.assertEqual(CLAIMS, self.verify(token(RSA, CLAIMS, **header)))

    def test_tampered(self) -> None:
        """Not a letter can be changed."""
        signed = token(RSA, CLAIMS)
        header, payload, signature = signed.split(".")
        other = encoded(json.dumps({**CLAIMS, "sub": "root"}).encode())
        for text in (
            f"{header}.{other}.{signature}",
            f"{header}.{payload}.",
            f"{header}.{payload}.{signature[:-4]}",
            f"{header}.{payload}.{'A' * len(signature)}",
            f"{header}.{payload}.{signature}.{signature}",
            f"{encoded(RS384)}.{payload}.{signature}",
        ):
            self.refused(text)

    def test_kid(self) -> None:
        """A kid is a name to be compared, and nothing else."""
        self.keys = keys.of_set({"keys": [public(RSA, kid="one"), public(OTHER_RSA, kid="two")]})
        self.assertEqual(CLAIMS, self.verify(token(RSA, CLAIMS, kid="one")))
        for kid in (
            "two",
            "",
            "ONE",
            "../../../../dev/null",
            "/etc/passwd",
            "one' OR '1'='1",
            "one\0",
            "https://evil.example/key",
            "x" * 256,
            5,
            ["one"],
            {"a": "one"},
        ):
            self.refused(token(RSA, CLAIMS, kid=kid))
        self.refused(token(RSA, CLAIMS))  # two keys may have signed it
        self.keys = self.keys[:1]
        self.assertEqual(CLAIMS, self.verify(token(RSA, CLAIMS)))

    def test_critical(self) -> None:
        """What a header demands to be understood isn't passed over, known or not."""
        critical: list[dict[str, Any]] = [
            {"crit": ["x"], "x": 1},
            {"crit": []},
            {"crit": ["b64"], "b64": True},
        ]
        for more in critical:
            self.refused(token(RSA, CLAIMS, **more))
        self.refused(token(RSA, CLAIMS, b64=False))

    def test_two_readings(self) -> None:
        """What two readers might read differently is refused."""
        self.refused(compact('{"alg":"RS256","alg":"RS256"}', CLAIMS, RSA))
        self.refused(token(RSA, b'{"iss":"a","iss":"b"}'))

    def test_malformed(self) -> None:
        """What is no token is none."""
        for claims in (b"", b"[]", b"5", b"null", b"\xff", b"{" * 5000, b'{"exp":1e999,}'):
            self.assertIsNone(read(token(RSA, claims)))
        for text in ("", "a", "a.b", "a.b.c", "..", "....", "a.b.c.d.e", "é.é.é", "=.=.="):
            self.assertIsNone(read(text))
        for header in ("{}", '{"alg":null}', '{"alg":5}', '{"alg":["RS256"]}'):
            self.refused(compact(header, CLAIMS, RSA))

    def test_large(self) -> None:
        """A token has an end."""
        self.assertIn("8192", self.refused("x" * (LONGEST + 1)))
        self.refused(token(RSA, {**CLAIMS, "x": "y" * LONGEST}))


class ToldTests(SynchronousTestCase):
    """What the log repeats of a token."""

    def test_told(self) -> None:
        """Who has signed it, for whom and when is told, and neither its subject nor itself."""
        claims = {"iss": "me", "aud": ["a", "b"], "sub": "somebody", "exp": 5, "nbf": {}, "x": "y"}
        claims |= {"alg": "none", "kid": "2"}  # these are said by the header
        expected = "the token says alg 'RS256', kid '1', iss 'me', aud ['a', 'b'], exp 5"
        self.assertEqual(expected, told(Credentials("bearer", token(RSA, claims, kid="1"))))

    def test_hostile(self) -> None:
        """It is on one line, and commands no terminal; a long value is cut."""
        line = told(Credentials("bearer", token(RSA, {"iss": "\x1b\n\u2028" + "x" * 5000})))
        self.assertTrue(line.isprintable())
        self.assertLess(len(line), 300)

    def test_silent(self) -> None:
        """Nothing is repeated of what isn't a signed token."""
        signed = token(RSA, CLAIMS)
        for scheme, value in (("basic", signed), ("bearer", "a secret"), ("bearer", "x" * 9000)):
            self.assertEqual("", told(Credentials(scheme, value)))


def pem_key():  # type: ignore[no-untyped-def]  # noqa: ANN201 - cryptography's own
    """Give the public key itself."""
    return keys.of_pem(pem(RSA)).value
