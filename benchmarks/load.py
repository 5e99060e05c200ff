"""How is a server started, driven by wrk, and its figures printed?"""

from __future__ import annotations

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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

HERE = Path(__file__).parent
AUTHORIZATION = "Basic " + base64.b64encode(b"gwadmin:password").decode()
CONNECTIONS = 16
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
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


def filtered(text: str, more: str = "") -> str:
    """Write the query of a search."""
    return f"?filter={text.replace(' ', '%20').replace(chr(34), '%22')}{more}"


def patch(**operation: object) -> str:
    """Write a PATCH request of one operation."""
    return json.dumps({"schemas": [PATCH], "Operations": [operation]})


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


@contextmanager
def gateway(port: int, name: str, plugin: object) -> Iterator[int]:
    """Run a gateway, with one plugin."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "scimgw.json").write_text(json.dumps({"plugins": [name]}))
        Path(folder, f"{name}.json").write_text(json.dumps(plugin))
        twistd = str(Path(sys.executable).with_name("twistd"))
        with process(port, twistd, "-n", "--pidfile=", "scimgw", "-c", folder):
            yield port


def _await_port(port: int, running: subprocess.Popen[bytes]) -> None:
    for _ in range(100):
        if running.poll() is not None:
            raise SystemExit(f"{running.args!r} has ended with status {running.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit(f"nobody listens on {port}")


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
    filled = {
        "{number}": "000007",
        "{user}": "user-000007",
        "{op}": "remove",
        "{new}": f"size-{time.monotonic_ns()}",
    }
    path, body = workload.path, workload.body
    for name, value in filled.items():
        path = path.replace(name, value)
        body = None if body is None else body.replace(name, value)
    connection = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"Authorization": AUTHORIZATION, "Content-Type": "application/scim+json"}
    connection.request(workload.method, path, body, headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    if answer.status >= http.HTTPStatus.BAD_REQUEST:
        raise SystemExit(f"{workload.name}: {answer.status} {content!r}")
    return len(content)


_COLUMNS = f"{'workload':30}{'req/s':>9}{'p50 ms':>9}{'p99 ms':>9}{'bare':>9}{'ratio':>7}  bytes"


def compare(
    port: int,
    workloads: list[Workload],
    runs: int,
    drive: Callable[[Workload], Figures],
    bare: Callable[[Workload, int], float],
) -> None:
    """Print each workload's figures, and its ratio to a baseline: medians of runs in turn.

    `bare` gives the baseline's rate for a workload, and an answer of so many bytes.
    """
    print(_COLUMNS, flush=True)
    for workload in workloads:
        size = answer_size(port, workload)
        pairs = [(drive(workload), bare(workload, size)) for _ in range(runs)]
        ours = sorted((pair[0] for pair in pairs), key=lambda figures: figures.rate)[runs // 2]
        theirs = statistics.median(rate for _, rate in pairs)
        ratio = statistics.median(figures.rate / rate for figures, rate in pairs)
        print(
            f"{workload.name:30}{ours.rate:9.0f}{ours.median:9.2f}{ours.worst:9.2f}"
            f"{theirs:9.0f}{ratio:7.2f}  {size}",
            flush=True,
        )
