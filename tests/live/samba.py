"""A real Active Directory: Samba, of which only the LDAP service runs."""

from __future__ import annotations

import shutil
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Self

from tests.live import certificates
from tests.live.case import Shared
from tests.live.ports import free_address
from tests.live.programs import VAR, missing, program, run
from tests.live.server import Server

PORTS = {"ldap": 389, "ldaps": 636, "global catalog": 3268, "global catalog over TLS": 3269}
"""Samba can't be told others; so it gets an address of its own."""
PACKAGES = "samba samba-ad-provision samba-dsdb-modules samba-vfs-modules python3-samba winbind"
REALM = "AD.TEST"
DOMAIN = "AD"
BASE = "DC=ad,DC=test"
HOST = "dc1.ad.test"
ADMINISTRATOR_PASSWORD = "Passw0rd!adm"
PROVISION = [
    "--server-role=dc",
    "--use-rfc2307",
    f"--realm={REALM}",
    f"--domain={DOMAIN}",
    "--host-name=dc1",
    "--host-ip=127.0.0.1",
    f"--adminpass={ADMINISTRATOR_PASSWORD}",
    "--dns-backend=NONE",
]
POLICY = ["--min-pwd-age=0", "--max-pwd-age=0"]
"""A test may change a password that is new, and none expires in a domain that is kept for long."""
CONFIGURATION = """
[global]
netbios name = DC1
realm = {realm}
workgroup = {domain}
server role = active directory domain controller
server services = ldap
interfaces = {address}/8
bind interfaces only = Yes
cache directory = {folder}/cache
lock directory = {sockets}
state directory = {folder}/state
private dir = {folder}/private
pid directory = {folder}/run
ncalrpc dir = {folder}/ncalrpc
winbindd socket directory = {folder}/winbindd
ntp signd socket directory = {folder}/ntp_signd
log file = {folder}/log.%m
ldap server require strong auth = allow_sasl_over_tls
tls enabled = yes
tls cafile = {ca}
tls certfile = {pair.certificate}
tls keyfile = {pair.key}
"""


class Samba(Server):
    """A domain controller on an address of its own: ldap, StartTLS, ldaps.

    It refuses a simple bind in the clear, as Windows does.
    """

    base = BASE
    bind_dn = f"CN=Administrator,CN=Users,{BASE}"
    principal = f"administrator@{REALM.lower()}"
    """The administrator's userPrincipalName, which binds as well."""
    password = ADMINISTRATOR_PASSWORD
    host = HOST
    """What the certificate is for, beside the address."""

    def __init__(self, folder: Path, address: str, ca_file: Path) -> None:
        self.address = address
        self.ca_file = ca_file
        self.port, self.tls_port = PORTS["ldap"], PORTS["ldaps"]
        self.sockets = Path(tempfile.mkdtemp(prefix="samba-"))
        """Of short names: a path of 108 octets is too long for a socket."""
        self.url = f"ldap://{address}:{self.port}"
        self.tls_url = f"ldaps://{address}:{self.tls_port}"
        # its log may say that the path of private/ldapi is too long for a socket: nobody needs that
        command = [program("samba", PACKAGES), "-s", f"{folder}/etc/smb.conf"]
        listens = [(address, self.port), (address, self.tls_port)]
        super().__init__(
            [*command, "-i", "-M", "single", "--debug-stdout"], folder / "log", listens
        )

    @classmethod
    async def start(cls, folder: Path) -> Self:
        """Start one in a new folder.

        Raises: SkipTest, where it is not installed, or its ports are for root.
        """
        try:
            address = free_address(PORTS.values())
        except PermissionError:
            raise missing("Samba's ports are for root: run the tests as root") from None
        authority = certificates.authority(folder / "tls")
        server = cls(folder, address, authority.file)
        await _provisioned(folder)
        configuration = CONFIGURATION.format(
            folder=folder,
            sockets=server.sockets,
            realm=REALM,
            domain=DOMAIN,
            address=address,
            ca=authority.file,
            pair=authority.issue("server", HOST, address),
        )
        (folder / "etc" / "smb.conf").write_text(configuration)
        await server.start_again()
        return server

    async def stop(self) -> None:
        """End it, and leave no sockets behind."""
        await super().stop()
        shutil.rmtree(self.sockets, ignore_errors=True)


async def _provisioned(folder: Path) -> None:
    """Lay a new domain into a folder: made once, then copied."""
    archive = VAR / "samba" / f"{await _edition()}.tar"
    if not archive.exists():
        await _provision(archive)
    await run("tar", *_TAR, "-xf", str(archive), "-C", str(folder))


_TAR = ["--sparse", "--acls", "--xattrs", "--xattrs-include=*"]


async def _edition() -> str:
    """Name what would be provisioned."""
    version = await run(program("samba", PACKAGES), "--version")
    content = f"{version} {PROVISION} {POLICY}"
    return sha256(content.encode()).hexdigest()[:16]


async def _provision(archive: Path) -> None:
    tool = program("samba-tool", PACKAGES)
    folder = archive.with_suffix(".new")
    # what another version made, or was about to, is of no use any more
    shutil.rmtree(archive.parent, ignore_errors=True)
    folder.mkdir(parents=True)
    await run(tool, "domain", "provision", *PROVISION, f"--targetdir={folder}")
    configuration = f"--configfile={folder}/etc/smb.conf"
    await run(tool, "domain", "passwordsettings", "set", *POLICY, configuration)
    for name in ("run", "cache"):
        (folder / name).mkdir(exist_ok=True)
    unfinished = archive.with_suffix(".tar.new")
    await run("tar", *_TAR, "-cf", str(unfinished), "-C", str(folder), ".")
    unfinished.rename(archive)
    shutil.rmtree(folder)


ACTIVE_DIRECTORY = Shared(Samba.start)
"""For all tests; they clean up what they add."""
