"""Files as a mix draws them, made on this machine: to be sent, or to be compared with what a server has."""

from __future__ import annotations

import tempfile
from pathlib import Path
from threading import Lock

from upswarm import plugins
from upswarm.content.base import Content, File
from upswarm.workload.mix import ContentSpec, FileDraw


class Originals:
    """Opens files; one maker for each sort of content is made when it is first needed. Threads may share it."""

    def __init__(self) -> None:
        self._contents: dict[ContentSpec, Content] = {}
        self._making = Lock()

    def open(self, name: str, draw: FileDraw) -> File:
        """The file that was drawn; whoever opens it closes it."""
        with self._making:
            return self._content(draw.content).open(name, draw.size_bytes, draw.seed)

    def _content(self, spec: ContentSpec) -> Content:
        if spec not in self._contents:
            maker = plugins.find("content", spec.name)
            self._contents[spec] = maker(Path(tempfile.gettempdir()), **spec.parameters)
        return self._contents[spec]
