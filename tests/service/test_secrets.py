"""Secrets at rest: made by the command, read by the real gateway."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from twisted.internet.threads import deferToThread

from tests.live.ports import free_port
from tests.service.process import ENVIRONMENT, ROOT, Json, ServiceCase, section
from tests.service.test_passthrough import basic


class SecretsTests(ServiceCase):
    """A gateway in front of another, whose files hold no secret that could be read."""

    async def made(self, typed: str, *arguments: str) -> str:
        """Run the command with some input, and give what it prints."""
        command = [sys.executable, "-m", "scimgw.secrets", *arguments]
        ended = await deferToThread(
            subprocess.run,
            command,
            input=typed.encode(),
            capture_output=True,
            check=True,
            cwd=ROOT,
            env=ENVIRONMENT,
        )
        printed: str = ended.stdout.decode().rstrip("\n")
        return printed

    async def begin(self, last: int, port: int) -> Path:
        """Start the last, and configure the first."""
        password = await self.made("l4st-password\n", "hash")
        users = [{"username": "gateway", "password": password}]
        await self.start(self.one(last, auth={"basic": users}))
        folder = self.folder(scimgw={"plugins": ["plugin-restful"], "secretKey": None})
        connection = await self.made("l4st-password\n", "encrypt", "-c", str(folder))
        token = await self.made("t0ken\n", "hash")
        entity: Json = {
            "baseUrls": [f"http://127.0.0.1:{last}"],
            "username": "gateway",
            "password": connection,
        }
        auth = {"bearerToken": [{"name": "okta", "token": token}]}
        plugin = {
            "scimgateway": section(port) | {"auth": auth},
            "endpoint": {"entity": {"undefined": entity}},
        }
        (folder / "plugin-restful.json").write_text(json.dumps(plugin))
        return folder

    async def test_hashed_and_encrypted(self) -> None:
        """A hashed token lets in, an encrypted password is what it was; and it stops in order."""
        last, port = free_port(), free_port()
        folder = await self.begin(last, port)
        running = await self.start(folder)
        for _ in range(2):
            answer = await self.request(port, "/Users", Authorization="Bearer t0ken")
            self.assertEqual((200, 2), (answer.status, answer.json()["totalResults"]))
        wrong = await self.request(port, "/Users", Authorization="Bearer t0ke")
        self.assertEqual(401, wrong.status)
        self.assertEqual(401, (await self.request(last, "/Users")).status)
        direct = await self.request(last, "/Users", Authorization=basic("gateway:l4st-password"))
        self.assertEqual(200, direct.status)
        self.assertEqual(0, await running.stop())
        written = b"".join(each.read_bytes() for each in folder.iterdir() if each.is_file())
        for secret in (b"l4st-password", b"t0ken"):
            self.assertNotIn(secret, running.output + written)

    async def test_another_key(self) -> None:
        """With another key nothing starts, and the place is told."""
        folder = await self.begin(free_port(), free_port())
        main = {"plugins": ["plugin-restful"], "secretKey": "x" * 32}
        (folder / "scimgw.json").write_text(json.dumps(main))
        ended = await self.ends("-n", "scimgw", "-c", str(folder))
        place = "plugin-restful.json: $.endpoint.entity.undefined.password"
        reason = "was encrypted under another secretKey, or was changed since"
        self.assertEqual((78, f"{place}: {reason}\n"), (ended.status, ended.err))
