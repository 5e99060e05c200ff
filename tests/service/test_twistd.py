"""The gateway as twistd runs it."""

from __future__ import annotations

import json
import os
import signal
import socket
from pathlib import Path

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.threads import deferToThread

from tests.fakes.slow import WAITS
from tests.live.ports import free_port
from tests.service.process import ROOT, ServiceCase, section


class CheckTests(ServiceCase):
    """Before anything starts."""

    async def test_sound(self) -> None:
        """--check tells that a configuration is sound, and exits."""
        ended = await self.ends("scimgw", "-c", str(ROOT / "etc"), "--check")
        self.assertEqual(
            (0, "the configuration is sound: plugin-loki\n"), (ended.status, ended.out)
        )

    async def test_faults(self) -> None:
        """All faults come at once, with file and path; the status is 78, and nothing is bound."""
        port = free_port()
        folder = self.folder(
            scimgw={"plugins": ["plugin-loki", "plugin-two", "plugin-nope"]},
            plugin_loki={"scimgateway": section(port, foo=1), "endpoint": {}},
            plugin_two={"scimgateway": section(port, connector="loki"), "endpoint": {}},
            plugin_nope={"scimgateway": section(free_port()), "endpoint": {}},
        )
        expected = [
            "plugin-loki.json: $.scimgateway.foo: unknown key",
            (
                "plugin-nope.json: $.scimgateway.connector: "
                "there is no connector 'nope': no module connectors.nope"
            ),
            f"plugin-two.json: $.scimgateway.port: {port} is the port of plugin-loki too",
        ]
        for options in (("-n",), ("-n", "--pidfile=x"), ()):
            for check in ((), ("--check",)):
                ended = await self.ends(*options, "scimgw", "-c", str(folder), *check)
                self.assertEqual((78, expected), (ended.status, sorted(ended.err.splitlines())))
        self.assertTrue(await self.refuses(port))

    async def test_faults_of_entities(self) -> None:
        """A base entity that couldn't be addressed is a fault too."""
        folder = self.one(free_port(), {"entity": {"Users": {}, "SCIM": {}, "": {}, "fine": {}}})
        ended = await self.ends("-n", "scimgw", "-c", str(folder))
        self.assertEqual(78, ended.status)
        self.assertEqual(3, ended.err.count("can't be the name of a base entity"))
        ended = await self.ends("-n", "scimgw", "-c", str(folder), "--check")
        self.assertEqual(78, ended.status)

    async def test_no_place_for_the_key(self) -> None:
        """--check tells what a start would: that no key can be kept in the data directory."""
        folder = self.one(free_port())
        main = {"plugins": ["plugin-loki"], "dataDirectory": "scimgw.json/data"}
        (folder / "scimgw.json").write_text(json.dumps(main))
        for check in ((), ("--check",)):
            ended = await self.ends("-n", "scimgw", "-c", str(folder), *check)
            key = folder / "scimgw.json/data/secret.key"
            fault = f"scimgw.json: $.dataDirectory: can't keep a key in {key}: Not a directory\n"
            self.assertEqual((78, fault), (ended.status, ended.err))

    async def test_help(self) -> None:
        """Twistd knows the command, and the command its options."""
        ended = await self.ends("--help")
        self.assertRegex(ended.out, r"scimgw\s+A SCIM gateway\.")
        ended = await self.ends("scimgw", "--help")
        self.assertIn("--config", ended.out)


class PortTests(ServiceCase):
    """Ports."""

    async def test_in_use(self) -> None:
        """A port in use ends the program, with its plugin's name, before any other answers."""
        free, taken = free_port(), socket.socket()
        self.addCleanup(taken.close)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        folder = self.folder(
            scimgw={"plugins": ["plugin-loki", "plugin-two"]},
            plugin_loki={"scimgateway": section(free), "endpoint": {}},
            plugin_two={"scimgateway": section(port, connector="loki"), "endpoint": {}},
        )
        for options in (("-n", "--pidfile="), ("--pidfile=x.pid", "--logfile=x.log")):
            ended = await self.ends(*options, "scimgw", "-c", str(folder))
            message = f"plugin-two: can't listen on 127.0.0.1:{port}: Address already in use\n"
            self.assertEqual((1, message), (ended.status, ended.err))
        self.assertTrue(await self.refuses(free))

    async def test_one_site_each(self) -> None:
        """One process serves each plugin on a port of its own, with a store of its own."""
        first, second = free_port(), free_port()
        folder = self.folder(
            scimgw={"plugins": ["plugin-loki", "plugin-two"]},
            plugin_loki={"scimgateway": section(first), "endpoint": {}},
            plugin_two={
                "scimgateway": section(second, connector="loki"),
                "endpoint": {"idFrom": "userName"},
            },
        )
        await self.start(folder)
        created = await self.request(second, "/Users", "POST", {"userName": "x"})
        self.assertEqual((201, "x"), (created.status, created.json()["id"]))
        self.assertEqual(404, (await self.request(first, "/Users/x")).status)


class ForegroundTests(ServiceCase):
    """twistd -n."""

    async def test_life(self) -> None:
        """It starts, answers, logs a line for each request, and stops when it is told to."""
        port = free_port()
        running = await self.start(self.one(port))
        self.assertEqual(b"hello", (await self.request(port, "/ping")).body)
        self.assertEqual(401, (await self.request(port, "/Users", Authorization="x")).status)
        self.assertEqual(2, (await self.request(port, "/Users")).json()["totalResults"])
        self.assertEqual(0, await running.stop())
        lines = [line for line in running.output.decode().splitlines() if "127.0.0.1 " in line]
        self.assertEqual(
            [
                "plugin-loki 127.0.0.1 - GET /ping 200",
                "plugin-loki 127.0.0.1 - GET /Users 401",
                "plugin-loki 127.0.0.1 gwadmin GET /Users 200",
            ],
            [" ".join(line.split()[2:8]) for line in lines],
        )
        self.assertIn(b"plugin-loki has stopped", running.output)
        self.assertTrue(await self.refuses(port))

    async def test_warning(self) -> None:
        """A port in clear that isn't on loopback warns."""
        running = await self.start(self.one(free_port(), localhostonly=False))
        await running.says("in clear")

    async def test_both(self) -> None:
        """A port that isn't on loopback is there by IPv4, and by IPv6 where there is any."""
        port = free_port()
        networks = ["127.0.0.2", "::1"]
        running = await self.start(self.one(port, localhostonly=False, ipAllowList=networks))
        sources = ["127.0.0.2", "127.0.0.3"] + (["::1"] if _has_ipv6() else [])
        answers = [await deferToThread(_pinged, port, source) for source in sources]
        self.assertEqual([b"200", b"403", b"200"][: len(sources)], answers)
        await running.stop()
        lines = [line.split() for line in running.output.decode().splitlines() if "/ping" in line]
        self.assertEqual(sources, [line[3] for line in lines])

    async def test_reactor(self) -> None:
        """Twistd's own choice of a reactor is respected."""
        port = free_port()
        running = await self.start(self.one(port), "--reactor=poll")
        self.assertIn(b"PollReactor", running.output)
        self.assertEqual(200, (await self.request(port, "/Users")).status)

    async def test_requests_end_first(self) -> None:
        """What is under way when the gateway stops is still done and answered."""
        port = free_port()
        gate = Path(self.mktemp()).absolute()
        folder = self.one(port, {"gate": str(gate)}, connector="tests.fakes.slow:PLUGIN")
        running = await self.start(folder)
        slow = Deferred.fromCoroutine(self.request(port, "/Users?filter=title%20pr"))
        await running.says(WAITS)
        stopped = Deferred.fromCoroutine(running.stop())
        await running.says("Received SIGTERM")
        self.assertFalse(slow.called)
        gate.touch()
        self.assertEqual(200, (await slow).status)
        self.assertEqual(0, await stopped)

    async def test_large_body(self) -> None:
        """A body of 100 MB is refused, while other requests go on undisturbed."""
        port = free_port()
        await self.start(self.one(port))
        large = Deferred.fromCoroutine(self.request(port, "/Users", "POST", b"x" * 100_000_000))
        others = [Deferred.fromCoroutine(self.request(port, "/Users/bjensen")) for _ in range(20)]
        self.assertEqual({200}, {each.status for each in await gatherResults(others)})
        self.assertEqual(413, (await large).status)

    async def test_together(self) -> None:
        """Of two creations of one name one is done; members added at once are all there."""
        port = free_port()
        await self.start(self.one(port))
        twice = [
            Deferred.fromCoroutine(self.request(port, "/Users", "POST", {"userName": "x"}))
            for _ in range(2)
        ]
        self.assertEqual([201, 409], sorted(each.status for each in await gatherResults(twice)))
        patches = [
            self.request(
                port,
                "/Groups/Admins",
                "PATCH",
                {
                    "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                    "Operations": [
                        {"op": "add", "path": "members", "value": [{"value": f"m{number}"}]}
                    ],
                },
            )
            for number in range(8)
        ]
        answers = await gatherResults([Deferred.fromCoroutine(each) for each in patches])
        self.assertEqual({204}, {each.status for each in answers})
        self.assertEqual(9, len((await self.request(port, "/Groups/Admins")).json()["members"]))


class DaemonTests(ServiceCase):
    """twistd without -n."""

    async def test_life(self) -> None:
        """It goes to the background, under another user if so asked, and stops by its pid file."""
        port = free_port()
        user = 65534 if os.getuid() == 0 else os.getuid()
        folder = Path(self.mktemp_folder())
        pidfile, logfile = folder / "scimgw.pid", folder / "scimgw.log"
        options = (
            f"--pidfile={pidfile}",
            f"--logfile={logfile}",
            f"--rundir={folder}",
            f"--uid={user}",
            f"--gid={user if user == 65534 else os.getgid()}",
        )
        ended = await self.ends(*options, "scimgw", "-c", str(self.one(port)))
        self.assertEqual(0, ended.status, ended.err)
        await self.stops(port, int(pidfile.read_text()), user)
        self.assertIn("gwadmin GET /Users 200", logfile.read_text())

    async def stops(self, port: int, pid: int, user: int) -> None:
        """Check that a daemon answers, as a user, and stop it."""
        try:
            self.assertEqual(200, (await self.request(port, "/Users")).status)
            status = Path(f"/proc/{pid}/status").read_text().splitlines()
            self.assertIn(
                str(user), next(line for line in status if line.startswith("Uid:")).split()
            )
        finally:
            os.kill(pid, signal.SIGTERM)
        await self.gone(pid)


class CursorTests(ServiceCase):
    """Cursors of real processes."""

    async def test_restart(self) -> None:
        """A cursor is good after a restart, and at a replica that has the same secret."""
        port, path = free_port(), "/Users?count=1&cursor="
        folder = self.one(port)
        running = await self.start(folder)
        first = (await self.request(port, path)).json()
        await running.stop()
        running = await self.start(folder)
        second = (await self.request(port, path + first["nextCursor"])).json()
        self.assertEqual(["jsmith"], [each["id"] for each in second["Resources"]])
        await running.stop()
        # somewhere else, with a key of its own
        await self.start(self.one(port))
        answer = await self.request(port, path + first["nextCursor"])
        self.assertEqual((400, "invalidCursor"), (answer.status, answer.json()["scimType"]))


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def _pinged(port: int, source: str) -> bytes:
    """Ask for /ping from an address, and give the status of the answer."""
    host = "::1" if ":" in source else "127.0.0.1"
    with socket.create_connection((host, port), timeout=60, source_address=(source, 0)) as client:
        client.sendall(b"GET /ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return client.makefile("rb").readline().split()[1]
