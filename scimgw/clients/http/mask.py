"""What may a debug log show of a body?"""

from __future__ import annotations

import json
import re
from typing import Any, Final
from urllib.parse import parse_qsl

_SECRET: Final = re.compile(
    r"pass|secret|token|assertion|credential|api-?_?key|authori[sz]ation|private", re.IGNORECASE
)
_MASK: Final = "***"
_LONGEST: Final = 2000
"""Characters shown of a body."""


def masked(body: bytes, content_type: str) -> str:
    """Show a body on one line with its secrets masked; of what isn't understood, its size."""
    kind = content_type.partition(";")[0].strip().casefold()
    if not body:
        return "nothing"
    try:
        if kind.endswith("json"):
            shown = json.dumps(_masked(json.loads(body)), ensure_ascii=True)
        elif kind == "application/x-www-form-urlencoded":
            shown = json.dumps(_masked(dict(parse_qsl(body.decode(), strict_parsing=True))))
        else:
            return f"{len(body)} bytes"
    except (ValueError, RecursionError):
        return f"{len(body)} bytes"
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}..."


def _masked(value: Any) -> Any:
    """Mask members with a telling name, also where a PATCH operation's path tells it."""
    if isinstance(value, dict):
        told = _SECRET.search(str(value.get("path", "")))
        return {
            name: _MASK
            if _SECRET.search(name) or (told and name.casefold() == "value")
            else _masked(each)
            for name, each in value.items()
        }
    return [_masked(each) for each in value] if isinstance(value, list) else value
