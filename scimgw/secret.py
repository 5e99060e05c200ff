"""How is a secret kept from being shown?"""

from __future__ import annotations

from attrs import frozen


@frozen(repr=False)
class Secret:
    """A value that never shows itself in a message or a log; `reveal` is the only way to it."""

    _value: str

    def reveal(self) -> str:
        """Give the value, to whoever has to use it."""
        return self._value

    def __repr__(self) -> str:
        """Show that there is one."""
        return "Secret(...)"
