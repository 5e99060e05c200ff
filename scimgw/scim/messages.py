"""What do the messages of SCIM 2.0 look like on the wire?

RFC 7644 sections 3.4.2 (ListResponse), 3.12 (Error) and 4 (discovery), RFC 7643 section 5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from attrs import frozen

from scimgw.errors import ScimError
from scimgw.scim.schema import ResourceType, Schema

LIST_RESPONSE: Final = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
ERROR: Final = "urn:ietf:params:scim:api:messages:2.0:Error"
SERVICE_PROVIDER_CONFIG: Final = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"

Json = dict[str, Any]


def encode_error(error: ScimError) -> Json:
    """Say what went wrong; the status is a string (RFC 7644 section 3.12)."""
    message: Json = {"schemas": [ERROR], "status": str(error.status), "detail": error.detail}
    if error.scim_type is not None:
        message["scimType"] = error.scim_type
    return message


def encode_list(resources: Sequence[Json], total: int, start_index: int) -> Json:
    """Wrap a page of resources, which may be empty."""
    return {
        "schemas": [LIST_RESPONSE],
        "totalResults": total,
        "itemsPerPage": len(resources),
        "startIndex": start_index,
        "Resources": resources,
    }


def encode_cursor_list(resources: Sequence[Json], total: int, next_cursor: str | None) -> Json:
    """Wrap a page of resources that another may follow (RFC 9865 section 2)."""
    message: Json = {
        "schemas": [LIST_RESPONSE],
        "totalResults": total,
        "itemsPerPage": len(resources),
        "Resources": resources,
    }
    return message if next_cursor is None else {**message, "nextCursor": next_cursor}


@frozen(kw_only=True)
class Features:
    """What a plugin can do, as /ServiceProviderConfig announces it."""

    max_results: int
    max_operations: int
    max_payload_size: int
    cursor_timeout: int
    change_password: bool
    etag: bool
    authentication_schemes: tuple[Mapping[str, str], ...]


def encode_service_provider_config(features: Features, location: str) -> Json:
    """Announce what a plugin can do (RFC 7643 section 5)."""
    return {
        "schemas": [SERVICE_PROVIDER_CONFIG],
        "patch": {"supported": True},
        "bulk": {
            "supported": True,
            "maxOperations": features.max_operations,
            "maxPayloadSize": features.max_payload_size,
        },
        "filter": {"supported": True, "maxResults": features.max_results},
        "changePassword": {"supported": features.change_password},
        "sort": {"supported": True},
        "etag": {"supported": features.etag},
        "authenticationSchemes": [dict(scheme) for scheme in features.authentication_schemes],
        "pagination": _pagination(features),
        "meta": {"resourceType": "ServiceProviderConfig", "location": location},
    }


def _pagination(features: Features) -> Json:
    """Announce how pages are asked for (RFC 9865 section 4)."""
    return {
        "cursor": True,
        "index": True,
        "defaultPaginationMethod": "index",
        "defaultPageSize": features.max_results,
        "maxPageSize": features.max_results,
        "cursorTimeout": features.cursor_timeout,
    }


def encode_schema(schema: Schema, location: str) -> Json:
    """Give a schema document with its meta."""
    return {**schema.to_json(), "meta": {"resourceType": "Schema", "location": location}}


def encode_resource_type(type: ResourceType, location: str) -> Json:
    """Give a resource type document with its meta."""
    return {**type.to_json(), "meta": {"resourceType": "ResourceType", "location": location}}
