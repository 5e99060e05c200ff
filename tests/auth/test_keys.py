"""Which keys there are, and what each is for."""

from __future__ import annotations

from typing import Any

import trustme
from joserfc.jwk import ECKey, OKPKey
from twisted.trial.unittest import SynchronousTestCase

from scimgw.auth import keys
from scimgw.auth.keys import HMAC
from tests.auth.tokens import CURVES, ED25519, OCT, RSA, WEAK_RSA, pem, public

RSA_ALGORITHMS = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}


class SecretTests(SynchronousTestCase):
    """Secrets."""

    def test_length(self) -> None:
        """A secret is for the algorithms whose digest isn't longer."""
        for length, names in ((32, {"HS256"}), (48, {"HS256", "HS384"}), (64, HMAC.keys())):
            self.assertEqual(names, keys.of_secret(b"x" * length).algorithms)
        self.assertRaises(ValueError, keys.of_secret, b"x" * 31)

    def test_known_to_everybody(self) -> None:
        """A public key is no secret."""
        for secret in (pem(RSA), b"ssh-rsa " + b"A" * 64):
            self.assertRaises(ValueError, keys.of_secret, secret)

    def test_hidden(self) -> None:
        """A key doesn't show itself."""
        self.assertNotIn("xxx", repr(keys.of_secret(b"x" * 32)))


class PemTests(SynchronousTestCase):
    """Files."""

    def test_kinds(self) -> None:
        """A key's kind tells its algorithms."""
        self.assertEqual(RSA_ALGORITHMS, keys.of_pem(pem(RSA)).algorithms)
        for name, key in CURVES.items():
            self.assertEqual({name}, keys.of_pem(pem(key)).algorithms)
        self.assertEqual({"EdDSA", "Ed25519"}, keys.of_pem(pem(ED25519)).algorithms)
        self.assertEqual({"EdDSA"}, keys.of_pem(pem(OKPKey.generate_key("Ed448"))).algorithms)

    def test_certificate(self) -> None:
        """A certificate's key is taken."""
        certificate = trustme.CA().issue_cert("issuer@example.com").cert_chain_pems[0].bytes()
        self.assertEqual({"ES256"}, keys.of_pem(certificate).algorithms)

    def test_unfit(self) -> None:
        """What is no public key, or a weak one, or of an unknown kind is refused."""
        other = ECKey.generate_key("secp256k1")
        for content in (
            b"",
            b"x",
            RSA.as_pem(private=True),
            pem(WEAK_RSA),
            pem(other),
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ):
            self.assertRaises(ValueError, keys.of_pem, content)


class SetTests(SynchronousTestCase):
    """What issuers publish."""

    def names(self, *members: Any) -> list[str | None]:
        """Name the keys that are taken."""
        return [each.id for each in keys.of_set({"keys": list(members)})]

    def test_kinds(self) -> None:
        """Keys of every kind are taken, for what they are for."""
        members = [public(RSA, kid="r"), public(CURVES["ES384"], kid="e"), public(ED25519, kid="o")]
        found = keys.of_set({"keys": members})
        self.assertEqual(["r", "e", "o"], [each.id for each in found])
        expected = [RSA_ALGORITHMS, {"ES384"}, {"EdDSA", "Ed25519"}]
        self.assertEqual(expected, [each.algorithms for each in found])

    def test_narrowed(self) -> None:
        """A key that says which algorithm it is for is for no other."""
        (key,) = keys.of_set({"keys": [public(RSA, alg="PS256", use="sig", key_ops=["verify"])]})
        self.assertEqual({"PS256"}, key.algorithms)

    def test_left_out(self) -> None:
        """What verifies no token doesn't disturb what does."""
        good = public(RSA, kid="good")
        for bad in (
            public(RSA, use="enc"),
            public(RSA, key_ops=["encrypt"]),
            public(RSA, key_ops=5),
            public(RSA, alg="ES256"),
            public(RSA, alg="HS256"),
            public(RSA, alg=5),
            public(WEAK_RSA),
            OCT.as_dict(),
            {"kty": "RSA"},
            {"kty": "RSA", "n": 5, "e": []},
            {"kty": "RSA", "n": "!!", "e": "AQAB"},
            {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
            {"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"},
            {"kty": "OKP", "crv": "X25519", "x": "A" * 43},
            {"kty": "XYZ"},
            {"kty": ["RSA"]},
            {},
            5,
            None,
        ):
            self.assertEqual(["good"], self.names(bad, good), bad)

    def test_private(self) -> None:
        """Of a private key that somebody publishes only what is public is read."""
        (key,) = keys.of_set({"keys": [RSA.as_dict(private=True)]})
        self.assertEqual(keys.of_pem(pem(RSA)).value, key.value)

    def test_names(self) -> None:
        """A name that isn't text is none."""
        self.assertEqual([None], self.names(public(RSA, kid=5)))

    def test_no_set(self) -> None:
        """What isn't a set of keys is refused."""
        others: list[Any] = [None, [], {}, {"keys": None}, {"keys": {}}, "keys"]
        for document in others:
            self.assertRaises(ValueError, keys.of_set, document)
