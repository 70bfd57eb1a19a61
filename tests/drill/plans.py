"""What each upload of the drill does: it follows from the seed, the client and a number, so nothing is stored."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from upswarm import digests

KIB, MIB = 1 << 10, 1 << 20
CHUNK_SIZES = (64 * KIB, 64 * KIB, 256 * KIB, 1 * MIB)
KEEP, ABORT, DELETE, LEAVE, VANISH = "keep", "abort", "delete", "leave", "vanish"
"""How a client ends an upload: finalize and keep the file, abort, finalize and delete, leave it unfinished, or send a
finalize and go away without waiting for the answer."""
_ENDS = [KEEP] * 10 + [ABORT] * 3 + [DELETE] * 3 + [LEAVE] * 4 + [VANISH]


@dataclass(frozen=True)
class Plan:
    """One upload of one client. `sent` of its chunks, in this `order`, go out before its end."""

    seed: int
    client: int
    number: int
    size_bytes: int
    chunk_size_bytes: int
    order: tuple[int, ...]
    sent: int
    lanes: int
    promises_digest: bool
    end: str

    @property
    def filename(self) -> str:
        """A name that says which plan it was."""
        return f"drill-{self.seed}-{self.client}-{self.number}.bin"

    @property
    def content(self) -> bytes:
        """The bytes of the whole file."""
        return _content(self.filename, self.size_bytes)

    def chunk(self, index: int) -> bytes:
        """The bytes of one chunk."""
        return self.content[index * self.chunk_size_bytes : (index + 1) * self.chunk_size_bytes]

    def dice(self, about: object) -> random.Random:
        """Dice for one matter of this upload; how often they are thrown changes nothing elsewhere."""
        return random.Random(f"{self.filename} {about}")

    def about(self) -> dict[str, Any]:
        """The body of the init request."""
        body: dict[str, Any] = {
            "filename": self.filename,
            "size_bytes": self.size_bytes,
            "chunk_size_bytes": self.chunk_size_bytes,
            "client_id": f"drill-{self.seed}-{self.client}",
        }
        if self.promises_digest:
            body["digest"] = digests.format_header("sha-256", digests.digest_of("sha-256", [self.content]))
        return body


def draw(seed: int, client: int, number: int) -> Plan:
    """The plan of this client's upload of this number."""
    dice = random.Random(f"plan {seed}/{client}/{number}")
    chunk_size_bytes = dice.choice(CHUNK_SIZES)
    size_bytes = _size(dice, chunk_size_bytes)
    chunks = -(-size_bytes // chunk_size_bytes)
    end = dice.choice(_ENDS)
    return Plan(
        seed=seed,
        client=client,
        number=number,
        size_bytes=size_bytes,
        chunk_size_bytes=chunk_size_bytes,
        order=tuple(dice.sample(range(chunks), chunks)),
        sent=dice.randint(0, chunks) if end in (ABORT, LEAVE) else chunks,
        lanes=dice.choice((1, 1, 2)),
        promises_digest=dice.random() < 0.3,
        end=end,
    )


@lru_cache(maxsize=32)  # what clients are working on, not all that they ever did
def _content(filename: str, size_bytes: int) -> bytes:
    return random.Random(f"content of {filename}").randbytes(size_bytes)


def _size(dice: random.Random, chunk_size_bytes: int) -> int:
    sizes = (
        0,
        1,
        dice.randrange(2, chunk_size_bytes),
        chunk_size_bytes,
        chunk_size_bytes + 1,
        dice.randint(2, 6) * chunk_size_bytes,
        dice.randint(1, 6) * chunk_size_bytes + dice.randrange(1, chunk_size_bytes),
        dice.randint(1, 12) * chunk_size_bytes - 1,
    )
    return min(dice.choice(sizes), 4 * MIB)
