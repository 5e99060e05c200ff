"""Any SCIM 2.0 server as the endpoint."""

from connectors.restful.connector import RestfulConnector
from connectors.restful.settings import Config
from scimgw.connector import ConnectorPlugin

PLUGIN = ConnectorPlugin(config=Config, build=RestfulConnector)

__all__ = ["PLUGIN", "Config", "RestfulConnector"]
