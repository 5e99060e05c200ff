"""Certificates that end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from twisted.logger import LogLevel
from twisted.trial.unittest import SynchronousTestCase

from scimgw.tls.expiry import EARLY, endings, title
from tests.tls.papers import DAY, root

SECOND = timedelta(seconds=1)


class EndingsTests(SynchronousTestCase):
    """What is said, and when."""

    def test_one(self) -> None:
        """Nothing while there is time; a warning for thirty days; then, and before, an error."""
        material = root().issue("x", life=(-DAY, 90 * DAY)).material()
        begin = material.certificate.not_valid_before_utc
        end = material.certificate.not_valid_after_utc
        on = f"{end:%Y-%m-%d}"
        for now, expected in (
            (begin, []),
            (end - EARLY, []),
            (end - EARLY + SECOND, [(LogLevel.warn, f"expires on {on}, in 29 days")]),
            (end - SECOND, [(LogLevel.warn, f"expires on {on}, in 0 days")]),
            (end, [(LogLevel.error, f"has expired on {on}")]),
            (
                begin - SECOND,
                [(LogLevel.error, f"isn't valid before {begin:%Y-%m-%d %H:%M} UTC")],
            ),
        ):
            said = [(each, f"the certificate CN=x,O=Example {text}") for each, text in expected]
            self.assertEqual(said, list(endings(material, now)))

    def test_all(self) -> None:
        """Whatever is shown, and whatever clients are held against, is looked at."""
        below = root().authority("below")
        clients = root("clients")
        material = below.issue("x").material(clients.certificate)
        later = datetime.now(UTC) + 400 * DAY
        said = [text.partition(" has expired")[0] for _, text in endings(material, later)]
        self.assertEqual(
            [
                "the certificate CN=x,O=Example",
                "the certificate CN=below,O=Example",
                "the certificate of clientCa CN=clients,O=Example",
            ],
            said,
        )

    def test_title(self) -> None:
        """A certificate's name stays on one line of the log, and commands no terminal."""
        name = title(root().issue("a\nb\x1b[2J").certificate)
        self.assertEqual("CN=a\\nb\\x1b[2J,O=Example", name)
