"""A plugin's site over a connector, driven by bytes."""

from __future__ import annotations

from http.client import HTTPMessage
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from connectors.loki import Config, LokiConnector
from connectors.loki.connector import EntityConfig
from scimgw.auth.basic import BasicAuthenticator
from scimgw.auth.chain import Chain
from scimgw.connector import NO_ENTITY, Connector, Principal, Services
from scimgw.gateway.endpoint import Endpoint
from scimgw.scim.cursor import Cursors
from scimgw.secret import Secret
from scimgw.testing.client import Client, Response
from scimgw.web.root import Limits
from scimgw.web.site import ScimSite
from tests.fakes.services import in_memory

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
BASE = "http://gateway.example"
Json = dict[str, Any]


class WebCase(SynchronousTestCase):
    """Has a site over the document store, or over another connector."""

    def setUp(self) -> None:
        """Serve the document store."""
        self.clock = Clock()
        self.serve(self.loki())

    def loki(self, **config: Any) -> LokiConnector:
        """Make a store for two base entities."""
        return LokiConnector(*self.loki_arguments(**config))

    def loki_arguments(self, **config: Any) -> tuple[Config, Services]:
        """Give what a store for two base entities is made of."""
        entity = {NO_ENTITY: EntityConfig(), "clientA": EntityConfig()}
        return Config(entity=entity, **config), in_memory(self.clock)

    def serve(
        self, connector: Connector, limits: Limits | None = None, chain: Chain | None = None
    ) -> None:
        """Serve a connector."""
        self.endpoint = Endpoint(connector=connector, clock=self.clock)
        chain = chain or Chain([BasicAuthenticator([(Principal("gwadmin"), Secret("password"))])])
        entities = frozenset({NO_ENTITY, "clientA", "client B"})
        self.site = ScimSite(
            self.endpoint,
            chain,
            entities,
            limits or Limits(),
            self.clock,
            cursors=Cursors(key=b"k" * 32, lifetime=60),
        )
        self.client = Client(self.site)

    def json(self, status: int, response: Response) -> Any:
        """Check the status of an answer, and give its JSON."""
        self.assertEqual(status, response.status, response.body)
        self.assertEqual("application/scim+json", response.headers["Content-Type"])
        return response.json()

    def empty(self, status: int, response: Response) -> HTTPMessage:
        """Check that an answer has no body, and give its headers."""
        self.assertEqual((status, b""), (response.status, response.body))
        return response.headers

    def error(self, status: int, response: Response, scim_type: str | None = None) -> str:
        """Check that an answer is a SCIM error, and give its detail."""
        body = self.json(status, response)
        detail: str = body.pop("detail")
        expected = {"schemas": [ERROR], "status": str(status)}
        self.assertEqual(
            expected if scim_type is None else {**expected, "scimType": scim_type}, body
        )
        return detail

    def resources(self, path: str) -> list[Json]:
        """Give what a list holds."""
        body = self.json(200, self.client.get(path))
        self.assertEqual([LIST], body["schemas"])
        self.assertEqual(len(body["Resources"]), body["itemsPerPage"])
        found: list[Json] = body["Resources"]
        return found

    def names(self, path: str) -> list[str]:
        """Give the names of the users in a list."""
        return [each["userName"] for each in self.resources(path)]

    def create(self, **body: Any) -> Json:
        """Create a user."""
        created: Json = self.json(201, self.client.post("/Users", body))
        return created
