"""The gateway over Active Directory, and what tests do to its users past the gateway."""

from __future__ import annotations

from typing import Any

from connectors.ldap.request import Kind, Modification, Scope, Search
from connectors.ldap.result import LdapError, ResultCode
from scimgw.secret import Secret
from tests.live import directory
from tests.live.gateway import Gateway, GatewayCase, Json
from tests.live.samba import ACTIVE_DIRECTORY

PASSWORD = "Analytic4l!"
NOBODY = "00000000-0000-0000-0000-000000000000"
"""An id that nobody has."""


class DirectoryCase(GatewayCase):
    """Has a gateway over a server that all tests share, and room of its own there."""

    async def gateway(self, **ldap: Any) -> Gateway:
        """Serve."""
        self.server = await ACTIVE_DIRECTORY.get(self)
        return await self.over(self.server, ldap)

    async def user(self, gateway: Gateway, name: str, **body: Any) -> str:
        """Create a user, whose name no other test has, and give its path."""
        created: Json = await gateway.post("/Users", self.body(gateway, name, **body))
        return f"/Users/{created['id']}"

    def name(self, gateway: Gateway, name: str) -> str:
        """Make a name that no other test has: account names are a domain's, not a unit's."""
        return f"{name}-{gateway.unit[8:16]}"

    def body(self, gateway: Gateway, name: str, **body: Any) -> Json:
        """Describe a user."""
        return {"userName": self.name(gateway, name), **body}

    async def entry(self, gateway: Gateway, name: str) -> dict[str, list[bytes]]:
        """Read what the directory holds of a user."""
        client = await self.raw(self.server)
        dn = f"CN={self.name(gateway, name)},OU=people,{gateway.unit}"
        (found,) = (await client.search(Search(base=dn, scope=Scope.BASE))).entries
        return found.attributes

    async def control(self, gateway: Gateway, name: str) -> int:
        """Read a userAccountControl."""
        return int((await self.entry(gateway, name))["useraccountcontrol"][0])

    async def set(self, gateway: Gateway, name: str, attribute: str, value: bytes) -> None:
        """Change an attribute past the gateway."""
        client = await self.raw(self.server)
        dn = f"CN={self.name(gateway, name)},OU=people,{gateway.unit}"
        await client.modify(dn, [Modification(Kind.REPLACE, attribute, (value,))])

    async def bind(self, gateway: Gateway, name: str, password: str) -> bool:
        """Tell whether a user gets in."""
        client = await directory.raw(self.server)
        try:
            dn = f"CN={self.name(gateway, name)},OU=people,{gateway.unit}"
            await client.bind(dn, Secret(password))
        except LdapError as error:
            if error.code != ResultCode.INVALID_CREDENTIALS:
                raise
            return False
        finally:
            await client.close()
        return True
