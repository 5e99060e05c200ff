"""What a directory, its limits and its settings keep from clients of the gateway."""

from __future__ import annotations

from pathlib import Path

from tests.live import certificates
from tests.live.directory import known_by
from tests.live.gateway import Gateway, GatewayCase, Json, add, preset, replace, segment
from tests.live.slapd import OPENLDAP, Slapd

SECRETS = ("secret", "wrong-secret", "password")


def by_dn(document: Json) -> Json:
    """Take DNs for ids."""
    document["endpoint"]["map"] = known_by(
        {
            kind: {("dn" if name == "entryUUID" else name): rule for name, rule in rules.items()}
            for kind, rules in document["endpoint"]["map"].items()
        },
        "dn",
    )
    return document


class WallTests(GatewayCase):
    """What isn't a gateway's to see."""

    async def assert_unseen(self, gateway: Gateway, type: str, id: str, body: Json) -> None:
        """Check that a resource can't be read, changed or removed, nor found."""
        path = f"/{type}/{segment(id)}"
        await gateway.get(path, 404)
        await gateway.put(path, body, 404)
        await gateway.patch(path, replace("displayName", "x"), status=404)
        await gateway.delete(path, 404)
        self.assertEqual([], await gateway.found(f"/{type}", f'id eq "{id}"'))

    async def test_bases(self) -> None:
        """What is below another base isn't there, by UUID or by DN, nor can it be a member."""
        server = await OPENLDAP.get(self)
        for known in (lambda document: document, by_dn):
            units = [await self.unit(server), await self.unit(server)]
            ours, theirs = (self.serve(known(preset(server, unit, {}))) for unit in units)
            ada = await theirs.post("/Users", {"userName": "ada"})
            group = await theirs.post("/Groups", {"displayName": "Analysts"})
            await self.assert_unseen(ours, "Users", ada["id"], {"userName": "ada"})
            await self.assert_unseen(ours, "Groups", group["id"], {"displayName": "Analysts"})
            # a user isn't a group, either
            await self.assert_unseen(theirs, "Groups", ada["id"], {"displayName": "Analysts"})
            await self.assert_unseen(theirs, "Users", group["id"], {"userName": "ada"})
            mine = await ours.post("/Groups", {"displayName": "Mine"})
            await ours.patch(
                f"/Groups/{segment(mine['id'])}",
                add("members", [{"value": ada["id"]}]),
                status=400,
            )
            self.assertEqual(ada, await theirs.get(f"/Users/{segment(ada['id'])}"))
            self.assertEqual(0, (await ours.get("/Users"))["totalResults"])

    async def test_no_base(self) -> None:
        """A base that isn't there is the gateway's trouble: nobody is gone, as 404 would say."""
        server = await OPENLDAP.get(self)
        for known in (lambda document: document, by_dn):
            unit = await self.unit(server)
            base = f"ou=gone,{unit}"
            document = known(preset(server, unit, {}))
            document["endpoint"]["entity"]["undefined"]["ldap"]["userBase"] = base
            gateway = self.serve(document)
            id = f"uid=ada,{base}" if known is by_dn else "1cef3642-7ca4-1041-935e-29416d844f8f"
            path = f"/Users/{segment(id)}"
            for answer in (
                await gateway.get(path, 502),
                await gateway.get("/Users", 502),
                await gateway.get("/Users?filter=userName%20eq%20%22ada%22", 502),
                await gateway.post("/Users", {"userName": "ada"}, 502),
                await gateway.patch(path, replace("displayName", "x"), status=502),
                await gateway.delete(path, 502),
            ):
                self.assertIn(f"the base {base!r} isn't there, or hidden", answer["detail"])

    async def test_filters(self) -> None:
        """What userFilter and groupFilter don't select isn't there."""
        server = await OPENLDAP.get(self)
        for known in (lambda document: document, by_dn):
            unit = await self.unit(server)
            whole = self.serve(known(preset(server, unit, {})))
            limits = {
                "userFilter": "(!(employeeType=Director))",
                "groupFilter": "(!(cn=Board*))",
            }
            part = self.serve(known(preset(server, unit, limits)))
            boss = await whole.post("/Users", {"userName": "boss", "userType": "Director"})
            board = await whole.post("/Groups", {"displayName": "Board of Directors"})
            clerk = await whole.post("/Users", {"userName": "clerk"})
            await self.assert_unseen(part, "Users", boss["id"], {"userName": "boss"})
            await self.assert_unseen(
                part, "Groups", board["id"], {"displayName": "Board of Directors"}
            )
            found = (await part.get("/Users?filter=userType%20ne%20%22x%22"))["Resources"]
            self.assertEqual([clerk["id"]], [each["id"] for each in found])
            # who would be hidden at once is told so
            error = await part.post("/Users", {"userName": "other", "userType": "Director"}, 500)
            self.assertIn("filter", error["detail"])

    async def test_entities(self) -> None:
        """A base entity sees its own directory only."""
        server = await OPENLDAP.get(self)
        one, two = await self.unit(server), await self.unit(server)
        document = preset(server, one, {})
        other = preset(server, two, {})["endpoint"]["entity"]["undefined"]
        document["endpoint"]["entity"]["other"] = other
        gateway = self.serve(document)
        ada = await gateway.post("/Users", {"userName": "ada"})
        await gateway.get(f"/other/Users/{ada['id']}", 404)
        await gateway.delete(f"/other/Users/{ada['id']}", 404)
        self.assertEqual(0, (await gateway.get("/other/Users"))["totalResults"])
        await gateway.post("/other/Users", {"userName": "ada"})
        await gateway.get(f"/Users/{ada['id']}")
        await gateway.get("/nobody/Users", 404)

    async def test_size_limit(self) -> None:
        """Whom a limit binds gets all by pages, or is told that there are too many."""
        server = await self.own(lambda folder: Slapd.start(folder, sizelimit=5))
        gateway = await self.over(server, username=server.limited_dn)
        ids = [
            (await gateway.post("/Users", {"userName": f"user{number:02}", "title": "x"}))["id"]
            for number in range(12)
        ]
        group = {"displayName": "all", "members": [{"value": id} for id in ids]}
        for path in ("/Users", "/Users?filter=title%20eq%20%22x%22", "/Users?sortBy=userName"):
            error = await gateway.get(path, 400)
            self.assertEqual("tooMany", error["scimType"])
        page = await gateway.get("/Users?count=3")
        self.assertEqual((3, 4), (page["itemsPerPage"], page["totalResults"]))
        found = await gateway.found("/Users", 'userName sw "USER1"')
        self.assertCountEqual(ids[10:], [each["id"] for each in found])
        response = await gateway.request("POST", "/Groups", group)
        if response.status == 201:
            self.assertCountEqual(
                ids, [each["value"] for each in response.json()["members"]], response.body
            )
        else:
            told = (response.status, response.json()["scimType"])
            self.assertEqual((400, "tooMany"), told)

    async def test_rights(self) -> None:
        """What the gateway's account may not do is 403."""
        server = await self.own(
            lambda folder: Slapd.start(
                folder,
                access=[
                    f'access to dn.subtree="ou=groups,{Slapd.base}" by * read',
                    f'access to attrs=title by dn.exact="{Slapd.limited_dn}" read by * none',
                ],
            )
        )
        document = preset(server, "x", {}, username=server.limited_dn)
        ldap = document["endpoint"]["entity"]["undefined"]["ldap"]
        ldap.update(
            userBase=f"ou=people,{server.base}",
            groupBase=f"ou=groups,{server.base}",
            userFilter="(!(uid=limited))",
        )
        gateway = self.serve(document)
        await gateway.post("/Groups", {"displayName": "x"}, 403)
        ada = await gateway.post("/Users", {"userName": "ada"})
        await gateway.patch(f"/Users/{ada['id']}", replace("title", "x"), status=403)


class DoorTests(GatewayCase):
    """Directories that the gateway can't get into."""

    async def refused(self, reason: str, document: Json) -> None:
        """Check that reading and writing are 503, for a reason that holds no secret."""
        gateway = self.serve(document)
        with_retry = await gateway.request("GET", "/Users")
        self.assertIsNotNone(with_retry.headers["Retry-After"])
        for error in (
            with_retry.json(),
            await gateway.get("/Users/x", 503),
            await gateway.post("/Users", {"userName": "ada", "password": "wrong-secret"}, 503),
        ):
            self.assertIn(reason, error["detail"])
            for secret in SECRETS:
                self.assertNotIn(secret, error["detail"])

    async def test_password(self) -> None:
        """A wrong password of the gateway's is 503."""
        server = await OPENLDAP.get(self)
        document = preset(server, await self.unit(server), {}, password="wrong-secret")
        await self.refused("refused the gateway's credentials", document)

    async def test_authority(self) -> None:
        """A certificate that nobody vouches for is 503, over ldaps and StartTLS."""
        server = await OPENLDAP.get(self)
        other = certificates.authority(Path(self.mktemp()).absolute()).file
        for tls, url in (({"startTls": True}, server.url), ({}, server.tls_url)):
            document = preset(
                server,
                await self.unit(server),
                {},
                baseUrls=[url],
                tls={"ca": str(other), **tls},
            )
            await self.refused("has a certificate that isn't trusted", document)

    async def test_host(self) -> None:
        """A certificate for another host is 503, unless nobody is to look."""
        server = await self.own(lambda folder: Slapd.start(folder, hosts=("elsewhere.example",)))
        unit = await self.unit_past_tls(server)
        document = preset(server, unit, {})
        await self.refused("has a certificate for another host name", document)
        tls = {"startTls": True, "rejectUnauthorized": False}
        gateway = self.serve(preset(server, unit, {}, tls=tls))
        await gateway.post("/Users", {"userName": "ada"})

    async def unit_past_tls(self, server: Slapd) -> str:
        """Make room in a server whose certificate is for nobody."""
        await server.load(
            "".join(
                f"dn: {dn}\nobjectClass: organizationalUnit\n\n"
                for dn in (
                    f"ou=x,{server.base}",
                    f"ou=people,ou=x,{server.base}",
                    f"ou=groups,ou=x,{server.base}",
                )
            )
        )
        return f"ou=x,{server.base}"

    async def test_no_tls(self) -> None:
        """A server that can't do StartTLS is 503, and nothing is sent in the clear."""
        folders = []

        async def start(folder: Path) -> Slapd:
            folders.append(folder)
            return await Slapd.start(folder)

        server = await self.own(start)
        await server.stop()
        file = folders[0] / "slapd.conf"
        lines = file.read_text().splitlines(keepends=True)
        file.write_text("".join(line for line in lines if not line.startswith("TLS")))
        await server.start_again()
        await self.refused("refused StartTLS", preset(server, server.base, {}))

    async def test_away(self) -> None:
        """A server that isn't there is 503; once it is there, all is well."""
        server = await self.own(Slapd.start)
        gateway = await self.over(server)
        await gateway.get("/Users")
        await server.stop()
        error = await gateway.get("/Users", 503)
        await gateway.get("/Users", 503)
        self.assertIn("the directory", error["detail"])
        await server.start_again()
        await gateway.eventually("/Users")
