"""Conversations of identity providers, replayed whole against the document store.

Each file in `conversations/` is one: the client's headers, and its requests in order, each with the
status that it must get, what the answer must hold, and what it mustn't.  `remember` keeps a member
of the answer under a name, for `{name}` later on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.web.world import Json, WebCase

FOLDER = Path(__file__).parent / "conversations"


def filled(value: Any, known: Mapping[str, str]) -> Any:
    """Put what was remembered where it is named."""
    if isinstance(value, dict):
        return {name: filled(member, known) for name, member in value.items()}
    if isinstance(value, list):
        return [filled(element, known) for element in value]
    if isinstance(value, str):
        for name, text in known.items():
            value = value.replace(f"{{{name}}}", text)
    return value


class ConversationTests(WebCase):
    """One conversation after the other."""

    def replay(self, name: str) -> None:
        """Replay a conversation."""
        conversation = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
        known: dict[str, str] = {}
        for number, step in enumerate(conversation["steps"], 1):
            where = f"{name}, step {number}: {step['method']} {step['path']}"
            self.step(filled(step, known), conversation["headers"], where)
            if "remember" in step:
                for key, member in step["remember"].items():
                    known[key] = self.answered[member]

    def step(self, step: Json, headers: Mapping[str, str], where: str) -> None:
        """Make one request, and check its answer."""
        query = urlencode(step.get("query", {}))
        path = f"{step['path']}?{query}" if query else step["path"]
        sent = (
            headers if "send" in step else {k: v for k, v in headers.items() if k != "Content-Type"}
        )
        response = self.client.request(step["method"], path, step.get("send"), sent)
        self.assertEqual(step["status"], response.status, f"{where}: {response.body!r}")
        self.answered: Json = response.json() if response.body else {}
        self.check(step.get("expect", {}), self.answered, where)
        for name in step.get("absent", ()):
            self.assertNotIn(name, self.answered, where)

    def check(self, expected: Any, found: Any, where: str) -> None:
        """Check that an answer holds what is expected; what else it holds is its own affair."""
        if isinstance(expected, dict):
            for name, value in expected.items():
                self.assertIn(name, found, where)
                self.check(value, found[name], f"{where}: {name}")
        elif isinstance(expected, list):
            self.assertEqual(len(expected), len(found), where)
            for one, other in zip(expected, found, strict=True):
                self.check(one, other, where)
        else:
            self.assertEqual(expected, found, where)

    def test_entra_id(self) -> None:
        """Entra ID, as it speaks by default."""
        self.replay("entra_id")

    def test_entra_id_aadoptscim062020(self) -> None:
        """Entra ID with the flag aadOptscim062020."""
        self.replay("entra_id_aadoptscim062020")

    def test_okta(self) -> None:
        """Okta: import, profiles, group push."""
        self.replay("okta")

    def test_onelogin(self) -> None:
        """OneLogin's core user."""
        self.replay("onelogin")

    def test_google_workspace(self) -> None:
        """Google Workspace's automatic provisioning."""
        self.replay("google_workspace")

    def test_ping(self) -> None:
        """PingFederate and PingOne."""
        self.replay("ping")

    def test_keycloak(self) -> None:
        """Keycloak's plugins."""
        self.replay("keycloak")

    def test_authentik(self) -> None:
        """The provider of authentik."""
        self.replay("authentik")

    def test_sailpoint(self) -> None:
        """SailPoint's SCIM 2.0 source."""
        self.replay("sailpoint")

    def test_none_is_forgotten(self) -> None:
        """Every conversation is replayed."""
        names = {path.stem for path in FOLDER.glob("*.json")}
        self.assertEqual(names, {each[5:] for each in dir(self) if f"{each[5:]}" in names})

    def test_a_wrong_expectation_fails(self) -> None:
        """What an answer doesn't hold is noticed."""
        for expected in ({"x": 1}, {"a": [1]}, {"a": [1, 3]}, {"b": {"c": 2}}):
            with self.assertRaises(self.failureException):
                self.check(expected, {"a": [1, 2], "b": {"c": 1}}, "here")
