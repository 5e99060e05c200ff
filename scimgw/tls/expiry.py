"""Which certificates are about to end, or have ended?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from twisted.logger import LogLevel

from scimgw.tls.files import Material

EARLY: Final = timedelta(days=30)
"""How long before its end a certificate is spoken of."""


def endings(material: Material, now: datetime) -> Iterator[tuple[LogLevel, str]]:
    """Tell of each certificate that needs attention: how much, and in words for the log."""
    for kind, certificates in (
        ("certificate", (material.certificate, *material.chain)),
        ("certificate of clientCa", material.client_ca),
    ):
        for each in certificates:
            if (said := _said(each, now)) is not None:
                level, text = said
                yield level, f"the {kind} {title(each)} {text}"


def title(certificate: x509.Certificate) -> str:
    """Name a certificate by its subject, or else by its number, on one line."""
    subject = certificate.subject.rfc4514_string() or f"{certificate.serial_number:x}"
    return repr(subject)[1:-1]


def _said(certificate: x509.Certificate, now: datetime) -> tuple[LogLevel, str] | None:
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now >= end:
        return LogLevel.error, f"has expired on {end:%Y-%m-%d}"
    if now < begin:
        return LogLevel.error, f"isn't valid before {begin:%Y-%m-%d %H:%M} UTC"
    if end - now < EARLY:
        return LogLevel.warn, f"expires on {end:%Y-%m-%d}, in {(end - now).days} days"
    return None
