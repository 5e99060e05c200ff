"""The way from a certificate to its root."""

from __future__ import annotations

from itertools import permutations

from twisted.trial.unittest import SynchronousTestCase

from scimgw.tls.chain import chain
from tests.tls.papers import root


class ChainTests(SynchronousTestCase):
    """What is sent."""

    def test_order(self) -> None:
        """In whichever order certificates are given, each certifies the one before; no root."""
        top = root()
        middle = top.authority("middle")
        below = middle.authority("below")
        leaf = below.issue().certificate
        stranger = root("stranger").certificate
        expected = (below.certificate, middle.certificate)
        given = [leaf, top.certificate, middle.certificate, below.certificate, stranger]
        for some in permutations(given):
            self.assertEqual(expected, chain(leaf, some))

    def test_gap(self) -> None:
        """What isn't reached is left out."""
        top = root()
        below = top.authority("middle").authority("below")
        leaf = below.issue().certificate
        self.assertEqual((), chain(leaf, [top.certificate]))

    def test_same_name(self) -> None:
        """An authority of the same name with another key isn't taken for it."""
        top = root()
        real, other = top.authority("a"), top.authority("a")
        leaf = real.issue().certificate
        self.assertEqual((real.certificate,), chain(leaf, [other.certificate, real.certificate]))

    def test_self_signed(self) -> None:
        """What is its own root is sent alone."""
        only = root().certificate
        self.assertEqual((), chain(only, [only, only]))
