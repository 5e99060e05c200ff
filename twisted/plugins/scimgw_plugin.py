"""Tells twistd of the command scimgw."""

from twisted.application.service import ServiceMaker

scimgw = ServiceMaker("scimgw", "scimgw.tap", "A SCIM gateway.", "scimgw")
