"""Which file comes next: a mix of classes by weight, drawn without a memory.

The n-th file of a run follows from the seed and n alone. Workers take every count-th number, so one worker and ten
draw the same files, each of them once.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from upswarm.workload.sizes import SizeDistribution


@dataclass(frozen=True, slots=True)
class ContentSpec:
    """What the bytes of a file are: a name that `plugins.find("content", …)` knows, and what it is called with."""

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class FileClass:
    """One entry of a scenario's `files:`; a name is needed only to tell it from others."""

    size: SizeDistribution
    content: ContentSpec = ContentSpec("sparse")
    weight: float = 1.0
    name: str = ""


@dataclass(frozen=True, slots=True)
class FileDraw:
    """The n-th file of a run, before it is made. `seed` decides its bytes; `file_class` is its class's name."""

    number: int
    content: ContentSpec
    size_bytes: int
    seed: int
    file_class: str = ""


@dataclass(frozen=True, slots=True)
class Mix:
    """File classes by weight."""

    classes: tuple[FileClass, ...]
    seed: int = 0

    @property
    def mean_bytes(self) -> float:
        """The expected size of a file of the mix."""
        total = sum(each.weight for each in self.classes)
        return sum(each.weight * each.size.mean_bytes for each in self.classes) / total

    def draw(self, number: int) -> FileDraw:
        """The file with this number, the same whoever asks and however often."""
        dice = random.Random(f"{self.seed}/{number}")
        (chosen,) = dice.choices(self.classes, weights=[each.weight for each in self.classes])
        return FileDraw(number, chosen.content, chosen.size.draw(dice), dice.getrandbits(127), chosen.name)
