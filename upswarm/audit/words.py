"""Names, ids and reasons come from servers: made fit to be kept in a run file, and to be shown anywhere."""

from __future__ import annotations

from upswarm.results.audit_record import Fate, Problem

_MOST_LETTERS = 200


def fit(text: str) -> str:
    """Short, and without letters that a terminal would obey."""
    printable = "".join(letter if letter.isprintable() else "\ufffd" for letter in text)
    return printable if len(printable) <= _MOST_LETTERS else f"{printable[: _MOST_LETTERS - 1]}…"


def problem(fate: Fate, file_name: str, file_id: str, detail: str) -> Problem:
    """One file that is not intact. Of an id that is a URL, whole or in part, the query is left out: the server may have
    put a secret there."""
    return Problem(fate, fit(file_name), fit(file_id.partition("?")[0]), fit(detail))
