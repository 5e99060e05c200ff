"""How fast is the gateway, measured against bare servers and clients in the same run?

`make bench` runs it; see CONTRIBUTING.  Prints, for each workload, requests per second, median and
99th percentile of the latency in milliseconds, and the ratio to a bare
`twisted.web.resource.Resource` that answers a constant of the same size to the same requests:
medians of runs in turn.  Then what the gateway adds to an endpoint's own answer, through restful,
whether anything grows with the number of users or members, and the gateway in front of a directory:
see ldap.py.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from attrs import evolve

from benchmarks import ldap, load
from benchmarks.load import (
    AUTHORIZATION,
    CONNECTIONS,
    HERE,
    MANY,
    Figures,
    Workload,
    filtered,
    free_port,
    measure,
    patch,
    process,
)

USER_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:User"


def new_user(name: str) -> dict[str, object]:
    """Describe a user as an identity provider would."""
    return {
        "schemas": [USER_SCHEMA],
        "userName": name,
        "externalId": f"ext-{name}",
        "name": {
            "givenName": "Given",
            "familyName": name.title(),
            "formatted": f"Given {name.title()}",
        },
        "displayName": f"Given {name.title()}",
        "emails": [{"value": f"{name}@example.com", "type": "work", "primary": True}],
        "phoneNumbers": [{"value": "+47 22 22 22 22", "type": "work"}],
        "title": "Tester",
        "active": True,
    }


def workloads(users: int) -> list[Workload]:
    """List what is measured on a store of so many users."""
    middle = users // 2
    member = patch(op="{op}", path="members", value=[{"value": "user-000000"}])
    return [
        Workload(name="user by userName", path="/Users" + filtered('userName eq "{user}"')),
        Workload(name="user by id", path="/Users/{user}"),
        Workload(
            name="user by emails.value",
            path="/Users" + filtered('emails.value eq "{user}@example.com"'),
        ),
        Workload(name="first page of 100 users", path="/Users?startIndex=1&count=100"),
        Workload(name="middle page of 100 users", path=f"/Users?startIndex={middle}&count=100"),
        Workload(
            name="groups of a user",
            path="/Groups" + filtered('members.value eq "{user}"', "&excludedAttributes=members"),
        ),
        Workload(
            name="large group without members", path=f"/Groups/{MANY}?excludedAttributes=members"
        ),
        Workload(
            name="add and remove a member", method="PATCH", path=f"/Groups/{MANY}", body=member
        ),
        Workload(
            name="PATCH user",
            method="PATCH",
            path="/Users/{user}",
            body=patch(op="replace", path="nickName", value="{new}"),
        ),
        Workload(
            name="POST user", method="POST", path="/Users", body=json.dumps(new_user("{new}"))
        ),
    ]


@contextmanager
def gateway(users: int, members: int) -> Iterator[int]:
    """Run a gateway that holds users, 100 groups of 100, and one large group."""
    port = free_port()
    plugin = {
        "scimgateway": {
            "port": port,
            "localhostonly": True,
            "payloadSize": 64 * 1024 * 1024,
            "auth": {"basic": [{"username": "gwadmin", "password": "password"}]},
        },
        "endpoint": {"idFrom": "userName"},
    }
    with load.gateway(port, "plugin-loki", plugin):
        fill(port, users, members)
        yield port


def fill(port: int, users: int, members: int) -> None:
    """Create what the workloads need."""
    names = [f"user-{number:06}" for number in range(users)]
    with ThreadPoolExecutor(4) as pool:
        list(
            pool.map(
                lambda part: _post(port, "/Users", map(new_user, part)),
                [names[k::4] for k in range(4)],
            )
        )
    groups = [_group(f"group-{n:03}", range(n * 100, n * 100 + 100), users) for n in range(100)]
    _post(port, "/Groups", iter([*groups, _group(MANY, range(members), members)]))


def _group(name: str, numbers: range, users: int) -> dict[str, object]:
    return {
        "displayName": name,
        "members": [{"value": f"user-{number % users:06}"} for number in numbers],
    }


def _post(port: int, path: str, resources: Iterator[dict[str, object]]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"Authorization": AUTHORIZATION, "Content-Type": "application/scim+json"}
    for resource in resources:
        connection.request("POST", path, json.dumps(resource), headers)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != http.HTTPStatus.CREATED:
            raise SystemExit(f"POST {path}: {answer.status} {content!r}")
    connection.close()


def compare(users: int, members: int, runs: int, seconds: int) -> None:
    """Print each workload's figures and its ratio to the bare resource."""
    print(
        f"{users} users, a group of {members}, {CONNECTIONS} connections, "
        f"{runs} runs of {seconds} s in turn"
    )
    bare_port = free_port()
    with (
        gateway(users, members) as port,
        process(bare_port, sys.executable, str(HERE / "bare.py"), str(bare_port)),
    ):

        def drive(workload: Workload) -> Figures:
            return measure(port, workload, users, seconds)

        def bare(workload: Workload, size: int) -> float:
            constant = evolve(workload, path=f"/{size}{workload.path}")
            return measure(bare_port, constant, users, seconds).rate

        load.compare(port, workloads(users), runs, drive, bare)


def scale(few: int, many: int, members: tuple[int, int], runs: int, seconds: int) -> None:
    """Print what a hundred times as many users, and a much larger group, cost."""
    print(
        f"\n{many} users and a group of {members[1]}, "
        f"against {few} users and a group of {members[0]}"
    )
    print(f"{'workload':30}{'few':>9}{'many':>9}{'ratio':>7}", flush=True)
    with gateway(few, members[0]) as small, gateway(many, members[1]) as large:
        for at_few, at_many in zip(workloads(few), workloads(many), strict=True):
            pairs = [
                (
                    measure(small, at_few, few, seconds).rate,
                    measure(large, at_many, many, seconds).rate,
                )
                for _ in range(runs)
            ]
            medians = [statistics.median(side) for side in zip(*pairs, strict=True)]
            ratio = statistics.median(b / a for a, b in pairs)
            print(f"{at_few.name:30}{medians[0]:9.0f}{medians[1]:9.0f}{ratio:7.2f}", flush=True)


@contextmanager
def restful(endpoint: int) -> Iterator[int]:
    """Run a gateway whose endpoint is another one."""
    port = free_port()
    basic = [{"username": "gwadmin", "password": "password"}]
    entity = {"baseUrls": [f"http://127.0.0.1:{endpoint}"], **basic[0]}
    plugin = {
        "scimgateway": {"port": port, "localhostonly": True, "auth": {"basic": basic}},
        "endpoint": {"entity": {"undefined": entity}},
    }
    with load.gateway(port, "plugin-restful", plugin):
        yield port


def added(users: int, runs: int, seconds: int) -> None:
    """Print what the gateway adds to an endpoint's own answer, one request at a time."""
    print(f"\nthrough restful over {users} users, 1 connection: milliseconds at the median")
    print(f"{'workload':30}{'endpoint':>9}{'through':>9}{'added':>9}{'ratio':>7}", flush=True)
    with gateway(users, 100) as endpoint, restful(endpoint) as through:
        for workload in workloads(users):
            pairs = [
                (
                    measure(endpoint, workload, users, seconds, 1).median,
                    measure(through, workload, users, seconds, 1).median,
                )
                for _ in range(runs)
            ]
            own, whole = (statistics.median(side) for side in zip(*pairs, strict=True))
            print(
                f"{workload.name:30}{own:9.2f}{whole:9.2f}{whole - own:9.2f}{whole / own:7.2f}",
                flush=True,
            )


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--members", type=int, default=5_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--entries", type=int, default=20_000, help="users of the directory")
    parser.add_argument("--no-bare", action="store_true", help="leave the bare resource out")
    parser.add_argument("--no-restful", action="store_true", help="leave restful out")
    parser.add_argument("--no-scale", action="store_true", help="leave the comparison of sizes out")
    parser.add_argument("--no-ldap", action="store_true", help="leave the directory out")
    given = parser.parse_args()
    if not given.no_bare:
        compare(given.users, given.members, given.runs, given.seconds)
    if not given.no_restful:
        added(1_000, given.runs, given.seconds)
    if not given.no_scale:
        scale(1_000, 100_000, (1_000, 100_000), given.runs, given.seconds)
    if not given.no_ldap:
        ldap.compare(given.entries, given.members, given.runs, given.seconds)


if __name__ == "__main__":
    main()
