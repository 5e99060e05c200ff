"""LDAP: users and groups in Active Directory, OpenLDAP and other directories."""

from connectors.ldap.config import Config
from connectors.ldap.connector import LdapConnector
from scimgw.connector import ConnectorPlugin

PLUGIN = ConnectorPlugin(config=Config, build=LdapConnector)

__all__ = ["PLUGIN", "Config", "LdapConnector"]
