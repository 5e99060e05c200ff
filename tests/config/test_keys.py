"""Keys and where they come from."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from scimgw.config.keys import FILE, check, derive, secret
from scimgw.config.load import Configuration, Faults
from scimgw.secret import Secret


class DeriveTests(SynchronousTestCase):
    """HKDF."""

    def test_vector(self) -> None:
        """Keys are what HKDF-SHA-256 says (RFC 5869 appendix A.3: no salt, no info)."""
        self.assertEqual(
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d",
            derive(b"\x0b" * 22, "").hex(),
        )

    def test_purposes(self) -> None:
        """Each purpose has a key of its own."""
        self.assertNotEqual(derive(b"secret", "a"), derive(b"secret", "b"))


class SecretTests(SynchronousTestCase):
    """The secret that keys come from."""

    def setUp(self) -> None:
        """Begin with an empty folder."""
        self.folder = Path(self.mktemp())
        self.configuration = Configuration(plugins=(), data_directory=self.folder / "a" / "b")

    def test_configured(self) -> None:
        """A configured secret is used, and no file is made."""
        configuration = Configuration(
            plugins=(), data_directory=self.folder, secret_key=Secret("x" * 32)
        )
        self.assertEqual(b"x" * 32, secret(configuration))
        self.assertFalse(self.folder.exists())

    def test_made_once(self) -> None:
        """A secret is made where there is none, for its owner's eyes, and stays."""
        made = secret(self.configuration)
        self.assertEqual(32, len(made))
        self.assertEqual(made, secret(self.configuration))
        file = self.configuration.data_directory / FILE
        self.assertEqual(0o600, file.stat().st_mode & 0o777)
        self.assertEqual(0o700, file.parent.stat().st_mode & 0o777)
        self.assertEqual([file], list(file.parent.iterdir()))

    def test_others_are_faster(self) -> None:
        """Who loses the race takes what the winner made."""
        made = secret(self.configuration)
        file = self.configuration.data_directory / FILE
        exists = Path.exists
        self.patch(Path, "exists", lambda path: path != file and exists(path))
        self.assertEqual(made, secret(self.configuration))

    def test_faults(self) -> None:
        """What can't be written or read is a fault of the configuration."""
        self.folder.mkdir()
        (self.folder / "a").write_text("not a folder")
        fault = self.assertRaises(Faults, secret, self.configuration)
        self.assertIn("scimgw.json: $.dataDirectory: can't keep a key in", str(fault))

    def test_checked(self) -> None:
        """To look makes nothing, and finds nothing wrong where a key is or can be made."""
        check(self.configuration)
        self.assertFalse(self.folder.exists())
        made = secret(self.configuration)
        check(self.configuration)
        self.assertEqual(made, secret(self.configuration))
        check(
            Configuration(plugins=(), data_directory=Path("/dev/null"), secret_key=Secret("x" * 32))
        )

    def test_checked_in_vain(self) -> None:
        """To look tells what a start would: no folder, no right to write, no key."""
        self.folder.mkdir()
        access = os.access
        self.patch(os, "access", lambda path, mode: path != self.folder and access(path, mode))
        fault = self.assertRaises(Faults, check, self.configuration)
        self.assertIn("can't keep a key in", str(fault))
        self.assertIn("Permission denied", str(fault))
        (self.folder / "a").write_text("not a folder")
        fault = self.assertRaises(Faults, check, self.configuration)
        self.assertIn("Not a directory", str(fault))
        (self.folder / "a").unlink()
        secret(self.configuration)
        (self.configuration.data_directory / FILE).write_bytes(b"short")
        fault = self.assertRaises(Faults, check, self.configuration)
        self.assertIn("isn't a key of 32 bytes", str(fault))

    def test_not_a_key(self) -> None:
        """A file that was cut short isn't taken for a key."""
        secret(self.configuration)
        (self.configuration.data_directory / FILE).write_bytes(b"short")
        fault = self.assertRaises(Faults, secret, self.configuration)
        self.assertIn("isn't a key of 32 bytes", str(fault))
