"""Files where the server keeps them, for whoever can look there: no HTTP between them and the audit."""

from __future__ import annotations

from pathlib import Path

from upswarm.audit.ledger import Entry
from upswarm.content.base import File
from upswarm.errors import UsageError
from upswarm.transfer.reading import PIECE_BYTES, Comparison, Likeness, difference_at


class Shelf:
    """Finds files by a template of their paths, such as `/data/{file_id:.2}/{file_id}`; `{file_name}` is known too.

    Of an id that is a URL, what stands behind the last slash counts.
    """

    def __init__(self, template: str) -> None:
        self._template = template
        try:
            named = self.path_of(Entry("0123456789", "a", 0)) != self.path_of(Entry("9876543210", "b", 0))
        except (KeyError, IndexError, ValueError, AttributeError) as error:
            raise _no_template(template) from error
        if not named:
            raise _no_template(template)

    def path_of(self, entry: Entry) -> Path:
        """Where the file of an entry should be."""
        file_id = entry.file_id.rstrip("/").rpartition("/")[2]
        return Path(self._template.format(file_id=file_id, file_name=entry.file_name.rpartition("/")[2]))

    def size_bytes(self, entry: Entry) -> int | None:
        """How long it is, or None where there is no such file."""
        path = self.path_of(entry)
        return path.stat().st_size if path.is_file() else None

    def compared(self, entry: Entry, original: File) -> Comparison:
        """Its bytes beside those that were sent."""
        with self.path_of(entry).open("rb") as file:
            for offset in range(0, original.size_bytes, PIECE_BYTES):
                place = difference_at(offset, file.read(PIECE_BYTES), original)
                if place is not None:
                    return Comparison(Likeness.OTHER, f"on the disk byte {place} is not the one that was sent")
        return Comparison(Likeness.SAME)


def _no_template(template: str) -> UsageError:
    return UsageError(
        f"--file-path: expected a template with {{file_id}} or {{file_name}} in it, found {template!r}",
        hint="that of the reference server is 'DATA_DIR/data/{file_id:.2}/{file_id}'",
    )
