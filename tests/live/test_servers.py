"""The servers that other tests build on: what they must do for these to mean anything."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from attrs import frozen
from ldaptor.protocols import pureber, pureldap
from ldaptor.protocols.ldap.ldapclient import LDAPClient
from OpenSSL.SSL import Error as TlsError
from service_identity import VerificationError
from twisted.internet import reactor as installed
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol, wrapClientTLS
from twisted.internet.ssl import Certificate, optionsForClientTLS, trustRootFromCertificates
from twisted.internet.task import deferLater

from tests.live import certificates
from tests.live.case import LiveCase, Shared
from tests.live.samba import ACTIVE_DIRECTORY, Samba
from tests.live.server import Server
from tests.live.slapd import OPENLDAP, Slapd

reactor: Any = installed
SUCCESS = 0
SIZE_LIMIT_EXCEEDED = 4
STRONG_AUTH_REQUIRED = 8
CONSTRAINT_VIOLATION = 19
INVALID_CREDENTIALS = 49
INSUFFICIENT_ACCESS = 50
Entry = dict[str, list[bytes]]
Directory = Slapd | Samba


@frozen
class Client:
    """As much of a client as these tests need; result codes are for them to compare."""

    ldap: Any

    async def bind(self, name: str, password: str) -> int:
        """Bind, and give the result code."""
        return await self._code(pureldap.LDAPBindRequest(dn=name, auth=password))

    async def add(self, dn: str, entry: Entry) -> int:
        """Add an entry, and give the result code."""
        attributes = [
            (
                pureldap.LDAPAttributeDescription(name),
                pureber.BERSet([pureldap.LDAPAttributeValue(value) for value in values]),
            )
            for name, values in entry.items()
        ]
        return await self._code(pureldap.LDAPAddRequest(entry=dn, attributes=attributes))

    async def delete(self, dn: str) -> int:
        """Delete an entry, and give the result code."""
        return await self._code(pureldap.LDAPDelRequest(entry=dn))

    async def search(self, base: str, *attributes: str) -> tuple[int, dict[str, Entry]]:
        """Read all below and at a base: the result code, and what came with it, by DN."""
        found: dict[str, Entry] = {}
        done: Deferred[int] = Deferred()

        def handle(message: Any) -> bool:
            if isinstance(message, pureldap.LDAPSearchResultDone):
                done.callback(message.resultCode)
                return True
            if isinstance(message, pureldap.LDAPSearchResultEntry):
                found[message.objectName.decode()] = {
                    name.decode(): list(values) for name, values in message.attributes
                }
            return False

        request = pureldap.LDAPSearchRequest(baseObject=base, attributes=attributes)
        self.ldap.send_multiResponse(request, handle)
        return await done, found

    async def _code(self, request: Any) -> int:
        return int((await self.ldap.send(request)).resultCode)


class ServerCase(LiveCase):
    """Talks to directories."""

    async def plain(self, server: Directory) -> Client:
        """Connect in the clear."""
        endpoint = TCP4ClientEndpoint(reactor, server.address, server.port)
        return self._client(await connectProtocol(endpoint, LDAPClient()))

    async def tls(self, server: Directory, host: str, ca_file: Path | None = None) -> Client:
        """Connect over ldaps, and verify who answers."""
        endpoint = TCP4ClientEndpoint(reactor, server.address, server.tls_port)
        secured = wrapClientTLS(_options(host, ca_file or server.ca_file), endpoint)
        return self._client(await connectProtocol(secured, LDAPClient()))

    async def start_tls(self, server: Directory, host: str) -> Client:
        """Connect in the clear, then turn to TLS and verify who answers."""
        client = await self.plain(server)
        await client.ldap.startTLS(_options(host, server.ca_file))
        return client

    async def refused(
        self, server: Directory, why: type[Exception], ca_file: Path | None = None
    ) -> None:
        """Expect that a client doesn't trust this server."""
        client = await self.tls(server, server.address, ca_file)
        with self.assertRaises(why):
            await client.bind(server.bind_dn, server.password)

    def _client(self, ldap: Any) -> Client:
        self.addCleanup(lambda: Deferred.fromCoroutine(_leave(ldap)))
        return Client(ldap)


class SlapdTests(ServerCase):
    """OpenLDAP."""

    async def test_plain(self) -> None:
        """The administrator binds in the clear, with the right password only."""
        server = await OPENLDAP.get(self)
        client = await self.plain(server)
        self.assertEqual(INVALID_CREDENTIALS, await client.bind(server.bind_dn, "wrong"))
        self.assertEqual(SUCCESS, await client.bind(server.bind_dn, server.password))

    async def test_tls(self) -> None:
        """Over ldaps, the certificate holds for the address and for the name."""
        server = await OPENLDAP.get(self)
        for host in ("127.0.0.1", "localhost"):
            client = await self.tls(server, host)
            self.assertEqual(SUCCESS, await client.bind(server.bind_dn, server.password))

    async def test_start_tls(self) -> None:
        """A connection in the clear turns to TLS."""
        server = await OPENLDAP.get(self)
        client = await self.start_tls(server, "127.0.0.1")
        self.assertEqual(SUCCESS, await client.bind(server.bind_dn, server.password))

    async def test_untrusted(self) -> None:
        """Another authority of the same name vouches for nobody here."""
        server = await OPENLDAP.get(self)
        other = certificates.authority(Path(self.mktemp()))
        await self.refused(server, TlsError, other.file)

    async def test_wrong_host(self) -> None:
        """A certificate for another host is no use."""
        server = await self.own(partial(Slapd.start, hosts=["elsewhere.example"]))
        await self.refused(server, VerificationError)
        client = await self.tls(server, "elsewhere.example")
        self.assertEqual(SUCCESS, await client.bind(server.bind_dn, server.password))

    async def test_references(self) -> None:
        """Who becomes a member gets memberOf; who is deleted is a member no more."""
        server = await self.own(Slapd.start)
        await server.load(people(server, "ada", "bob") + group(server, "admins", "ada", "bob"))
        client = await self.plain(server)
        await client.bind(server.bind_dn, server.password)
        people_dn, group_dn = f"ou=people,{server.base}", f"cn=admins,ou=groups,{server.base}"
        _, found = await client.search(f"uid=ada,{people_dn}", "memberOf")
        self.assertEqual({f"uid=ada,{people_dn}": {"memberOf": [group_dn.encode()]}}, found)
        self.assertEqual(SUCCESS, await client.delete(f"uid=ada,{people_dn}"))
        _, found = await client.search(group_dn, "member")
        self.assertEqual({group_dn: {"member": [f"uid=bob,{people_dn}".encode()]}}, found)
        self.assertEqual(SUCCESS, await client.delete(f"uid=bob,{people_dn}"))
        # memberof can't take the last member out of a group that must have one; refint puts
        # another in its place, in a thread of its own, some time after the deletion is answered
        while b"cn=nobody" not in found[group_dn]["member"]:
            await deferLater(reactor, 0.05)
            _, found = await client.search(group_dn, "member")
        self.assertEqual({group_dn: {"member": [b"cn=nobody"]}}, found)

    async def test_size_limit(self) -> None:
        """An ordinary account gets as many as the limit allows, and is told; it may still write."""
        server = await self.own(partial(Slapd.start, sizelimit=5))
        await server.load(people(server, *(f"user{number}" for number in range(10))))
        client = await self.plain(server)
        await client.bind(server.limited_dn, server.password)
        code, found = await client.search(server.base, "uid")
        self.assertEqual((SIZE_LIMIT_EXCEEDED, 5), (code, len(found)))
        self.assertEqual(SUCCESS, await client.delete(f"uid=user0,ou=people,{server.base}"))
        await client.bind(server.bind_dn, server.password)
        code, found = await client.search(server.base, "uid")
        self.assertEqual((SUCCESS, 5 + 9), (code, len(found)))

    async def test_locked(self) -> None:
        """Who has a pwdAccountLockedTime can't bind."""
        server = await self.own(Slapd.start)
        await server.load(people(server, "ada", more="pwdAccountLockedTime: 000001010000Z\n"))
        await server.load(people(server, "bob"))
        codes = []
        for name in ("ada", "bob"):
            client = await self.plain(server)
            codes.append(await client.bind(f"uid={name},ou=people,{server.base}", name))
        self.assertEqual([INVALID_CREDENTIALS, SUCCESS], codes)

    async def test_access(self) -> None:
        """Rules of the test's own come before those that let users read."""
        server = await self.own(
            partial(Slapd.start, access=["access to attrs=mail by dn.exact=cn=nobody read"])
        )
        await server.load(people(server, "ada"))
        dn = f"uid=ada,ou=people,{server.base}"
        client = await self.plain(server)
        await client.bind(dn, "ada")
        self.assertEqual((SUCCESS, {dn: {"uid": [b"ada"]}}), await client.search(dn, "uid", "mail"))
        self.assertEqual(INSUFFICIENT_ACCESS, await client.delete(dn))

    async def test_restart(self) -> None:
        """A server that was killed, or stopped, comes back where it was, with its data."""
        server = await self.own(Slapd.start)
        await server.load(people(server, "ada"))
        for end in (server.kill, server.stop):
            client = await self.plain(server)
            await client.bind(server.bind_dn, server.password)
            await end()
            await server.start_again()
            client = await self.plain(server)
            await client.bind(server.bind_dn, server.password)
            code, found = await client.search(f"uid=ada,ou=people,{server.base}", "uid")
            self.assertEqual((SUCCESS, 1), (code, len(found)))

    async def test_refused_entry(self) -> None:
        """What can't be loaded is told, with the server's reason."""
        server = await OPENLDAP.get(self)
        with self.assertRaisesRegex(RuntimeError, "Object class violation"):
            await server.load(f"dn: uid=x,{server.base}\nobjectClass: inetOrgPerson\nuid: x\n")

    async def test_broken(self) -> None:
        """A server that doesn't come up fails at once, with what it says."""
        with self.assertRaisesRegex(RuntimeError, "is not served: (?s:.*)nonsense"):
            await self.own(partial(Slapd.start, access=["nonsense"]))


class SambaTests(ServerCase):
    """Active Directory."""

    async def test_tls(self) -> None:
        """The administrator binds over TLS, by either name; the certificate has both names."""
        server = await ACTIVE_DIRECTORY.get(self)
        for host in (server.address, server.host):
            client = await self.tls(server, host)
            for name in (server.principal, server.bind_dn):
                self.assertEqual(SUCCESS, await client.bind(name, server.password))

    async def test_start_tls(self) -> None:
        """A connection in the clear turns to TLS."""
        server = await ACTIVE_DIRECTORY.get(self)
        client = await self.start_tls(server, server.address)
        self.assertEqual(SUCCESS, await client.bind(server.principal, server.password))

    async def test_plain(self) -> None:
        """A simple bind in the clear is refused, as Windows does."""
        server = await ACTIVE_DIRECTORY.get(self)
        client = await self.plain(server)
        code = await client.bind(server.principal, server.password)
        self.assertEqual(STRONG_AUTH_REQUIRED, code)

    async def test_untrusted(self) -> None:
        """Another authority of the same name vouches for nobody here."""
        server = await ACTIVE_DIRECTORY.get(self)
        other = certificates.authority(Path(self.mktemp()))
        await self.refused(server, TlsError, other.file)

    async def test_user(self) -> None:
        """A user created with a password binds with it; a weak password is refused."""
        server = await ACTIVE_DIRECTORY.get(self)
        client = await self.tls(server, server.address)
        await client.bind(server.principal, server.password)
        dn = f"CN=Ada,CN=Users,{server.base}"
        self.assertEqual(CONSTRAINT_VIOLATION, await client.add(dn, account("weak")))
        self.assertEqual(SUCCESS, await client.add(dn, account("Analytic4l!")))
        user = await self.tls(server, server.address)
        self.assertEqual(SUCCESS, await user.bind("ada@ad.test", "Analytic4l!"))
        self.assertEqual(SUCCESS, await client.delete(dn))


class SharedTests(LiveCase):
    """One server for all tests."""

    async def test_once(self) -> None:
        """It is started once."""
        starts = []

        async def start(folder: Path) -> Server:
            starts.append(folder)
            return await Slapd.start(folder)

        shared = Shared(start)
        self.assertIs(await shared.get(self), await shared.get(self))
        self.assertEqual(1, len(starts))

    async def test_failure(self) -> None:
        """What fails to start isn't started again and again."""
        starts = []

        async def start(folder: Path) -> Server:
            starts.append(folder)
            raise RuntimeError("broken")

        shared = Shared(start)
        for _ in range(2):
            with self.assertRaisesRegex(RuntimeError, "broken"):
                await shared.get(self)
        self.assertEqual(1, len(starts))


def people(server: Slapd, *names: str, more: str = "") -> str:
    """Write people as LDIF, each with the name for password."""
    return "".join(
        f"dn: uid={name},ou=people,{server.base}\nobjectClass: inetOrgPerson\nuid: {name}\n"
        f"cn: {name}\nsn: {name}\nmail: {name}@example.org\nuserPassword: {name}\n{more}\n"
        for name in names
    )


def group(server: Slapd, name: str, *members: str) -> str:
    """Write a group as LDIF."""
    lines = "".join(f"member: uid={member},ou=people,{server.base}\n" for member in members)
    return (
        f"dn: cn={name},ou=groups,{server.base}\nobjectClass: groupOfNames\ncn: {name}\n{lines}\n"
    )


def account(password: str) -> Entry:
    """Describe an enabled user to Active Directory."""
    return {
        "objectClass": [b"user"],
        "sAMAccountName": [b"ada"],
        "userPrincipalName": [b"ada@ad.test"],
        "userAccountControl": [b"512"],
        "unicodePwd": [f'"{password}"'.encode("utf-16-le")],
    }


def _options(host: str, ca_file: Path) -> Any:
    authority = Certificate.loadPEM(ca_file.read_bytes())
    return optionsForClientTLS(host, trustRoot=trustRootFromCertificates([authority]))


async def _leave(ldap: Any) -> None:
    if ldap.connected:
        ldap.transport.abortConnection()
    while ldap.connected:
        await deferLater(reactor, 0)
