"""Words from outside in a Markdown page: whatever a scenario or a server says, it is shown and does nothing.

It opens no table cell, no tag and no link, and calls nobody: GitHub sends a message to whoever stands behind an `@`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_MARKUP = re.compile(r"[\\`*_{}\[\]<>|~$&]|:(?=//)|(?<!\w)#(?=#| )|^[-+#=]|(?<=^\d)\.(?= )")
_CALLS = re.compile(r"(?<=@)(?=\w)|(?<=#)(?=\d)|(?<=www)(?=\.)")
_SILENT = "\u200b"
"""A space without width: nobody is called `@<it>name`."""
_BACKTICKS = re.compile("`+")


def prose(text: str, most: int = 300) -> str:
    """A sentence, at most so many letters of it."""
    return _CALLS.sub(_SILENT, _MARKUP.sub(lambda found: f"\\{found[0]}", _line(text, most)))


def code(text: str, most: int = 120) -> str:
    """Somebody else's words between backticks, in or out of a table."""
    line = _line(text, most)
    if not line:
        return ""
    fence = "`" * (max(map(len, _BACKTICKS.findall(line)), default=0) + 1)
    space = " " if line[0] == "`" or line[-1] == "`" else ""
    return f"{fence}{space}{line}{space}{fence}"


def cell_code(text: str, most: int = 120) -> str:
    """The same in a table, where a bar between backticks would begin the next cell, unless a backslash is before it."""
    return code(text.replace("\\|", "\\ |"), most).replace("|", "\\|")


def table(heads: Iterable[str], rows: Iterable[Iterable[str]], *, numbers_from: int) -> list[str]:
    """Lines of a table; the columns from this one on are numbers, which stand on the right."""
    names = list(heads)
    rule = ["---" if index < numbers_from else "---:" for index in range(len(names))]
    return [f"| {' | '.join(line)} |" for line in (names, rule, *rows)]


def _line(text: str, most: int) -> str:
    """One line of letters that can be seen, cut where it is too long."""
    seen = "".join(letter if letter.isprintable() else "?" for letter in " ".join(text.split()))
    return seen if len(seen) <= most else f"{seen[: most - 1]}…"
