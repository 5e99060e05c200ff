"""How fast is the gateway in front of a directory, measured against a bare client in the same run?

The directory is an OpenLDAP of its own, without overlays, and the gateway is as
etc/plugin-openldap.json has it, but for TLS: both sides are plain on loopback.  The baseline is
ldaptor's `LDAPClient` with as many operations under way as wrk has connections, which does the
same searches, the groups of users among them, and the same modify, over one connection, on which
it is no slower than on several: see bare_ldap.py.  What the gateway needs beyond that, such as to
find an entry before it is changed, is its own cost.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import load
from benchmarks.load import (
    CONNECTIONS,
    HERE,
    MANY,
    Figures,
    Workload,
    filtered,
    free_port,
    patch,
    process,
)

PRESET = HERE.parent / "etc/plugin-openldap.json"
BASE = "dc=example,dc=com"
UUID = "00000000-0000-4000-8000-000000{}"
"""The entryUUID of a user, by six digits; that of the large group is the one after all."""
MANY_ID = UUID.format(999_999)
CONFIGURATION = f"""
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
sizelimit unlimited
sortvals member
database mdb
maxsize 1073741824
suffix "{BASE}"
rootdn "cn=scimgw,{BASE}"
rootpw password
index objectClass,member,entryUUID eq
index uid,cn,mail eq,sub
dbnosync
"""
TREE = f"""
dn: {BASE}
objectClass: dcObject
objectClass: organization
o: example

dn: ou=people,{BASE}
objectClass: organizationalUnit

dn: ou=groups,{BASE}
objectClass: organizationalUnit
"""
_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


def workloads(users: int) -> list[Workload]:
    """List what is measured on a directory of so many users."""
    outsider = patch(op="{op}", path="members", value=[{"value": UUID.format(f"{users - 1:06}")}])
    return [
        Workload(name="user by userName", path="/Users" + filtered('userName eq "{user}"')),
        Workload(
            name="the same without groups",
            path="/Users" + filtered('userName eq "{user}"', "&excludedAttributes=groups"),
        ),
        Workload(name="user by id", path="/Users/" + UUID.format("{number}")),
        Workload(
            name="user by work address",
            path="/Users" + filtered('emails[type eq "work"].value eq "{user}@example.com"'),
        ),
        Workload(name="first page of 100 users", path="/Users?startIndex=1&count=100"),
        Workload(
            name="large group without members", path=f"/Groups/{MANY_ID}?excludedAttributes=members"
        ),
        Workload(
            name="add and remove a member",
            method="PATCH",
            path=f"/Groups/{MANY_ID}",
            body=outsider,
        ),
    ]


def entries(users: int, members: int) -> Iterator[str]:
    """Write users, a group of 100 for each 200 of them, and the large group, as LDIF."""
    yield TREE
    for number in range(users):
        name = f"user-{number:06}"
        yield f"""
dn: uid={name},ou=people,{BASE}
objectClass: inetOrgPerson
entryUUID: {UUID.format(f"{number:06}")}
uid: {name}
cn: Given {name.title()}
sn: {name.title()}
givenName: Given
displayName: Given {name.title()}
mail: {name}@example.com
telephoneNumber: +47 22 22 22 22
title: Tester
employeeNumber: {number}
"""
    for number in range(users // 200):
        yield _group(f"group-{number:03}", range(number * 100, number * 100 + 100))
    yield _group(MANY, range(members)).replace("\nmember", f"\nentryUUID: {MANY_ID}\nmember", 1)


def _group(name: str, numbers: range) -> str:
    members = "".join(f"member: uid=user-{n:06},ou=people,{BASE}\n" for n in numbers)
    return f"\ndn: cn={name},ou=groups,{BASE}\nobjectClass: groupOfNames\ncn: {name}\n{members}"


@contextmanager
def directory(users: int, members: int) -> Iterator[int]:
    """Run an OpenLDAP that holds them."""
    port = free_port()
    slapd = shutil.which("slapd", path=_PATH)
    slapadd = shutil.which("slapadd", path=_PATH)
    assert slapd is not None
    assert slapadd is not None
    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder, "slapd.conf")
        configuration.write_text(f"{CONFIGURATION}directory {folder}\n")
        subprocess.run(
            [slapadd, "-q", "-f", str(configuration)],
            input="".join(entries(users, members)),
            check=True,
            text=True,
        )
        url = f"ldap://127.0.0.1:{port}"
        with process(port, slapd, "-d", "none", "-f", str(configuration), "-h", url):
            yield port


@contextmanager
def gateway(directory: int) -> Iterator[int]:
    """Run a gateway as the preset has it, in front of a directory."""
    port = free_port()
    plugin = json.loads(PRESET.read_text())
    plugin["scimgateway"]["port"] = port
    entity = plugin["endpoint"]["entity"]["undefined"]
    entity["baseUrls"] = [f"ldap://127.0.0.1:{directory}"]
    entity["tls"]["startTls"] = False
    with load.gateway(port, "plugin-openldap", plugin):
        yield port


def compare(users: int, members: int, runs: int, seconds: int) -> None:
    """Print each workload's figures and its ratio to the bare client."""
    if shutil.which("slapd", path=_PATH) is None:
        print("\nskipped: a directory, for slapd is not installed: apt-get install slapd")
        return
    print(
        f"\nOpenLDAP with {users} users, a group of {members}, {CONNECTIONS} connections, "
        f"{runs} runs of {seconds} s in turn; the baseline is ldaptor's LDAPClient"
    )
    with directory(users, members) as server, gateway(server) as port:

        def drive(workload: Workload) -> Figures:
            return load.measure(port, workload, users, seconds)

        def bare(workload: Workload, _: int) -> float:
            command = [sys.executable, "-m", "benchmarks.bare_ldap", str(server), workload.name]
            run = subprocess.run(
                [*command, str(users), str(seconds)], check=True, stdout=subprocess.PIPE, text=True
            )
            return float(run.stdout)

        load.compare(port, workloads(users), runs, drive, bare)
