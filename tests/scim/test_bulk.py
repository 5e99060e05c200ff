"""Bulk requests: RFC 7644 section 3.7."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from scimgw.errors import InvalidSyntax, InvalidValue, NotFound, PayloadTooLarge
from scimgw.scim.bulk import (
    BULK_REQUEST,
    BulkOperation,
    BulkRequest,
    Refused,
    order,
    parse,
    resolved,
    without,
)
from scimgw.scim.schema import GROUP, USER

Json = dict[str, Any]


def post(bulk_id: str, **data: Any) -> Json:
    """Write the creation of a group."""
    return {"method": "POST", "path": "/Groups", "bulkId": bulk_id, "data": data}


def read(*operations: Any, **members: Any) -> BulkRequest:
    """Read a request."""
    message = {"schemas": [BULK_REQUEST], "Operations": list(operations), **members}
    return parse([USER, GROUP], message, 100)


def one(**members: Any) -> BulkOperation | Refused:
    """Read one operation."""
    return read(members).operations[0]


class ParseTests(SynchronousTestCase):
    """What a request says."""

    def test_operations(self) -> None:
        """Methods and names are read whatever their case; ids in paths are decoded."""
        request = read(
            post("q", displayName="g"),
            {"METHOD": "put", "path": "/users/a%2Fb", "Version": 'W/"1"', "data": {}},
            {"method": "Delete", "path": "Users/x/", "data": {"ignored": 1}},
            failOnErrors=2,
        )
        first, second, third = request.operations
        self.assertEqual(2, request.fail_on_errors)
        data = {"displayName": "g"}
        self.assertEqual(BulkOperation(method="POST", type=GROUP, bulk_id="q", data=data), first)
        self.assertEqual(
            BulkOperation(method="PUT", type=USER, target="a/b", version='W/"1"', data={}), second
        )
        self.assertEqual(BulkOperation(method="DELETE", type=USER, target="x"), third)
        self.assertEqual(0, read(post("q")).fail_on_errors)

    def test_faulty_request(self) -> None:
        """What isn't a bulk request is refused as a whole."""
        bodies: tuple[Any, ...] = (
            [],
            {"Operations": [post("q")]},
            {"schemas": ["urn:x"], "Operations": [post("q")]},
            {"schemas": [BULK_REQUEST]},
            {"schemas": [BULK_REQUEST], "Operations": []},
            {"schemas": [BULK_REQUEST], "Operations": {}},
            {"schemas": [BULK_REQUEST], "Operations": [post("q"), "x"]},
        )
        for body in bodies:
            self.assertRaises(InvalidSyntax, parse, [USER], body, 100)
        for count in (-1, "1", True, 1.5):
            self.assertRaises(InvalidValue, read, post("q"), failOnErrors=count)
        self.assertRaises(PayloadTooLarge, read, *[post(str(n)) for n in range(101)])

    def test_faulty_operations(self) -> None:
        """A faulty operation is refused by itself."""
        for operation, error in (
            ({}, InvalidSyntax),
            ({"method": "GET", "path": "/Users/x"}, InvalidSyntax),
            ({"method": 1, "path": "/Users/x"}, InvalidSyntax),
            ({"method": "POST", "path": "/Users", "data": {}}, InvalidSyntax),
            ({"method": "POST", "path": "/Users", "data": {}, "bulkId": 1}, InvalidSyntax),
            ({"method": "POST", "path": "/Users", "data": {}, "bulkId": ""}, InvalidSyntax),
            ({"method": "PUT", "path": "/Users/x", "data": {}, "bulkId": 1}, InvalidSyntax),
            ({"method": "POST", "path": "/Users", "bulkId": "q"}, InvalidSyntax),
            ({"method": "POST", "path": "/Users/x", "data": {}, "bulkId": "q"}, None),
            ({"method": "PUT", "path": "/Users", "data": {}}, None),
            ({"method": "PUT", "data": {}}, InvalidSyntax),
            ({"method": "PUT", "path": "/Nope/x", "data": {}}, NotFound),
            ({"method": "PUT", "path": "/Users/x/y", "data": {}}, NotFound),
            ({"method": "DELETE", "path": "/Bulk/x"}, NotFound),
            ({"method": "DELETE", "path": "/Users/x", "version": 1}, InvalidSyntax),
        ):
            found = one(**operation)
            assert isinstance(found, Refused), operation
            self.assertEqual(400 if error is not NotFound else 404, found.error.status)
            if error is not None:
                self.assertIsInstance(found.error, error)

    def test_no_bulk_id(self) -> None:
        """What makes nothing needs no bulkId, and an empty one is none."""
        for entry in ({}, {"bulkId": ""}, {"bulkId": None}):
            found = one(method="DELETE", path="/Users/x", **entry)
            assert isinstance(found, BulkOperation), found
            self.assertIsNone(found.bulk_id)

    def test_bulk_id_twice(self) -> None:
        """The second operation with a bulkId is refused."""
        first, second = read(post("q"), post("q")).operations
        self.assertIsInstance(first, BulkOperation)
        assert isinstance(second, Refused)
        self.assertEqual(("POST", "q"), (second.method, second.bulk_id))


class ReferenceTests(SynchronousTestCase):
    """Where an operation refers to others."""

    def test_found(self) -> None:
        """References stand in values, at the end of addresses, in paths and in value filters."""
        data = {
            "members": [{"value": "bulkId:a", "$ref": "../Users/bulkId:b"}],
            "title": "about bulkId:no",
            "Operations": [{"op": "remove", "path": 'members[value eq "bulkId:c"]'}],
        }
        operation = one(method="PATCH", path="/Users/bulkId:d", data=data)
        assert isinstance(operation, BulkOperation)
        self.assertEqual({"a", "b", "c", "d"}, operation.references)
        ids = {"a": "1", "b": "2", "c": 'x"\\', "d": "4"}
        self.assertEqual(
            {
                "members": [{"value": "1", "$ref": "../Users/2"}],
                "title": "about bulkId:no",
                "Operations": [{"op": "remove", "path": 'members[value eq "x\\"\\\\"]'}],
            },
            resolved(data, ids),
        )

    def test_depth(self) -> None:
        """What is nested deeper than any attribute is left alone, however deep."""
        deep: Any = "bulkId:a"
        for _ in range(5000):
            deep = [deep] if isinstance(deep, dict) else {"x": deep}
        operation = BulkOperation(method="POST", type=USER, data=deep)
        self.assertEqual(frozenset(), operation.references)
        self.assertIs(type(deep), type(resolved(deep, {})))

    def test_without(self) -> None:
        """What can't be referred to yet is parted from a resource, to be added later."""
        urn = USER.extensions[0].schema.id
        data = {
            "displayName": "g",
            "members": [{"value": "x"}, {"value": "bulkId:a"}],
            "owner": "bulkId:a",
            urn: {"manager": {"value": "bulkId:a"}, "department": "d"},
        }
        rest, added = without(data, frozenset({"a"}))
        self.assertEqual(
            {"displayName": "g", "members": [{"value": "x"}], urn: {"department": "d"}}, rest
        )
        self.assertEqual(
            [
                {"op": "add", "path": "members", "value": [{"value": "bulkId:a"}]},
                {"op": "add", "path": "owner", "value": "bulkId:a"},
                {"op": "add", "path": f"{urn}:manager", "value": {"value": "bulkId:a"}},
            ],
            added,
        )
        self.assertEqual(("x", []), without("x", frozenset()))


class OrderTests(SynchronousTestCase):
    """What comes first."""

    def places(self, *operations: Json) -> list[tuple[int, set[str]]]:
        """Put operations in order."""
        return [(each.place, set(each.deferred)) for each in order(read(*operations).operations)]

    def test_order_of_the_request(self) -> None:
        """Without references, operations stay in order; those refused keep their place."""
        self.assertEqual(
            [(0, set()), (1, set()), (2, set())], self.places(post("a"), {}, post("b"))
        )

    def test_forward(self) -> None:
        """What is referred to goes first, and nothing else is moved."""
        self.assertEqual(
            [(0, set()), (3, set()), (1, set()), (2, set())],
            self.places(post("a"), post("b", x="bulkId:d"), post("c", x="bulkId:a"), post("d")),
        )

    def test_circle(self) -> None:
        """In a circle, the one that goes first does without the reference."""
        self.assertEqual(
            [(1, {"a"}), (0, set())], self.places(post("a", x="bulkId:b"), post("b", x="bulkId:a"))
        )
        self.assertEqual([(0, {"a"})], self.places(post("a", x="bulkId:a")))

    def test_nobody(self) -> None:
        """A reference to what no operation makes moves nothing."""
        self.assertEqual([(0, set())], self.places(post("a", x="bulkId:nobody")))

    def test_long_chain(self) -> None:
        """A chain of references may be as long as the request."""
        chain = [post(str(n), x=f"bulkId:{n + 1}") for n in range(99)]
        self.assertEqual(
            [*range(99, -1, -1)], [place for place, _ in self.places(*chain, post("99"))]
        )

    def test_any_graph(self) -> None:
        """Every operation comes once, behind all that it refers to and doesn't do without."""

        @given(st.lists(st.sets(st.integers(0, 9)), min_size=1, max_size=10))
        def check(edges: list[set[int]]) -> None:
            operations = [
                post(str(n), x=[f"bulkId:{each}" for each in sorted(to)])
                for n, to in enumerate(edges)
            ]
            done: set[int] = set()
            for step in order(read(*operations).operations):
                needed = {n for n in edges[step.place] if n < len(edges)}
                self.assertLessEqual(needed - {int(n) for n in step.deferred}, done)
                self.assertNotIn(step.place, done)
                done.add(step.place)
            self.assertEqual(set(range(len(edges))), done)

        check()
