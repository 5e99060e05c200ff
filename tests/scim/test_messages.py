"""Messages on the wire: RFC 7644 sections 3.4.2 and 3.12."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from scimgw.errors import NotFound, Uniqueness
from scimgw.scim.messages import (
    Features,
    encode_error,
    encode_list,
    encode_resource_type,
    encode_schema,
    encode_service_provider_config,
)
from scimgw.scim.schema import USER


class MessageTests(SynchronousTestCase):
    """What is sent."""

    def test_error(self) -> None:
        """The status is a string, the scimType is there where there is one."""
        error = "urn:ietf:params:scim:api:messages:2.0:Error"
        self.assertEqual(
            {"schemas": [error], "status": "404", "detail": "gone"}, encode_error(NotFound("gone"))
        )
        self.assertEqual(
            {"schemas": [error], "status": "409", "detail": "taken", "scimType": "uniqueness"},
            encode_error(Uniqueness("taken")),
        )

    def test_list(self) -> None:
        """A page tells how many it holds; it always has Resources."""
        self.assertEqual(
            {
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
                "totalResults": 7,
                "itemsPerPage": 0,
                "startIndex": 9,
                "Resources": [],
            },
            encode_list([], 7, 9),
        )

    def test_discovery(self) -> None:
        """Each document tells its own address."""
        features = Features(
            max_results=5,
            max_operations=4,
            max_payload_size=6,
            cursor_timeout=7,
            change_password=True,
            etag=False,
            authentication_schemes=({"type": "x"},),
        )
        config = encode_service_provider_config(features, "http://x/ServiceProviderConfig")
        self.assertEqual({"supported": True, "maxResults": 5}, config["filter"])
        self.assertEqual({"supported": False}, config["etag"])
        self.assertEqual([{"type": "x"}], config["authenticationSchemes"])
        for document, kind in (
            (config, "ServiceProviderConfig"),
            (encode_schema(USER.schema, "a"), "Schema"),
            (encode_resource_type(USER, "a"), "ResourceType"),
        ):
            self.assertEqual(kind, document["meta"]["resourceType"])
