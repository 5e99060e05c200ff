"""Which certificates lead from one to its root?"""

from __future__ import annotations

from collections.abc import Iterable

from cryptography import x509
from cryptography.exceptions import InvalidSignature


def chain(
    certificate: x509.Certificate, others: Iterable[x509.Certificate]
) -> tuple[x509.Certificate, ...]:
    """Give those of some certificates that lead to the root, in order (RFC 8446 section 4.4.2).

    In whichever order they are, and whatever else is among them.  The root itself is left out:
    whoever trusts it has it.
    """
    left = [each for each in dict.fromkeys(others) if each != certificate]
    found: list[x509.Certificate] = []
    last = certificate
    while (issuer := next((each for each in left if issued(each, last)), None)) is not None:
        left.remove(issuer)
        if issued(issuer, issuer):
            break
        found.append(issuer)
        last = issuer
    return tuple(found)


def issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    """Whether one certificate has signed another."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
