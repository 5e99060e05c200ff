"""What does the page about SCIM support say?

`make docs` runs this as a command, which writes the page out of the tests of the rules, and what
connectors declare.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Final
from unittest import TestCase

from attrs import frozen

from tests.rfc.case import Row
from tests.rfc.connectors import tables

SECTIONS: Final = {
    "A": ("test_a_http", "HTTP, authentication, media types", range(1, 26)),
    "B": ("test_b_discovery", "Discovery", range(1, 23)),
    "C": ("test_c_resources", "Resources and attributes", range(1, 32)),
    "D": ("test_c_resources", "Creation", range(1, 9)),
    "F": ("test_f_reads", "Reading, listing, paging, projection", range(1, 23)),
    "G": ("test_g_filters", "Filters", (*range(1, 34), *range(40, 51))),
    "S": ("test_g_filters", "Sorting", range(1, 6)),
    "H": ("test_g_filters", "Searching by POST", range(1, 5)),
    "P": ("test_p_replace", "Replacing", range(1, 12)),
    "M": ("test_m_patch", "PATCH", range(1, 40)),
    "X": ("test_x_delete_and_bulk", "Deletion", range(1, 5)),
    "K": ("test_x_delete_and_bulk", "Bulk", range(1, 11)),
    "T": ("test_t_versions_and_errors", "Versions", range(1, 6)),
    "R": ("test_t_versions_and_errors", "Errors, /Me, odd requests", range(1, 6)),
    "W": ("test_w_cursors", "Cursors", range(1, 13)),
    "Z": ("test_z_scenarios", "Scenarios of RFC 7642", range(1, 7)),
    "N": ("test_n_entra", "Microsoft Entra ID", range(1, 27)),
    "O": ("test_o_okta", "Okta", range(1, 13)),
    "V": ("test_v_others", "Other clients", range(1, 19)),
}
"""By letter: the module that holds a section's tests, its title, the numbers of its rules."""
_HEAD: Final = """\
# SCIM support

<!-- made by `make docs` out of tests/rfc and what connectors declare -->

Each rule is a test in `tests/rfc`, named by its number, which runs against the document store.  MUST, SHOULD and MAY
are those of RFC 7642, 7643, 7644 and 9865 (RFC 9110 for HTTP); IOP is what no RFC asks for and a client that is named
needs.  What doesn't hold is marked, and told why; its test checks that it still doesn't.

{holding} of {all} rules hold.

## Connectors

What the gateway does itself holds for every connector: messages, filters, sorting, paging, projection, bulk, the
meaning of PATCH and PUT.  What depends on the endpoint is declared by the connector, and announced: without versions
there are no ETags, and `etag.supported` is false; where a failed write may leave something behind, the answer is 500,
and lists what was applied.  This is what the shipped plugin files make of each; `restful` is as it takes the other side
to be until that has told.  The connector `api` holds no resources: of these rules it keeps those on HTTP.

What an endpoint doesn't do the gateway does in memory, within `scim.maxScan`.  `checked` are comparisons for which the
endpoint finds more than is wanted, and the gateway leaves out what doesn't match; `scanned` those for which everything
else that the filter selects is read.  Nothing stands where the endpoint compares exactly; `-` where it doesn't hold an
attribute.

{connectors}
## What is taken beyond the RFCs

Each of these can mean one thing only, and would be an error otherwise; no client that keeps to the RFCs is answered
differently for it.  `tests/interop/conversations` holds who sends it.

| | sent by |
|---|---|
| booleans as text (`"True"`), also in filters | Entra ID |
| `op` in any case; `add` by a value filter that selects nothing makes the value | Entra ID |
| a value inside an array or an object where one is wanted: a manager as text or in an array, members as ids | Entra ID |
| names with dots and URNs as members of an object; attributes of an extension without its URN | Entra ID |
| members to be removed listed in `value` | Entra ID, authentik |
| strings in filters without quotes; a value filter in `attributes` | Entra ID, Ping |
| empty strings, which are no values; no `schemas`; another version's | OneLogin, Databricks, Google |
| ETags without quotes or mark; `application/json`; a slash at the end of a path | several |
| attributes and schemas that aren't known, which are ignored, and logged | all; `scim.unknownAttributes`: `reject` turns it off |

"""


@frozen
class Rule:
    """A rule and what it says."""

    row: Row
    says: str


def rules() -> list[Rule]:
    """Collect the rules out of the tests."""
    found = []
    for module in dict.fromkeys(name for name, _, _ in SECTIONS.values()):
        for case in vars(import_module(f"tests.rfc.{module}")).values():
            if isinstance(case, type) and issubclass(case, TestCase):
                found += [
                    Rule(test.row, " ".join((test.__doc__ or "").split()))
                    for test in vars(case).values()
                    if hasattr(test, "row")
                ]
    return found


def page() -> str:
    """Write the whole page."""
    found = rules()
    holding = sum(not each.row.lacks for each in found)
    return _HEAD.format(holding=holding, all=len(found), connectors=tables()) + "".join(
        _sections(found)
    )


def _sections(found: list[Rule]) -> Iterator[str]:
    for letter, (_, title, _) in SECTIONS.items():
        yield f"## {letter}: {title}\n\n| rule | level | source | what holds | |\n|---|---|---|---|---|\n"
        for each in found:
            if each.row.id.startswith(letter):
                holds = f"**no**: {each.row.lacks}" if each.row.lacks else "yes"
                says = each.says.replace("|", "\\|")
                yield f"| {each.row.id} | {each.row.level} | {each.row.source} | {says} | {holds} |\n"
        yield "\n"


def write(path: Path) -> None:
    """Write the page into a file."""
    path.write_text(page().rstrip("\n") + "\n", "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
