"""On which line of a YAML file each value stands, which no reader of values keeps."""

from collections.abc import Iterator
from pathlib import Path

import yaml

__all__ = ["Key", "YamlPlaces"]

Key = tuple[str, ...]
"""The names on the way to a value: a name of SUMO's options holds dots itself."""


class YamlPlaces:
    """The lines of one file.

    Args:
        file: a file that has been read as YAML before, without error.
    """

    def __init__(self, file: Path) -> None:
        root = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        self._lines = dict(_lines(root, ())) if root is not None else {}
        self._chosen = dict(_choices(root)) if root is not None else {}

    def line(self, key: Key) -> int:
        """Where the value stands, or what it is part of; lines are counted from 1."""
        while key and key not in self._lines:
            key = key[:-1]
        return self._lines.get(key, 1)

    def choice(self, group: str) -> int | None:
        """Where the defaults list chooses a member of the group; None where it does not."""
        return self._chosen.get(group)


def _lines(node: yaml.Node, key: Key) -> Iterator[tuple[Key, int]]:
    if not isinstance(node, yaml.MappingNode):
        return
    for name, value in node.value:
        inner = (*key, str(name.value))
        yield inner, name.start_mark.line + 1
        yield from _lines(value, inner)


def _choices(root: yaml.Node) -> Iterator[tuple[str, int]]:
    """`- network: grid3` or `- override /network: grid3`."""
    entries = root.value if isinstance(root, yaml.MappingNode) else []
    lists = [value for name, value in entries if name.value == "defaults"]
    for entry in lists[0].value if lists else []:
        if isinstance(entry, yaml.MappingNode):
            for name, _ in entry.value:
                yield str(name.value).split()[-1].lstrip("/"), name.start_mark.line + 1
