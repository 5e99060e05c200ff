"""Users that tests of the core share."""

from __future__ import annotations

from typing import Any, Final

ENTERPRISE: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
CORE: Final = "urn:ietf:params:scim:schemas:core:2.0:User"

BABS: Final[dict[str, Any]] = {
    "schemas": [CORE, ENTERPRISE],
    "id": "2819c223",
    "externalId": "Ext-1",
    "userName": "bjensen@example.com",
    "name": {"familyName": "Jensen", "givenName": "Barbara"},
    "displayName": "Babs Jensen",
    "emails": [
        {"value": "babs@jensen.org", "type": "home"},
        {"value": "bjensen@example.com", "type": "work", "primary": True},
    ],
    "active": True,
    ENTERPRISE: {
        "employeeNumber": "701984",
        "manager": {"value": "26118915", "displayName": "John Smith"},
    },
    "meta": {
        "resourceType": "User",
        "created": "2010-01-23T04:56:22Z",
        "lastModified": "2011-05-13T04:42:34Z",
        "version": 'W/"a330bc54f0671c9"',
    },
}


def refuse(name: str) -> None:
    """Fail a test that sends what no schema has."""
    raise AssertionError(f"{name} isn't in the schema")
