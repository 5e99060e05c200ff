"""Replicas, each a process of its own, and a client that gets its token from one of them."""

from __future__ import annotations

from typing import Any

from tests.live.ports import free_port
from tests.service.process import Running, ServiceCase, section

CLIENT = {"clientId": "okta", "clientSecret": "hunter2-hunter2", "readOnly": True}
GRANT = b"grant_type=client_credentials&client_id=okta&client_secret=hunter2-hunter2"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
BASIC = {**FORM, "Authorization": "Basic b2t0YTpodW50ZXIyLWh1bnRlcjI="}


class ReplicaTests(ServiceCase):
    """Two gateways and one `secretKey`."""

    async def replica(self, port: int, secret: str = "k" * 32, **client: Any) -> Running:
        """Start a gateway."""
        auth = {"bearerOAuth": [{**CLIENT, **client}]}
        plugin = {"scimgateway": section(port, auth=auth), "endpoint": {}}
        main = {"plugins": ["plugin-loki"], "secretKey": secret}
        return await self.start(self.folder(scimgw=main, plugin_loki=plugin))

    async def test_token(self) -> None:
        """A token that one gives the other takes, and the first when it has begun anew."""
        one, two, other = free_port(), free_port(), free_port()
        first = await self.replica(one)
        await self.replica(two)
        await self.replica(other, secret="o" * 32)
        answer = await self.request(one, "/oauth/token", "POST", GRANT, **FORM)
        # the case's own Basic credentials were sent too, which is one proof too many
        self.assertEqual((400, "invalid_request"), (answer.status, answer.json()["error"]))
        grant, _, _ = GRANT.partition(b"&")
        answer = await self.request(one, "/oauth/token", "POST", grant, **BASIC)
        self.assertEqual(200, answer.status, answer.body)
        token = answer.json()["access_token"]
        self.assertEqual(0, await first.stop())
        again = await self.replica(one)
        for port, status in ((one, 200), (two, 200), (other, 401)):
            answer = await self.request(port, "/Users", Authorization=f"Bearer {token}")
            self.assertEqual(status, answer.status)
        answer = await self.request(
            two, "/Users", "POST", {"userName": "x"}, Authorization=f"Bearer {token}"
        )
        self.assertEqual(403, answer.status)
        for secret in (b"hunter2", token.encode()):
            self.assertNotIn(secret, first.output + again.output)
        self.assertIn(b" okta POST /oauth/token 200 ", first.output)
