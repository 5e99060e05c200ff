"""Whether credentials are passed through is agreed between configuration and connector."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from twisted.internet.testing import MemoryReactorClock

from scimgw.config.load import Faults, load
from scimgw.service import build
from tests.config.test_load import LoadCase, gateway

ON = {"enabled": True}
NONE = {"baseUrls": ["http://127.0.0.1:1"], "auth": {"type": "none"}}
ASKING = {"baseUrls": ["http://127.0.0.1:1"], "auth": {"type": "passThrough"}}
BASIC = gateway()["auth"]["basic"]


class AgreedTests(LoadCase):
    """What starts, and what doesn't."""

    def written(self, name: str, auth: Any, endpoint: Any, **more: Any) -> Path:
        """Write a folder with one plugin."""
        plugin = {"scimgateway": gateway(auth=auth, **more), "endpoint": endpoint}
        return self.folder(**{"scimgw": {"plugins": [f"plugin-{name}"]}, f"plugin_{name}": plugin})

    def told(self, name: str, auth: Any, endpoint: Any, **more: Any) -> list[str]:
        """Load and build, and give the faults without the file's name."""
        try:
            build(load(self.written(name, auth, endpoint, **more)), MemoryReactorClock())
        except Faults as faults:
            return [f"{each.path}: {each.fault}" for each in faults.found]
        return []

    def entities(self, **connections: Any) -> Any:
        """Give base entities with their connections."""
        return {"entity": {name: {"connection": each} for name, each in connections.items()}}

    def test_both(self) -> None:
        """Where all base entities ask and it is on, it starts."""
        for name in ("restful", "api"):
            endpoint = self.entities(undefined=ASKING, clientA=ASKING)
            self.assertEqual([], self.told(name, {"passThrough": ON}, endpoint))

    def test_not_asked(self) -> None:
        """On, for a connector or a base entity that doesn't ask: it would be open to everybody."""
        path = "$.scimgateway.auth.passThrough: base entity"
        asks = "doesn't ask for the callers' own credentials"
        for name in ("restful", "api"):
            endpoint = self.entities(undefined=ASKING, clientA=NONE)
            faults = self.told(name, {"passThrough": ON}, endpoint)
            self.assertEqual([f"{path} 'clientA' {asks}"], faults)
        endpoint = {"entity": {"undefined": {}, "b": {}}}
        self.assertEqual(
            [f"{path} 'b' {asks}", f"{path} 'undefined' {asks}"],
            self.told("loki", {"passThrough": ON}, endpoint),
        )
        ldap = json.loads((Path(__file__).parent.parent / "etc/plugin-openldap.json").read_text())
        section = {"connector": "ldap"}
        (fault,) = self.told("x", {"passThrough": ON}, ldap["endpoint"], **section)
        self.assertEqual(f"{path} 'undefined' {asks}", fault)

    def test_not_on(self) -> None:
        """Asked for where it is off: nobody could ever be served."""
        wants = "wants the callers' own credentials: scimgateway.auth.passThrough must be on"
        for name in ("restful", "api"):
            endpoint = self.entities(undefined=NONE, clientA=ASKING)
            faults = self.told(name, {"basic": BASIC}, endpoint)
            self.assertEqual([f"$.endpoint.entity.clientA: {wants}"], faults)

    def test_alone(self) -> None:
        """Nobody is known beside it, whose own credentials would go on to the endpoint."""
        alone = "stands alone: who is known here has no credentials for the endpoint"
        for others in ({"basic": BASIC}, {"bearerToken": [{"token": "x"}]}):
            faults = self.told("restful", {"passThrough": ON, **others}, self.entities(a=ASKING))
            self.assertEqual([f"$.scimgateway.auth.passThrough: {alone}"], faults)

    def test_off(self) -> None:
        """Off in every spelling is as if it weren't there; half of it isn't one."""
        template = {"enabled": False, "readOnly": False, "baseEntities": []}
        spelled: list[Any] = [
            None,
            False,
            [],
            {},
            {"enabled": False},
            template,
            {"readOnly": False},
        ]
        for off in spelled:
            auth = {"basic": BASIC, "passThrough": off}
            self.assertEqual([], self.told("loki", auth, {}), off)
        ways = "basic, bearerToken, bearerJwt, bearerJwtAzure, bearerOAuth or clientCertificate"
        self.assertEqual(
            [f"$.scimgateway.auth: must hold at least one way in: {ways}"],
            self.told("loki", {"passThrough": {"enabled": False}}, {}),
        )
        path = "$.scimgateway.auth.passThrough"
        for value, fault in (
            ({"readOnly": True}, ".enabled: required"),
            ({"enabled": "yes"}, ".enabled: must be true or false, not 'yes'"),
            ({"enabled": True, "x": 1}, ".x: unknown key"),
            (True, ": must be an object, not true"),
        ):
            self.assertEqual([path + fault], self.told("loki", {"passThrough": value}, {}))

    def test_entities(self) -> None:
        """Who passes through may be limited to base entities that there are."""
        auth = {"passThrough": {"enabled": True, "baseEntities": ["a", "x"]}}
        self.assertEqual(
            ["$.scimgateway.auth.passThrough.baseEntities: there is no base entity 'x'"],
            self.told("restful", auth, self.entities(a=ASKING)),
        )

    def test_handed_on(self) -> None:
        """Before another gateway that one judges, whatever the connector asks for."""
        next = {"chainingBaseUrl": "http://127.0.0.1:1"}
        self.assertEqual([], self.told("loki", {"passThrough": ON}, {}, **next))
        asking = self.entities(undefined=ASKING)
        self.assertEqual([], self.told("restful", {"basic": BASIC}, asking, **next))
