"""Z: what RFC 7642 wants to be possible."""

from __future__ import annotations

from io import StringIO

from twisted.logger import globalLogPublisher, textFileLogObserver

from tests.rfc.case import MUST, SHOULD, RfcCase, add, remove, replace, row
from tests.web.world import ENTERPRISE


class ScenarioTests(RfcCase):
    """RFC 7642."""

    @row(MUST, "7642 3.1, 4")
    def test_Z01_joiner(self) -> None:
        """Who has just been made is found, in every way, at once."""
        user = self.user("new@example.com", externalId="e1")
        self.assertEqual(user, self.again(user))
        for text in ('userName eq "new@example.com"', 'externalId eq "e1"'):
            self.assertEqual([user], self.found(text))

    @row(MUST, "7642 3.2")
    def test_Z02_mover(self) -> None:
        """Who moves gets another name, department, manager and group."""
        user = self.user(name={"familyName": "Old"}, **{ENTERPRISE: {"department": "A"}})
        old, new = self.group("old", user["id"]), self.group("new")
        self.patch(
            user,
            replace("name.familyName", "New"),
            replace(f"{ENTERPRISE}:department", "B"),
            add(f"{ENTERPRISE}:manager.value", "bjensen"),
        )
        self.patch(old, remove(f'members[value eq "{user["id"]}"]'))
        self.patch(new, add("members", [{"value": user["id"]}]))
        found = self.again(user)
        self.assertEqual("New", found["name"]["familyName"])
        self.assertEqual("B", found[ENTERPRISE]["department"])
        self.assertEqual("bjensen", found[ENTERPRISE]["manager"]["value"])
        self.assertEqual([new["id"]], [each["value"] for each in found["groups"]])

    @row(MUST, "7642 3.3")
    def test_Z03_leaver(self) -> None:
        """Who leaves can be disabled, brought back, and deleted."""
        user = self.user(active=True)
        for active in (False, True):
            self.assertIs(active, self.patch(user, replace("active", active))["active"])
            self.assertEqual([user["id"]], self.ids(f'userName eq "x" and active eq {active}'))
        self.empty(204, self.client.delete(f"/Users/{user['id']}"))
        self.error(404, self.client.get(f"/Users/{user['id']}"))

    @row(SHOULD, "7642 3.4")
    def test_Z04_changes(self) -> None:
        """What has changed since a moment can be asked."""
        user, _ = self.user("a"), self.user("b")
        moment = user["meta"]["lastModified"]
        self.clock.advance(5)
        self.patch(user, replace("title", "t"))
        self.assertEqual([user["id"]], self.ids(f'meta.lastModified gt "{moment}"'))

    @row(MUST, "7642 5; 7644 7")
    def test_Z05_tenants(self) -> None:
        """A base entity knows nothing of another's resources, in whatever way it is asked."""
        user = self.user()
        path = f"/clientA/Users/{user['id']}"
        for response in (
            self.client.get(path),
            self.client.put(path, {"userName": "x"}),
            self.client.patch(path, replace("title", "t")),
            self.client.delete(path),
        ):
            self.error(404, response)
        self.assertEqual([], self.ids('userName eq "x"', "/clientA/Users"))
        self.assertNotIn(user["id"], str(self.read("/clientA")))
        self.assertEqual(user, self.again(user))

    @row(SHOULD, "7642 4; 7644 7.6")
    def test_Z06_log(self) -> None:
        """The log tells who did what, and neither passwords nor personal data."""
        written = StringIO()
        observer = textFileLogObserver(written)
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        self.user("someone@example.com", password="t1meMa$heen", title="Spy", nope="Agent")
        self.ids('userName eq "someone@example.com"')
        log = written.getvalue()
        self.assertIn("gwadmin POST /Users 201", log)
        for word in ("t1me", "someone@", "Spy", "Agent"):
            self.assertNotIn(word, log)
