"""What programs that others have written say of a running gateway."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, TypeVar
from unittest import SkipTest

from twisted.internet.threads import deferToThread

from tests.live.ports import free_port
from tests.service.process import CREDENTIALS, ROOT, Json, ServiceCase

T = TypeVar("T")
PREFIX = "/api/2.0/preview/scim/v2"
"""Where Databricks has its SCIM endpoints."""

TYPE = ROOT / "tests" / "rfc" / "test-resource.json"
MISFILLED = (
    *("Input should be a valid number", "Input should be a valid datetime"),
    *("must be a number, not", "must be a dateTime such as"),
)
"""RFC 7643 sections 2.3.3 and 2.3.5: a decimal is a number, a dateTime a moment; the judge fills
both with any text, which its own model refuses, or the gateway."""
UNASKED = "Attribute 'notes' was not"
"""RFC 7643 section 7, `request`: what is written is answered, which the judge finds; but a query
gives it only if `attributes` names it, and the judge's next query doesn't."""

UNENCODED = "unexpected value for 'key'"
"""RFC 7643 section 2.3.6: what is binary is written in base64, and is answered as it was written;
the judge compares its text with the bytes that its own model makes of the same text."""


def own_type(*, whole: bool) -> list[Json]:
    """Give the type of every characteristic, fit for a judge that fills what is required only.

    RFC 7643 section 2.5: an attribute without a value is left out, whatever section 7 says of when
    it is returned; the judge wants to see one that is always returned, and so it has to give it.
    """
    documents: list[Json] = json.loads(TYPE.read_text("utf-8"))
    for document in documents:
        document["attributes"] = [
            {**each, "required": each.get("required", False) or each.get("returned") == "always"}
            for each in document.pop("attributes", ())
            if whole or each.get("type") not in {"decimal", "dateTime"}
        ]
    return [{k: v for k, v in each.items() if v != []} for each in documents]


def judge_module(name: str) -> Any:
    """Import what isn't needed to run the gateway."""
    return import_module(name)


class JudgeCase(ServiceCase):
    """Runs a gateway, and before it what blocks, in a thread."""

    package = ""

    async def judged(self, judge: Callable[[int], T], type: Sequence[Json] = ()) -> T:
        """Give what a judge of a gateway at a port finds; the gateway may have a type more."""
        if importlib.util.find_spec(self.package) is None:
            raise SkipTest(f"{self.package} isn't installed")
        port = free_port()
        scim = {"me": {"gwadmin": "bjensen"}, "resourceTypes": [TYPE.name] if type else []}
        folder = self.one(port, scim=scim)
        (folder / "schemas").mkdir()
        (folder / "schemas" / TYPE.name).write_text(json.dumps(type), "utf-8")
        await self.start(folder)
        found: T = await deferToThread(judge, port)
        return found


def scim2_client(port: int) -> Any:
    """Make a client of the scim2 family, which checks every answer against its schemas."""
    http = judge_module("httpx2").Client(
        base_url=f"http://127.0.0.1:{port}", headers={"Authorization": CREDENTIALS}
    )
    client = judge_module("scim2_client.engines.httpx2").SyncSCIMClient(http)
    client.discover()
    return client


class TesterTests(JudgeCase):
    """scim2-tester: over a hundred checks of what discovery announces."""

    package = "scim2_tester"

    async def test_all_checks(self) -> None:
        """Every check succeeds, none is left out."""

        def judge(port: int) -> list[tuple[str, str]]:
            check_server = judge_module("scim2_tester").check_server
            return [
                (each.status.name, f"{each.title}: {each.description} {each.reason}")
                for each in check_server(scim2_client(port))
            ]

        found = await self.judged(judge)
        self.assertGreater(len(found), 100)
        self.assertEqual([], [each for each in found if each[0] != "SUCCESS"])

    async def failing(self, *, whole: bool) -> list[str]:
        """Give why checks fail, of a type of one's own."""

        def judge(port: int) -> list[str]:
            check_server = judge_module("scim2_tester").check_server
            return [
                f"{each.title}: {each.reason}"
                for each in check_server(scim2_client(port))
                if each.status.name != "SUCCESS"
            ]

        return await self.judged(judge, own_type(whole=whole))

    async def test_own_type(self) -> None:
        """Of a type with every characteristic only that fails of which the judge is wrong."""
        found = await self.failing(whole=False)
        self.assertEqual(4, len(found), found)
        for each in found:
            self.assertTrue(any(why in each for why in (UNASKED, UNENCODED)), each)

    async def test_misfilled(self) -> None:
        """With decimals and dateTimes nothing else fails but what the judge fills wrongly."""
        found = await self.failing(whole=True)
        self.assertGreater(len(found), 4)
        for each in found:
            self.assertTrue(any(why in each for why in (UNASKED, UNENCODED, *MISFILLED)), each)


class ClientTests(JudgeCase):
    """scim2-client: models made of /Schemas, to which every answer must fit."""

    package = "scim2_client"

    async def test_life_of_a_user(self) -> None:
        """A user is made, found in every way, changed, replaced and deleted."""

        def judge(port: int) -> list[Any]:
            request = judge_module("scim2_models").SearchRequest
            client = scim2_client(port)
            user = client.get_resource_model("User")
            made = client.create(user(user_name="jane", display_name="Jane"))
            searched = client.search(user, request(filter='userName eq "jane"', count=1))
            everywhere = client.search(search_request=request(filter='displayName eq "jane"'))
            made.display_name = "Jane D."
            replaced = client.replace(made)
            read = client.query(user, made.id)
            client.delete(user, made.id)
            left = client.query(user).total_results
            return [
                searched.resources[0].id == made.id,
                everywhere.total_results,
                replaced.display_name,
                read.display_name,
                left,
            ]

        self.assertEqual([True, 1, "Jane D.", "Jane D.", 2], await self.judged(judge))

    async def test_cursors(self) -> None:
        """Cursors are followed."""

        def judge(port: int) -> list[Any]:
            request = judge_module("scim2_models").SearchRequest
            client = scim2_client(port)
            user = client.get_resource_model("User")
            first = client.search(user, request(cursor="", count=1))
            second = client.search(user, request(cursor=first.next_cursor, count=1))
            return [first.resources[0].user_name, second.resources[0].user_name, second.next_cursor]

        self.assertEqual(["bjensen", "jsmith", None], await self.judged(judge))

    async def test_bulk(self) -> None:
        """Bulk requests are answered as its models want it."""

        def judge(port: int) -> list[Any]:
            answer = scim2_client(port).bulk(
                {
                    "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
                    "Operations": [
                        {
                            "method": "POST",
                            "path": "/Groups",
                            "bulkId": "g",
                            "data": {"displayName": "g", "members": [{"value": "bulkId:u"}]},
                        },
                        {
                            "method": "POST",
                            "path": "/Users",
                            "bulkId": "u",
                            "data": {"userName": "jane"},
                        },
                        {"method": "DELETE", "path": "/Users/nobody"},
                    ],
                },
                check_request_payload=False,
            )
            return [each.status for each in answer.operations]

        self.assertEqual(["201", "201", "404"], [str(each) for each in await self.judged(judge)])

    async def test_me(self) -> None:
        """Who one is can be asked."""

        def judge(port: int) -> str:
            name: str = scim2_client(port).query(judge_module("scim2_client").Me).user_name
            return name

        self.assertEqual("bjensen", await self.judged(judge))


class DatabricksTests(JudgeCase):
    """databricks-sdk: sends no schemas, and single-attribute replaces."""

    package = "databricks.sdk"

    def client(self, port: int) -> Any:
        """Make a client, whose paths begin where the gateway's do."""
        client = judge_module("databricks.sdk").WorkspaceClient(
            host=f"http://127.0.0.1:{port}",
            username="gwadmin",
            password="password",
            auth_type="basic",
        )
        inner = client.api_client.do

        def do(method: str, path: str, **more: Any) -> Any:
            return inner(method, path.replace(PREFIX, "/scim/v2"), **more)

        client.api_client.do = do
        return client

    async def test_users(self) -> None:
        """Users are made, listed page by page, changed and deleted."""

        def judge(port: int) -> list[Any]:
            iam = judge_module("databricks.sdk.service.iam")
            users = iam.UsersV2API(self.client(port).api_client)
            made = users.create(
                user_name="jane@example.com",
                active=True,
                name=iam.Name(given_name="Jane", family_name="Doe"),
                emails=[iam.ComplexValue(value="jane@example.com", type="work", primary=True)],
            )
            listed = [each.user_name for each in users.list(count=1, sort_by="userName")]
            replace = iam.Patch(op=iam.PatchOp.REPLACE, path="displayName", value="Jane")
            users.patch(
                made.id,
                operations=[replace],
                schemas=list(iam.PatchSchema),
            )
            read = users.get(made.id)
            users.update(made.id, user_name="jane@example.com", display_name="J")
            replaced = users.get(made.id)
            users.delete(made.id)
            found = list(users.list(filter='userName eq "jane@example.com"'))
            return [listed, read.display_name, replaced.display_name, replaced.name, found]

        listed = ["bjensen", "jane@example.com", "jsmith"]
        self.assertEqual([listed, "Jane", "J", None, []], await self.judged(judge))

    async def test_groups(self) -> None:
        """Groups are made with members, which come and go."""

        def judge(port: int) -> list[Any]:
            iam = judge_module("databricks.sdk.service.iam")
            groups = iam.GroupsV2API(self.client(port).api_client)
            made = groups.create(display_name="g", members=[iam.ComplexValue(value="bjensen")])
            groups.patch(
                made.id,
                operations=[
                    iam.Patch(op=iam.PatchOp.ADD, path="members", value=[{"value": "jsmith"}]),
                    iam.Patch(op=iam.PatchOp.REMOVE, path='members[value eq "bjensen"]'),
                ],
                schemas=list(iam.PatchSchema),
            )
            members = [each.value for each in groups.get(made.id).members]
            groups.delete(made.id)
            return [members, sorted(each.display_name for each in groups.list())]

        self.assertEqual([["jsmith"], ["Admins", "Employees"]], await self.judged(judge))


class SlackTests(JudgeCase):
    """slack_sdk: speaks SCIM 1.1, of which all but PATCH is the same on the wire."""

    package = "slack_sdk"

    def client(self, port: int) -> Any:
        """Make a client."""
        return judge_module("slack_sdk.scim").SCIMClient(
            token="",
            base_url=f"http://127.0.0.1:{port}/scim/v2/",
            default_headers={"Authorization": CREDENTIALS},
        )

    async def test_users_and_groups(self) -> None:
        """Users and groups are made, found, replaced and deleted."""

        def judge(port: int) -> list[Any]:
            slack = judge_module("slack_sdk.scim")
            users = judge_module("slack_sdk.scim.v1.user")
            member = judge_module("slack_sdk.scim.v1.group").GroupMember
            client = self.client(port)
            made = client.create_user(
                slack.User(
                    user_name="jane",
                    name=users.UserName(given_name="Jane", family_name="Doe"),
                    emails=[users.UserEmail(value="jane@example.com")],
                )
            )
            found = client.search_users(count=10, start_index=1, filter='userName Eq "jane"').users
            user = client.read_user(made.user.id).user
            user.display_name = "J"
            # it reads an array into an array, which isn't what RFC 7643 section 3 calls schemas
            user.schemas = None
            replaced = client.update_user(user)
            group = client.create_group(
                slack.Group(display_name="g", members=[member(value=made.user.id)])
            )
            members = [each.value for each in client.read_group(group.group.id).group.members]
            return [
                made.status_code,
                [each.user_name for each in found],
                replaced.user.display_name,
                group.status_code,
                members == [made.user.id],
                client.delete_group(group.group.id).status_code,
                client.delete_user(made.user.id).status_code,
            ]

        self.assertEqual([201, ["jane"], "J", 201, True, 204, 204], await self.judged(judge))

    async def test_patch(self) -> None:
        """Its PATCH is that of SCIM 1.1, a part of a resource: RFC 7644 3.5.2 has another."""

        def judge(port: int) -> Json:
            answer = self.client(port).patch_user("bjensen", {"title": "x"})
            return {"status": answer.status_code, "type": answer.body["scimType"]}

        self.assertEqual({"status": 400, "type": "invalidSyntax"}, await self.judged(judge))
