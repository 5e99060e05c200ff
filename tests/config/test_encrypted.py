"""Hashed and encrypted secrets in configuration files."""

from __future__ import annotations

import json
import os
import sys
from io import StringIO
from pathlib import Path
from typing import Any

from scimgw import secrets
from scimgw.config.hkdf import FILE, derive
from scimgw.config.load import load
from scimgw.scrypt import Cost, Scrypt
from scimgw.sealed import PURPOSE, seal
from scimgw.secret import Secret
from tests.config.test_foreign import ARGON2, BCRYPT, SHA512
from tests.config.test_load import LOKI, LoadCase, gateway

KEY = "k" * 32
SCHEME = "$scrypt$ln=17,r=8,p=1$"
HASH = f"{SCHEME}c2FsdHNhbHQ$MTIzNDU2Nzg5MDEyMzQ1Ng"


def encrypted(text: str, key: str = KEY) -> str:
    """Encrypt a secret under a secretKey."""
    return seal(Secret(text), derive(key.encode(), PURPOSE), os.urandom)


class EncryptedCase(LoadCase):
    """Has a plugin over a SCIM server, for which there are several secrets."""

    def restful(self, password: str, entity: Any, key: str | None = KEY, **main: Any) -> Path:
        """Write a folder."""
        basic = [{"username": "gwadmin", "password": password}]
        plugin = {
            "scimgateway": gateway(auth={"basic": basic}),
            "endpoint": {"entity": {"undefined": {"baseUrls": ["http://127.0.0.1:1"], **entity}}},
        }
        main = {"plugins": ["plugin-restful"], "secretKey": key, **main}
        return self.folder(scimgw=main, plugin_restful=plugin)


class OpenedTests(EncryptedCase):
    """What can be read."""

    def test_everywhere(self) -> None:
        """An encrypted secret is what it was, wherever a secret stands; clear ones stay clear."""
        entity = {
            "connection": {
                "baseUrls": ["http://127.0.0.1:1"],
                "auth": {
                    "type": "oauth",
                    "options": {
                        "clientId": "c",
                        "clientSecret": encrypted("cl13nt"),
                        "tokenUrl": "http://127.0.0.1:1",
                    },
                },
                "options": {"headers": {"X-Api-Key": encrypted("h34der"), "X-Other": "clear"}},
                "proxy": {"host": "http://127.0.0.1:1", "password": encrypted("pr0xy")},
            },
            "baseUrls": [],
        }
        (plugin,) = load(self.restful(encrypted("hunter2"), entity)).plugins
        self.assertEqual(Secret("hunter2"), plugin.gateway.auth.basic[0].password)
        connection = plugin.endpoint.entity["undefined"].connection
        self.assertEqual(Secret("cl13nt"), connection.auth.options.client_secret)
        self.assertEqual(Secret("pr0xy"), connection.proxy.password)
        expected = {"X-Api-Key": Secret("h34der"), "X-Other": Secret("clear")}
        self.assertEqual(expected, connection.options.headers)
        self.assertNotRegex(repr(plugin), "hunter2|cl13nt|h34der|pr0xy|clear")

    def test_key_of_the_data_directory(self) -> None:
        """Without a secretKey the key is that of the data directory, and none is made."""
        secret = bytes(range(32))
        sealed = seal(Secret("hunter2"), derive(secret, PURPOSE), os.urandom)
        folder = self.restful(sealed, {}, None, dataDirectory="data")
        (fault,) = self.faults(folder)
        self.assertIn("neither a secretKey nor a key in the data directory", fault)
        file = folder / "data" / FILE
        self.assertFalse(file.parent.exists())
        file.parent.mkdir()
        file.write_bytes(b"short")
        self.assertEqual([fault], self.faults(folder))
        file.write_bytes(secret)
        (plugin,) = load(folder).plugins
        self.assertEqual(Secret("hunter2"), plugin.gateway.auth.basic[0].password)

    def test_hash(self) -> None:
        """Passwords and tokens may be hashes, which may be encrypted as well."""
        auth = {
            "basic": [{"username": "a", "password": HASH}],
            "bearerToken": [{"token": encrypted(HASH)}],
        }
        plugin = {"scimgateway": gateway(auth=auth), "endpoint": {}}
        main = {"plugins": ["plugin-loki"], "secretKey": KEY}
        (loaded,) = load(self.folder(scimgw=main, plugin_loki=plugin)).plugins
        found = loaded.gateway.auth
        self.assertEqual(Secret(HASH), found.basic[0].password)
        self.assertEqual(Secret(HASH), found.bearer_token[0].token)

    def test_no_file_is_written(self) -> None:
        """What is read stays as it is."""
        folder = self.restful(encrypted("hunter2"), {})
        before = {file: file.read_bytes() for file in folder.iterdir()}
        load(folder)
        self.assertEqual(before, {file: file.read_bytes() for file in folder.iterdir()})


class FaultTests(EncryptedCase):
    """What can't, and how that is told."""

    def test_not_opened(self) -> None:
        """Another key, a changed text, no text of this kind: told with its place, not its value."""
        file = "plugin-restful.json"
        sealed = encrypted("hunter2")
        for text, reason in (
            (encrypted("hunter2", "other" * 8), "under another secretKey, or was changed since"),
            (sealed[:20] + ("A" if sealed[20] != "A" else "B") + sealed[21:], "was changed since"),
            ("encrypted:hunter2", "begins with encrypted: and isn't an encrypted secret"),
        ):
            entity = {"username": "u", "password": text}
            faults = self.faults(self.restful(text, entity))
            places = {tuple(fault.split(": ")[:2]) for fault in faults}
            paths = ("scimgateway.auth.basic[0]", "endpoint.entity.undefined")
            self.assertEqual({(file, f"$.{path}.password") for path in paths}, places)
            self.assertTrue(all(reason in fault for fault in faults), faults)
            self.assertNotIn("hunter2", "".join(faults))

    def test_no_secret(self) -> None:
        """What isn't a secret can't be encrypted."""
        for entity, path in (
            ({"username": encrypted("u"), "password": "p"}, "username"),
            ({"scimVersion": encrypted("2.0")}, "scimVersion"),
            ({"baseUrls": [encrypted("http://x")]}, "baseUrls[0]"),
            ({"proxy": encrypted("x")}, "proxy"),
        ):
            place = f"plugin-restful.json: $.endpoint.entity.undefined.{path}"
            faults = self.faults(self.restful("x", entity))
            self.assertEqual([f"{place}: only a secret can be encrypted"], faults)

    def test_secret_key(self) -> None:
        """The key itself can't be encrypted."""
        folder = self.restful("x", {}, encrypted("x" * 32))
        self.assertEqual(
            ["scimgw.json: $.secretKey: is what others are encrypted with"], self.faults(folder)
        )

    def test_bad_hashes(self) -> None:
        """A hash that is none, too weak or too dear is a fault."""
        for hash, reason in (
            (f"{SCHEME}hunter2", "isn't a scrypt hash"),
            (HASH.replace("17", "9"), "is too weak"),
            (HASH.replace("17", "30"), "would take too much time or memory"),
        ):
            auth = {
                "basic": [{"username": "a", "password": hash}],
                "bearerToken": [{"token": hash}],
            }
            faults = self.faults(self.plugin(gateway(auth=auth)))
            for fault, path in zip(
                sorted(faults), ("basic[0].password", "bearerToken[0].token"), strict=True
            ):
                self.assertIn(f"{LOKI}.auth.{path}: {reason}", fault)
                self.assertNotIn("hunter2", fault)

    def test_foreign_hashes(self) -> None:
        """A hash of another kind is no password, and the fault says what is to be done instead."""
        auth = {
            "basic": [{"username": "a", "password": BCRYPT}],
            "bearerToken": [{"token": SHA512}],
            "bearerOAuth": [{"clientId": "a", "clientSecret": ARGON2}],
        }
        remedy = "hash the secret itself by `python -m scimgw.secrets hash`"
        faults = self.faults(self.plugin(gateway(auth=auth)))
        for kind, path in (
            ("a bcrypt", "basic[0].password"),
            ("a SHA-512-crypt", "bearerToken[0].token"),
            ("an argon2", "bearerOAuth[0].clientSecret"),
        ):
            fault = f"{LOKI}.auth.{path}: is {kind} hash, which can't be verified here: {remedy}"
            self.assertIn(fault, faults)

    def test_too_much_work(self) -> None:
        """A login that would be compared for long is a fault: many tokens, many kinds."""
        token = [{"token": HASH}]
        load(self.plugin(gateway(auth={"bearerToken": token * 8})))
        (fault,) = self.faults(self.plugin(gateway(auth={"bearerToken": token * 9})))
        self.assertIn(f"{LOKI}.auth.bearerToken: each login would take too long", fault)
        users = [{"username": f"u{number}", "password": HASH} for number in range(50)]
        load(self.plugin(gateway(auth={"basic": users})))
        kinds = [{**users[0], "password": HASH.replace("p=1", f"p={p}")} for p in range(1, 5)]
        (fault,) = self.faults(self.plugin(gateway(auth={"basic": kinds})))
        self.assertIn(f"{LOKI}.auth.basic: each login would take too long", fault)


class CommandTests(EncryptedCase):
    """What makes hashes and encrypted secrets."""

    def run_with(self, typed: str, *arguments: str) -> tuple[int, str, str]:
        """Run the command with some input."""
        out, err = StringIO(), StringIO()
        self.patch(sys, "stdin", StringIO(typed))
        self.patch(sys, "stdout", out)
        self.patch(sys, "stderr", err)
        status = secrets.main(arguments)
        return status, out.getvalue(), err.getvalue()

    def test_hash(self) -> None:
        """A hash of the first line is printed, which the gateway accepts."""
        status, out, err = self.run_with("pä ss\r\nmore\n", "hash")
        self.assertEqual((0, ""), (status, err))
        found = Scrypt.of(Secret(out.rstrip("\n")))
        assert found is not None
        self.assertEqual(Cost(17, 8, 1), found.cost)
        self.assertTrue(found.matches("pä ss".encode()))

    def test_encrypt(self) -> None:
        """What is printed can be read with the configuration's key."""
        folder = self.restful("x", {})
        status, out, _ = self.run_with("hunter2\n", "encrypt", "-c", str(folder))
        self.assertEqual(0, status)
        (plugin,) = load(self.restful(out.rstrip("\n"), {})).plugins
        self.assertEqual(Secret("hunter2"), plugin.gateway.auth.basic[0].password)

    def test_encrypt_first(self) -> None:
        """Without any key one is made, for the gateway to use; a plugin's faults don't matter."""
        main = {"plugins": ["plugin-loki"], "dataDirectory": "data"}
        folder = self.folder(scimgw=main)
        _, out, _ = self.run_with("hunter2\n", "encrypt", "--config", str(folder))
        basic = [{"username": "a", "password": out.rstrip("\n")}]
        plugin = {"scimgateway": gateway(auth={"basic": basic}), "endpoint": {}}
        (folder / "plugin-loki.json").write_text(json.dumps(plugin))
        (loaded,) = load(folder).plugins
        self.assertEqual(Secret("hunter2"), loaded.gateway.auth.basic[0].password)

    def test_faults(self) -> None:
        """No configuration, no secret: told on stderr, with a status."""
        nowhere = Path(self.mktemp())
        status, out, err = self.run_with("x\n", "encrypt", "-c", str(nowhere))
        self.assertEqual((78, ""), (status, out))
        self.assertIn("scimgw.json: $: can't be read", err)
        for typed in ("", "\n"):
            self.assertEqual((64, "", "there is no secret\n"), self.run_with(typed, "hash"))

    def test_terminal(self) -> None:
        """At a terminal the secret is asked for twice, without an echo."""
        typed = ["one", "two", "one", "one"]
        self.patch(secrets, "getpass", lambda _: typed.pop(0))

        class Terminal(StringIO):
            def isatty(self) -> bool:
                return True

        out, err = StringIO(), StringIO()
        self.patch(sys, "stdin", Terminal())
        self.patch(sys, "stdout", out)
        self.patch(sys, "stderr", err)
        self.assertEqual(64, secrets.main(["hash"]))
        self.assertEqual("the two aren't the same\n", err.getvalue())
        self.assertEqual(0, secrets.main(["hash"]))
        self.assertTrue(out.getvalue().startswith("$scrypt$"))
