"""Connections to real directories: TLS, refusals, pages, and a server that is killed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from attrs import evolve
from twisted.internet import reactor as installed
from twisted.internet.defer import CancelledError, Deferred, DeferredList

from connectors.ldap import filtertext
from connectors.ldap.client import Client
from connectors.ldap.dn import child, normal
from connectors.ldap.pool import Limits, Pool
from connectors.ldap.request import (
    EXTENDED_DN,
    NO_ATTRIBUTES,
    PERMISSIVE_MODIFY,
    Kind,
    Modification,
    Scope,
    Search,
    matched_values,
)
from connectors.ldap.result import ConnectionLost, LdapError, ResultCode, TransportError
from connectors.ldap.server import Server, Tls, parse_url, trust
from scimgw.errors import Unavailable
from scimgw.secret import Secret
from tests.live import certificates
from tests.live.case import LiveCase
from tests.live.samba import ACTIVE_DIRECTORY, Samba
from tests.live.slapd import OPENLDAP, Slapd

reactor: Any = installed
HOSTILE = ' #"+,;<>=\\*()ä😀 '
LIMITS = Limits(size=4, connect_timeout=60, timeout=60, wait=60)


def person(name: str) -> dict[str, list[bytes]]:
    """Describe a person."""
    return {
        "objectClass": [b"inetOrgPerson"],
        "uid": [name.encode()],
        "cn": [name.encode()],
        "sn": [b"x"],
    }


class ClientCase(LiveCase):
    """Talks to directories through pools, which leave nothing behind."""

    def server(self, directory: Slapd | Samba, **settings: Any) -> Server:
        """Say where a directory is; over ldaps, unless the settings say otherwise."""
        address = parse_url(directory.tls_url)
        server = Server(
            host=address.host,
            port=address.port,
            tls=address.tls,
            trust_root=trust(directory.ca_file.read_bytes()),
            bind_dn=directory.bind_dn,
            password=Secret(directory.password),
        )
        return evolve(server, **settings)

    def pool(self, server: Server, limits: Limits = LIMITS) -> Pool:
        """Keep connections until the test ends."""
        pool = Pool(server, limits, reactor, reactor)
        self.addCleanup(lambda: Deferred.fromCoroutine(pool.close()))
        return pool

    async def refused(self, server: Server, text: str) -> None:
        """Expect that there is no connection, and why."""
        with self.assertRaises(Unavailable) as raised:
            await self.pool(server).take()
        self.assertIn(text, raised.exception.detail)
        self.assertNotIn(server.password.reveal(), raised.exception.detail)

    async def works(self, pool: Pool, directory: Slapd | Samba) -> None:
        """Expect that there is a connection, and that it is bound."""
        async with pool.lease() as client:
            found = await client.search(Search(base=directory.base, scope=Scope.BASE))
        self.assertEqual([normal(directory.base)], [normal(entry.dn) for entry in found.entries])


class OpeningTests(ClientCase):
    """Getting in, or not."""

    async def test_ldaps(self) -> None:
        """Over ldaps a certificate holds for its names and addresses."""
        slapd = await OPENLDAP.get(self)
        for host in ("127.0.0.1", "localhost"):
            await self.works(self.pool(self.server(slapd, host=host)), slapd)

    async def test_start_tls(self) -> None:
        """So it does with StartTLS."""
        slapd = await OPENLDAP.get(self)
        server = self.server(slapd, port=slapd.port, tls=Tls.START_TLS)
        await self.works(self.pool(server), slapd)

    async def test_clear(self) -> None:
        """Without TLS it works too."""
        slapd = await OPENLDAP.get(self)
        await self.works(self.pool(self.server(slapd, port=slapd.port, tls=Tls.NONE)), slapd)

    async def test_untrusted(self) -> None:
        """Who is vouched for by nobody that is trusted is refused."""
        slapd = await OPENLDAP.get(self)
        other = trust(certificates.authority(Path(self.mktemp())).file.read_bytes())
        for server in (
            self.server(slapd, trust_root=other),
            self.server(slapd, trust_root=None),
            self.server(slapd, trust_root=other, port=slapd.port, tls=Tls.START_TLS),
        ):
            await self.refused(server, "has a certificate that isn't trusted")

    async def test_wrong_host(self) -> None:
        """Who has a certificate for somebody else is refused."""
        slapd = await self.own(partial(Slapd.start, hosts=["elsewhere.example"]))
        for server in (
            self.server(slapd),
            self.server(slapd, port=slapd.port, tls=Tls.START_TLS),
        ):
            await self.refused(server, "has a certificate for another host name")
            await self.works(self.pool(evolve(server, verify=False)), slapd)

    async def test_no_tls(self) -> None:
        """Who doesn't speak TLS on its port takes its leave."""
        slapd = await OPENLDAP.get(self)
        await self.refused(self.server(slapd, port=slapd.port), "closed the connection")

    async def test_wrong_password(self) -> None:
        """A wrong password is told, and not shown."""
        slapd = await OPENLDAP.get(self)
        server = self.server(slapd, password=Secret("wrong-one"))
        await self.refused(server, "refused the gateway's credentials")

    async def test_nobody_there(self) -> None:
        """Where nobody listens, the connection is refused."""
        slapd = await OPENLDAP.get(self)
        server = self.server(slapd, host="127.0.0.2")
        await self.refused(server, "refused the connection")


class OperationTests(ClientCase):
    """What a real directory makes of what is sent."""

    async def using(self) -> tuple[Client, str]:
        """Have a connection to the shared directory, and the DN above people."""
        slapd = await OPENLDAP.get(self)
        pool = self.pool(self.server(slapd))
        lease = await pool.take()
        self.addCleanup(lambda: pool.give_back(lease))
        return lease.client, f"ou=people,{slapd.base}"

    async def test_life(self) -> None:
        """An entry of a hostile name is added, found, changed, and deleted."""
        client, people = await self.using()
        dn = child("cn", HOSTILE, people)
        await client.add(dn, person(HOSTILE))
        value = "".join(f"\\{octet:02x}" for octet in HOSTILE.encode())
        search = Search(base=people, filter=filtertext.parse(f"(uid={value})"))
        (entry,) = (await client.search(search)).entries
        self.assertEqual([HOSTILE.encode()], entry.attributes["cn"])
        again = await client.search(evolve(search, base=entry.dn, scope=Scope.BASE))
        self.assertEqual([entry.dn], [each.dn for each in again.entries])
        await client.modify(
            dn,
            [
                Modification(Kind.ADD, "description", (b"\xc3\xa4", b"b")),
                Modification(Kind.DELETE, "description", (b"b",)),
                Modification(Kind.REPLACE, "sn", (b"y",)),
            ],
        )
        (entry,) = (await client.search(evolve(search, attributes=("sn", "description")))).entries
        self.assertEqual({"sn": [b"y"], "description": [b"\xc3\xa4"]}, entry.attributes)
        await client.delete(dn)
        with self.assertRaises(LdapError) as raised:
            await client.delete(dn)
        self.assertEqual(ResultCode.NO_SUCH_OBJECT, raised.exception.code)
        self.assertEqual(people, raised.exception.matched_dn)

    async def test_codes(self) -> None:
        """What isn't success is an error with the directory's reason."""
        client, people = await self.using()
        await client.add(child("uid", "twice", people), person("twice"))
        self.addCleanup(
            lambda: Deferred.fromCoroutine(client.delete(child("uid", "twice", people)))
        )
        with self.assertRaises(LdapError) as raised:
            await client.add(child("uid", "twice", people), person("twice"))
        self.assertEqual(ResultCode.ENTRY_ALREADY_EXISTS, raised.exception.code)
        with self.assertRaises(LdapError) as raised:
            await client.add(child("uid", "x", people), {"objectClass": [b"inetOrgPerson"]})
        self.assertEqual(ResultCode.OBJECT_CLASS_VIOLATION, raised.exception.code)
        self.assertIn("sn", raised.exception.message)

    async def test_permissive(self) -> None:
        """What is there may be added again, and an attribute deleted that isn't, if asked so.

        To delete one value that isn't there from among others stays an error with OpenLDAP.
        """
        client, people = await self.using()
        dn = child("uid", "permissive", people)
        await client.add(dn, person("permissive"))
        self.addCleanup(lambda: Deferred.fromCoroutine(client.delete(dn)))
        changes = [
            Modification(Kind.ADD, "sn", (b"x",)),
            Modification(Kind.DELETE, "description", (b"nope",)),
        ]
        await client.modify(dn, changes, [PERMISSIVE_MODIFY])
        with self.assertRaises(LdapError) as raised:
            await client.modify(
                dn, [Modification(Kind.DELETE, "sn", (b"nope",))], [PERMISSIVE_MODIFY]
            )
        self.assertEqual(ResultCode.NO_SUCH_ATTRIBUTE, raised.exception.code)
        with self.assertRaises(LdapError) as raised:
            await client.modify(dn, changes)
        self.assertEqual(ResultCode.ATTRIBUTE_OR_VALUE_EXISTS, raised.exception.code)

    async def test_matched_values(self) -> None:
        """Of many values only those come that are asked for."""
        client, people = await self.using()
        dn = child("uid", "values", people)
        await client.add(dn, {**person("values"), "description": [b"one", b"two"]})
        self.addCleanup(lambda: Deferred.fromCoroutine(client.delete(dn)))
        found = await client.search(
            Search(
                base=dn,
                scope=Scope.BASE,
                attributes=("description",),
                controls=(matched_values([filtertext.parse("(description=two)")]),),
            )
        )
        self.assertEqual({"description": [b"two"]}, found.entries[0].attributes)

    async def test_set_password(self) -> None:
        """A password is set by the directory, which then lets its owner in."""
        client, people = await self.using()
        dn = child("uid", "owner", people)
        await client.add(dn, person("owner"))
        self.addCleanup(lambda: Deferred.fromCoroutine(client.delete(dn)))
        await client.set_password(dn, Secret("päss"))
        slapd = await OPENLDAP.get(self)
        owner = self.pool(self.server(slapd, bind_dn=dn, password=Secret("päss")))
        await self.works(owner, slapd)

    async def test_cancelled(self) -> None:
        """What is cancelled leaves the connection usable."""
        client, people = await self.using()
        running = Deferred.fromCoroutine(client.search(Search(base=people)))
        running.cancel()
        with self.assertRaises(CancelledError):
            await running
        found = await client.search(Search(base=people, scope=Scope.BASE))
        self.assertEqual(1, len(found.entries))


class ManyTests(ClientCase):
    """More entries than a directory likes to give at once."""

    async def directory(self) -> tuple[Slapd, str]:
        """Start a directory with 1000 people."""
        slapd = await self.own(partial(Slapd.start, sizelimit=100))
        async with self.pool(self.server(slapd)).lease() as client:
            people = f"ou=people,{slapd.base}"
            for number in range(1000):
                await client.add(child("uid", f"u{number}", people), person(f"u{number}"))
        return slapd, people

    async def test_many(self) -> None:
        """What is cut off is an error; page by page, on one connection, all come."""
        slapd, people = await self.directory()
        limited = self.server(slapd, bind_dn=slapd.limited_dn)
        search = Search(base=people, scope=Scope.ONE, filter=filtertext.parse("(uid=u*)"))
        async with self.pool(limited).lease() as client:
            with self.assertRaises(LdapError) as raised:
                await client.search(search)
        self.assertEqual(ResultCode.SIZE_LIMIT_EXCEEDED, raised.exception.code)
        pool = self.pool(self.server(slapd))
        with self.assertRaises(LdapError):
            async with pool.lease() as client:
                await client.search(evolve(search, size_limit=999))
        lease = await pool.take()
        search = evolve(search, attributes=NO_ATTRIBUTES, page_size=150)
        names: list[str] = []
        sizes: list[int] = []
        cookie = b"begin"
        while cookie:
            found = await lease.client.search(search)
            names.extend(entry.dn for entry in found.entries)
            sizes.append(len(found.entries))
            cookie = found.cookie
            search = search.after(cookie)
            await self.works(pool, slapd)
        pool.give_back(lease)
        self.assertEqual([150] * 6 + [100], sizes)
        self.assertEqual(1000, len(set(names)))


class RestartTests(ClientCase):
    """A server that is killed, and started again."""

    async def test_killed(self) -> None:
        """What is in flight fails, so does what comes then; afterwards all is as before."""
        slapd = await self.own(Slapd.start)
        server = self.server(slapd, bind_dn=slapd.bind_dn)
        pool = self.pool(server)
        await self.works(pool, slapd)
        outcomes: list[str] = []

        async def load() -> None:
            for _ in range(500):
                try:
                    await self.works(pool, slapd)
                    outcomes.append("done")
                except (TransportError, Unavailable) as error:
                    outcomes.append(type(error).__name__)
                    return

        running = [Deferred.fromCoroutine(load()) for _ in range(8)]
        await self.until(lambda: outcomes.count("done") > 100)
        await slapd.kill()
        results = await DeferredList(running, consumeErrors=True)
        self.assertEqual([(True, None)] * 8, results)
        self.assertEqual({"done", ConnectionLost.__name__, Unavailable.__name__}, set(outcomes))
        with self.assertRaises(Unavailable):
            await pool.take()
        await slapd.start_again()
        await self.until(lambda: reactor.seconds() >= pool._next_attempt)
        await self.works(pool, slapd)
        self.assertEqual((1, 0, 0), (pool._count, len(pool._held), len(pool._waiting)))

    async def until(self, ready: Callable[[], bool]) -> None:
        """Wait for something to be so."""
        while not ready():
            waited: Deferred[None] = Deferred()
            reactor.callLater(0.01, waited.callback, None)
            await waited


class ActiveDirectoryTests(ClientCase):
    """What Active Directory does otherwise."""

    async def test_principal(self) -> None:
        """Over TLS of either kind a principal's name binds."""
        samba = await ACTIVE_DIRECTORY.get(self)
        server = self.server(samba, bind_dn=samba.principal)
        await self.works(self.pool(server), samba)
        server = evolve(server, port=samba.port, tls=Tls.START_TLS)
        await self.works(self.pool(server), samba)

    async def test_clear(self) -> None:
        """A simple bind in the clear is refused, and it is said what to do."""
        samba = await ACTIVE_DIRECTORY.get(self)
        server = self.server(samba, port=samba.port, tls=Tls.NONE)
        await self.refused(server, "wants stronger authentication: use ldaps or StartTLS")

    async def test_wrong_password(self) -> None:
        """A wrong password is told, as by OpenLDAP."""
        samba = await ACTIVE_DIRECTORY.get(self)
        server = self.server(samba, password=Secret("wrong-one"))
        await self.refused(server, "refused the gateway's credentials")

    async def test_extended_dn(self) -> None:
        """DNs come with GUIDs, by which entries are found; a search gives references too."""
        samba = await ACTIVE_DIRECTORY.get(self)
        async with self.pool(self.server(samba)).lease() as client:
            search = Search(base=samba.base, filter=filtertext.parse("(cn=Administrator)"))
            found = await client.search(evolve(search, controls=(EXTENDED_DN,)))
            guid, sid, dn = found.entries[0].dn.split(";", 2)
            self.assertTrue(guid.startswith("<GUID="))
            self.assertTrue(sid.startswith("<SID=S-1-"))
            self.assertEqual(normal(samba.bind_dn), normal(dn))
            self.assertTrue(found.references)
            (entry,) = (await client.search(Search(base=guid, scope=Scope.BASE))).entries
            self.assertEqual(dn, entry.dn)
