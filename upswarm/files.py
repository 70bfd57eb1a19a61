"""Files that are there whole or not at all, and folders that nobody else has."""

from __future__ import annotations

from pathlib import Path

from upswarm.errors import UsageError


def write_whole(path: Path, text: str) -> None:
    """Write a text file; a reader sees the old one or the new one. Where that fails, nothing is left of the new one."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except BaseException:  # Ctrl-C too
        part.unlink(missing_ok=True)
        raise


def new_folder(parent: Path, stem: str) -> Path:
    """Make a folder of this name below the parent, with a number behind it where there is one; raises `UsageError`."""
    for attempt in range(1, 100):
        folder = parent / (stem if attempt == 1 else f"{stem}-{attempt}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise UsageError(f"the reports folder {parent} can't be written: {error.strerror}",
                             hint="give another one with --reports") from error  # fmt: skip
        return folder
    raise UsageError(f"a hundred folders {stem} were made in this second; none more can be told apart")
