"""How is a JSON text read, strictly?

UTF-8, which may begin with the mark that some editors write; no member twice in one object, no
numbers that JSON hasn't, nothing nested without end (RFC 8259, RFC 7493).
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Final, NoReturn

from scimgw.scim.values import show


class NotJson(ValueError):
    """A text that isn't JSON, or that two readers might read differently; says why."""


def decode(text: bytes) -> Any:
    """Read a JSON text.

    Raises: NotJson.
    """
    if not text.strip():
        raise NotJson("empty")
    try:
        return _DECODER.decode(text.decode("utf-8-sig"))
    except UnicodeDecodeError as fault:
        raise NotJson(f"not UTF-8 at byte {fault.start}") from None
    except json.JSONDecodeError as fault:
        raise NotJson(f"not JSON: {fault}") from None
    except RecursionError:
        raise NotJson("nested too deep") from None
    except NotJson:
        raise
    except ValueError:
        raise NotJson("a number has too many digits") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise NotJson(f"{show(twice)} stands twice in one object")
    return found


def _constant(name: str) -> NoReturn:
    raise NotJson(f"{name} isn't JSON")


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)
