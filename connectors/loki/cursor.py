"""Where does a page begin that follows another?

Behind the last record that was given, by its number and by what it was sorted by then: whatever has
come or gone since, nothing is given twice, and nothing that was there all the time is passed over.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from connectors.loki.table import Record
from scimgw.scim.match import sort_key
from scimgw.scim.query import Query, Sort


def cursor(last: Record, sort: Sort | None) -> str:
    """Note the last record of a page."""
    if sort is None:
        return json.dumps([last.number])
    return json.dumps([last.number, sort_key(sort.path)(last.data)])


def behind(records: Sequence[Record], query: Query) -> int:
    """Give the index of the first record that follows a query's cursor; all are in its order."""
    assert query.cursor is not None
    number, *rest = json.loads(query.cursor)
    sort = query.sort
    if sort is None:
        return bisect_left(records, True, key=lambda record: record.number > number)
    key, last, descending = sort_key(sort.path), tuple(rest[0]), sort.descending

    def follows(record: Record) -> bool:
        own: tuple[Any, ...] = key(record.data)
        if own == last:
            return bool(record.number > number)
        return own < last if descending else own > last

    return bisect_left(records, True, key=follows)
