"""How fast is the gateway, measured against a bare resource in the same run?

`make bench` runs it; see CONTRIBUTING.  Prints, for each workload, requests per second, median and
99th percentile of the latency in milliseconds, and the ratio to a bare
`twisted.web.resource.Resource` that answers a constant of the same size to the same requests:
medians of runs in turn.  Then what the gateway adds to an endpoint's own answer, through restful,
and whether anything grows with the number of users or members.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from attrs import evolve, frozen

HERE = Path(__file__).parent
AUTHORIZATION = "Basic " + base64.b64encode(b"gwadmin:password").decode()
CONNECTIONS = 16
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
USER_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:User"
MANY = "many"
"""Name of the large group."""


@frozen(kw_only=True)
class Workload:
    """One kind of request; the names in braces are explained in workload.lua."""

    name: str
    path: str
    method: str = "GET"
    body: str | None = None


@frozen
class Figures:
    """What wrk measured in one run: requests per second, and latencies in milliseconds."""

    rate: float
    median: float
    worst: float


def _filter(text: str, more: str = "") -> str:
    return f"?filter={text.replace(' ', '%20').replace(chr(34), '%22')}{more}"


def _patch(**operation: object) -> str:
    return json.dumps({"schemas": [PATCH], "Operations": [operation]})


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
    member = _patch(op="{op}", path="members", value=[{"value": "user-000000"}])
    return [
        Workload(name="user by userName", path="/Users" + _filter('userName eq "{user}"')),
        Workload(name="user by id", path="/Users/{user}"),
        Workload(
            name="user by emails.value",
            path="/Users" + _filter('emails.value eq "{user}@example.com"'),
        ),
        Workload(name="first page of 100 users", path="/Users?startIndex=1&count=100"),
        Workload(name="middle page of 100 users", path=f"/Users?startIndex={middle}&count=100"),
        Workload(
            name="groups of a user",
            path="/Groups" + _filter('members.value eq "{user}"', "&excludedAttributes=members"),
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
            body=_patch(op="replace", path="nickName", value="{new}"),
        ),
        Workload(
            name="POST user", method="POST", path="/Users", body=json.dumps(new_user("{new}"))
        ),
    ]


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def process(port: int, *command: str) -> Iterator[int]:
    """Run a server for as long as it is needed."""
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(command, stdout=log, stderr=log) as running,
    ):
        try:
            _await_port(port, running)
            yield port
        finally:
            running.terminate()
            running.wait(30)


def _await_port(port: int, running: subprocess.Popen[bytes]) -> None:
    for _ in range(100):
        if running.poll() is not None:
            raise SystemExit(f"{running.args!r} has ended with status {running.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit(f"nobody listens on {port}")


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
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "scimgw.json").write_text(json.dumps({"plugins": ["plugin-loki"]}))
        Path(folder, "plugin-loki.json").write_text(json.dumps(plugin))
        twistd = str(Path(sys.executable).with_name("twistd"))
        with process(port, twistd, "-n", "--pidfile=", "scimgw", "-c", folder):
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


_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


def measure(
    port: int, workload: Workload, users: int, seconds: int, connections: int = CONNECTIONS
) -> Figures:
    """Drive a server with wrk."""
    environment = {
        **os.environ,
        "METHOD": workload.method,
        "URL_PATH": workload.path,
        "USERS": str(users),
        "RUN": f"{time.monotonic_ns():x}",
        "AUTHORIZATION": AUTHORIZATION,
    }
    if workload.body is not None:
        environment["BODY"] = workload.body
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds}s",
        "--latency",
        "-s",
        str(HERE / "workload.lua"),
    ]
    run = subprocess.run(
        [*command, f"http://127.0.0.1:{port}"],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    if "Non-2xx" in run.stdout or "Socket errors" in run.stdout:
        raise SystemExit(f"{workload.name}: {run.stdout}")
    latency = {
        percentile: float(value) * _UNITS[unit]
        for percentile, value, unit in re.findall(r"(50|99)%\s+([\d.]+)(us|ms|s)", run.stdout)
    }
    rate = re.search(r"Requests/sec:\s+([\d.]+)", run.stdout)
    assert rate is not None
    return Figures(float(rate[1]), latency["50"], latency["99"])


def answer_size(port: int, workload: Workload) -> int:
    """Tell how large the gateway's answer is."""
    filled = {"{user}": "user-000007", "{op}": "remove", "{new}": f"size-{time.monotonic_ns()}"}
    path, body = workload.path, workload.body
    for name, value in filled.items():
        path = path.replace(name, value)
        body = None if body is None else body.replace(name, value)
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request(workload.method, path, body, {"Authorization": AUTHORIZATION})
    size = len(connection.getresponse().read())
    connection.close()
    return size


def compare(users: int, members: int, runs: int, seconds: int) -> None:
    """Print each workload's figures and its ratio to the bare resource."""
    print(
        f"{users} users, a group of {members}, {CONNECTIONS} connections, "
        f"{runs} runs of {seconds} s in turn"
    )
    print(
        f"{'workload':30}{'req/s':>9}{'p50 ms':>9}{'p99 ms':>9}{'bare':>9}{'ratio':>7}  bytes",
        flush=True,
    )
    bare_port = free_port()
    with (
        gateway(users, members) as port,
        process(bare_port, sys.executable, str(HERE / "bare.py"), str(bare_port)),
    ):
        for workload in workloads(users):
            size = answer_size(port, workload)
            bare = evolve(workload, path=f"/{size}{workload.path}")
            pairs = [
                (measure(port, workload, users, seconds), measure(bare_port, bare, users, seconds))
                for _ in range(runs)
            ]
            ours = sorted((pair[0] for pair in pairs), key=lambda figures: figures.rate)[runs // 2]
            theirs = statistics.median(pair[1].rate for pair in pairs)
            ratio = statistics.median(pair[0].rate / pair[1].rate for pair in pairs)
            print(
                f"{workload.name:30}{ours.rate:9.0f}{ours.median:9.2f}{ours.worst:9.2f}"
                f"{theirs:9.0f}{ratio:7.2f}  {size}",
                flush=True,
            )


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
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "scimgw.json").write_text(json.dumps({"plugins": ["plugin-restful"]}))
        Path(folder, "plugin-restful.json").write_text(json.dumps(plugin))
        twistd = str(Path(sys.executable).with_name("twistd"))
        with process(port, twistd, "-n", "--pidfile=", "scimgw", "-c", folder):
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
    parser.add_argument("--no-scale", action="store_true", help="leave the comparison of sizes out")
    given = parser.parse_args()
    compare(given.users, given.members, given.runs, given.seconds)
    added(1_000, given.runs, given.seconds)
    if not given.no_scale:
        scale(1_000, 100_000, (1_000, 100_000), given.runs, given.seconds)


if __name__ == "__main__":
    main()
