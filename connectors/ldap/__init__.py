"""How does the gateway speak to directories: OpenLDAP, Active Directory?"""
