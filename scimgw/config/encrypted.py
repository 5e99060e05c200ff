"""Which texts of a file are encrypted, and what do they say?

What is decrypted becomes a `Secret`, which fits nowhere but where a secret is expected.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from scimgw.sealed import PREFIX, NotOpened, unseal

NO_KEY: Final = "can't be decrypted: there is neither a secretKey nor a key in the data directory"


def opened(value: Any, key: bytes | None, tell: Callable[[str, str], None], path: str = "$") -> Any:
    """Give a JSON value with what is encrypted in it decrypted.

    What can't be is told with its path and the reason, and left as it is.
    """
    if isinstance(value, dict):
        return {name: opened(each, key, tell, f"{path}.{name}") for name, each in value.items()}
    if isinstance(value, list):
        return [opened(each, key, tell, f"{path}[{place}]") for place, each in enumerate(value)]
    if not isinstance(value, str) or not value.startswith(PREFIX):
        return value
    try:
        if key is not None:
            return unseal(value, key)
        tell(path, NO_KEY)
    except NotOpened as fault:
        tell(path, str(fault))
    return value
