"""The baseline of ldap.py: a bare `LDAPClient` that does a workload's operations, and no more.

It is told port, workload, number of users, and seconds, and prints how often it did the workload
per second.  What the directory answers is decoded by ldaptor, looked at for success, and dropped.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from ldaptor.protocols import pureber, pureldap
from ldaptor.protocols.ldap.ldapclient import LDAPClient
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.task import react

from benchmarks.ldap import BASE, MANY_ID, PRESET, UUID
from benchmarks.load import CONNECTIONS, MANY

PEOPLE = f"ou=people,{BASE}"
GROUPS = f"ou=groups,{BASE}"
PAGED = "1.2.840.113556.1.4.319"
MATCHED_VALUES = "1.2.826.0.1.3344810.2.3"

_MAP = json.loads(PRESET.read_text())["endpoint"]["map"]
_USER = [name for name in _MAP["user"] if name != "userPassword"]
_GROUP = [name for name in _MAP["group"] if name != "member"]

_WRITTEN = {0, 20}
"""Success; attribute or value exists, as the run before may have left it."""

Work = Callable[[int], Awaitable[None]]
"""Does a workload once, on behalf of a worker by its number."""


def _equal(name: str, value: str) -> Any:
    return pureldap.LDAPFilter_equalityMatch(
        attributeDesc=pureldap.LDAPAttributeDescription(name),
        assertionValue=pureldap.LDAPAssertionValue(value),
    )


def _page(size: int) -> tuple[str, bool, bytes]:
    value = pureber.BERSequence([pureber.BERInteger(size), pureber.BEROctetString(b"")])
    return PAGED, True, value.toWire()


class Bare:
    """A client, and a directory of so many users."""

    def __init__(self, client: LDAPClient, users: int) -> None:
        """Begin with a bound connection."""
        self._client = client
        self._users = users
        self._added: set[int] = set()
        """Workers whose members are in the large group."""

    def work(self, name: str) -> Work:
        """Choose what a workload does."""
        return {
            "user by userName": lambda _: self._user("uid", "user-{}", groups=True),
            "the same without groups": lambda _: self._user("uid", "user-{}", groups=False),
            "user by id": lambda _: self._user("entryUUID", UUID, groups=True),
            "user by work address": lambda _: self._user(
                "mail", "user-{}@example.com", groups=True
            ),
            "first page of 100 users": lambda _: self._first_page(),
            "large group without members": lambda _: self._group(),
            "add and remove a member": self._add_and_remove,
        }[name]

    async def _user(self, attribute: str, form: str, *, groups: bool) -> None:
        number = random.randrange(self._users)  # noqa: S311 - no secret
        found = await self._search(
            PEOPLE, "inetOrgPerson", _equal(attribute, form.format(f"{number:06}")), _USER, 200
        )
        assert len(found) == 1
        if groups:
            await self._groups_of(found)

    async def _first_page(self) -> None:
        found = await self._search(PEOPLE, "inetOrgPerson", None, _USER, 100)
        assert len(found) == 100  # noqa: PLR2004 - as was asked
        await self._groups_of(found)

    async def _groups_of(self, users: list[Any]) -> None:
        members = [_equal("member", user.objectName) for user in users]
        either = members[0] if len(members) == 1 else pureldap.LDAPFilter_or(members)
        shown = [pureldap.LDAPFilter_present("cn"), pureldap.LDAPFilter_present("entryUUID")]
        matched = MATCHED_VALUES, None, pureber.BERSequence([*members, *shown]).toWire()
        names = ["member", "cn", "entryUUID"]
        await self._search(GROUPS, "groupOfNames", either, names, 200, matched)

    async def _group(self) -> None:
        found = await self._search(
            GROUPS, "groupOfNames", _equal("entryUUID", MANY_ID), _GROUP, None
        )
        assert len(found) == 1

    async def _add_and_remove(self, worker: int) -> None:
        # the last user is the gateway's
        member = f"uid=user-{self._users - 2 - worker:06},{PEOPLE}"
        self._added ^= {worker}
        kind = 0 if worker in self._added else 1
        values = pureber.BERSet([pureldap.LDAPAttributeValue(member)])
        change = pureber.BERSequence([pureldap.LDAPAttributeDescription("member"), values])
        request = pureldap.LDAPModifyRequest(
            object=f"cn={MANY},{GROUPS}",
            modification=[pureber.BERSequence([pureber.BEREnumerated(kind), change])],
        )
        answer = await self._client.send(request)
        assert answer.resultCode in _WRITTEN, answer.errorMessage

    async def _search(
        self,
        base: str,
        object_class: str,
        test: Any | None,
        names: list[str],
        page: int | None,
        *controls: Any,
    ) -> list[Any]:
        kind = _equal("objectClass", object_class)
        request = pureldap.LDAPSearchRequest(
            baseObject=base,
            filter=kind if test is None else pureldap.LDAPFilter_and([kind, test]),
            attributes=names,
        )
        entries: list[Any] = []
        done: Deferred[Any] = Deferred()

        def read(answer: Any, _: Any) -> bool:
            if isinstance(answer, pureldap.LDAPSearchResultDone):
                done.callback(answer)
                return True
            entries.append(answer)
            return False

        paging = [] if page is None else [_page(page)]
        self._client.send_multiResponse_ex(request, [*controls, *paging] or None, read)
        answer = await done
        assert answer.resultCode == 0, answer.errorMessage
        return entries


async def main(reactor: Any, port: str, name: str, users: str, seconds: str) -> None:
    """Do a workload for some seconds, and print the rate."""
    endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", int(port))
    client = await connectProtocol(endpoint, LDAPClient())
    await client.bind(f"cn=scimgw,{BASE}", "password")
    work = Bare(client, int(users)).work(name)
    count = 0
    start = reactor.seconds()

    async def go_on(worker: int) -> None:
        nonlocal count
        while reactor.seconds() < start + float(seconds):
            await work(worker)
            count += 1

    await gatherResults([Deferred.fromCoroutine(go_on(n)) for n in range(CONNECTIONS)])
    print(count / (reactor.seconds() - start))


if __name__ == "__main__":
    react(lambda reactor: Deferred.fromCoroutine(main(reactor, *sys.argv[1:])))
