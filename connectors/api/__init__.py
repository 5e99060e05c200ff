"""The example of a plugin that speaks no SCIM: tickets in a service desk, through /api."""

from connectors.api.connector import ServiceDeskConnector
from connectors.api.settings import Config
from scimgw.connector import ConnectorPlugin

PLUGIN = ConnectorPlugin(config=Config, build=ServiceDeskConnector)

__all__ = ["PLUGIN", "Config", "ServiceDeskConnector"]
