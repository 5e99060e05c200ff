"""The document store: users and groups in memory, embedded in the gateway."""

from connectors.loki.connector import Config, LokiConnector
from scimgw.connector import ConnectorPlugin

PLUGIN = ConnectorPlugin(config=Config, build=LokiConnector)

__all__ = ["PLUGIN", "Config", "LokiConnector"]
