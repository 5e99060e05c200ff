"""A real OpenLDAP, with the overlays that matter to a gateway."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.live import certificates
from tests.live.case import Shared
from tests.live.ports import free_port
from tests.live.programs import program, run
from tests.live.server import Server

ADDRESS = "127.0.0.1"
BASE = "dc=example,dc=org"
CONFIGURATION = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
moduleload refint
moduleload ppolicy
pidfile {folder}/slapd.pid
argsfile {folder}/slapd.args
sizelimit {sizelimit}
TLSCACertificateFile {ca}
TLSCertificateFile {pair.certificate}
TLSCertificateKeyFile {pair.key}
TLSVerifyClient never
database mdb
maxsize 268435456
suffix "{base}"
rootdn "{bind_dn}"
rootpw {password}
directory {folder}/data
index objectClass,member,memberOf,entryUUID eq
index uid,cn,mail eq,sub
dbnosync
{access}
access to attrs=userPassword by dn.exact="{limited_dn}" write by self write by anonymous auth
access to * by dn.exact="{limited_dn}" write by users read
overlay memberof
memberof-group-oc groupOfNames
memberof-member-ad member
memberof-refint TRUE
overlay refint
refint_attributes member manager
refint_nothing "cn=nobody"
overlay ppolicy
ppolicy_default "cn=policy,{base}"
"""
TREE = """
dn: {base}
objectClass: dcObject
objectClass: organization
o: example

dn: ou=people,{base}
objectClass: organizationalUnit

dn: ou=groups,{base}
objectClass: organizationalUnit

dn: cn=policy,{base}
objectClass: device
objectClass: pwdPolicy
pwdAttribute: userPassword
pwdLockout: TRUE

dn: {limited_dn}
objectClass: inetOrgPerson
cn: limited
sn: limited
userPassword: {password}
"""


class Slapd(Server):
    """An OpenLDAP on free ports of 127.0.0.1: ldap, StartTLS, ldaps.

    The tree has `ou=people`, `ou=groups`, and a policy that refuses whoever has a
    `pwdAccountLockedTime`.  Memberships are kept by memberof, references by refint.
    """

    address = ADDRESS
    base = BASE
    bind_dn = f"cn=admin,{BASE}"
    """An administrator whom no limit binds."""
    limited_dn = f"uid=limited,ou=people,{BASE}"
    """An account that may write all, and is bound by the size limit."""
    password = "secret"  # of both

    def __init__(self, folder: Path, ca_file: Path) -> None:
        self.ca_file = ca_file
        self.port, self.tls_port = free_port(), free_port()
        self.url = f"ldap://{ADDRESS}:{self.port}"
        self.tls_url = f"ldaps://{ADDRESS}:{self.tls_port}"
        self._ldapadd = program("ldapadd", "ldap-utils")
        # -d keeps it in the foreground; none is what is always logged
        command = [program("slapd", "slapd"), "-d", "none", "-f", f"{folder}/slapd.conf"]
        listens = [(ADDRESS, self.port), (ADDRESS, self.tls_port)]
        super().__init__([*command, "-h", f"{self.url} {self.tls_url}"], folder / "log", listens)

    @classmethod
    async def start(
        cls,
        folder: Path,
        *,
        sizelimit: int = 500,
        access: Sequence[str] = (),
        hosts: Sequence[str] = ("localhost", ADDRESS),
    ) -> Self:
        """Start one in a new folder.

        `access` are rules of slapd.access(5), which come before those that let users read;
        `hosts` are the names in its certificate.

        Raises: SkipTest, where it is not installed.
        """
        authority = certificates.authority(folder / "tls")
        server = cls(folder, authority.file)
        (folder / "data").mkdir()
        configuration = CONFIGURATION.format(
            folder=folder,
            sizelimit=sizelimit,
            access="\n".join(access),
            ca=authority.file,
            pair=authority.issue("server", *hosts),
            base=cls.base,
            bind_dn=cls.bind_dn,
            limited_dn=cls.limited_dn,
            password=cls.password,
        )
        (folder / "slapd.conf").write_text(configuration)
        await server.start_again()
        await server.load(
            TREE.format(base=cls.base, limited_dn=cls.limited_dn, password=cls.password)
        )
        return server

    async def load(self, ldif: str) -> None:
        """Add entries, with what the overlays make of them.

        Raises: RuntimeError with the server's reason, at the first entry that it refuses.
        """
        options = ["-x", "-H", self.url, "-D", self.bind_dn, "-w", self.password]
        await run(self._ldapadd, *options, stdin=ldif)


OPENLDAP = Shared(Slapd.start)
"""For all tests that need no server of their own; they clean up what they add."""
