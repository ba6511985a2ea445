"""What a given demand may not hold, although SUMO would take it.

SUMO's files may replace the signals' programs, and may name files anywhere that SUMO writes to or
reads from. The first would let a demand decide what is to be learned; the second would write
outside the run folder, or leave a run whose inputs nobody kept.
"""

import re
from xml.etree.ElementTree import Element

from trafficrl.errors import DemandError

__all__ = ["refuse_foreign"]

PROGRAMS = ("tlLogic", "WAUT", "wautJunction")
FILES = ("file", "output", "dest", "edgesFile")
"""Attributes of SUMO's additional elements that name a file; `imgFile` only paints its window."""
NOWHERE = ("", "NUL", "nul", "/dev/null")
"""Names by which SUMO writes nothing."""


def refuse_foreign(element: Element) -> None:
    """Return when the element and all inside it neither control signals nor touch other files.

    Raises:
        DemandError: it does.
    """
    for part in element.iter():
        if part.tag in PROGRAMS:
            raise DemandError(
                f"it holds a signal program ({_name(part)}): the network alone says what signals "
                "may show; leave it out"
            )
        for attribute in FILES:
            if part.get(attribute, "") not in NOWHERE:
                _refuse(part, attribute, part.attrib[attribute])
        if part.tag == "param" and re.search(r"(file|output)$", part.get("key", "")):
            _refuse(element, part.attrib["key"], part.get("value", ""))


def _refuse(part: Element, attribute: str, value: str) -> None:
    raise DemandError(
        f"{_name(part)} names another file, {attribute}={value!r}: SUMO would read or write it "
        "outside the run folder; leave the element out, or write 'NUL' for an output"
    )


def _name(part: Element) -> str:
    return f"{part.tag} {part.get('id', part.get('junctionID', ''))!r}".replace(" ''", "")
