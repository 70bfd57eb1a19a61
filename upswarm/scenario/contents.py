"""`content:`: what the bytes of a class of files are, by the name of a content and its parameters."""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    model_serializer,
    model_validator,
)
from pydantic_core import CoreSchema

from upswarm import plugins, units
from upswarm.content.compressible import MOST_RATIO
from upswarm.content.corpus import samples
from upswarm.content.dedup import LEAST_BLOCK_BYTES
from upswarm.errors import UpswarmError
from upswarm.scenario.base import Mistake, Room, ShortRoom
from upswarm.scenario.quantities import SizeBytes
from upswarm.workload.mix import ContentSpec


def _block(size_bytes: int) -> int:
    if size_bytes < LEAST_BLOCK_BYTES:
        raise ValueError(f"expected at least {LEAST_BLOCK_BYTES}B, found {units.write_size(size_bytes)}")
    return size_bytes


def _samples(path: str, info: ValidationInfo) -> str:
    """The path as every process can find it; whether there is something, is looked up where the scenario is read."""
    if info.context is None:
        return path
    try:
        full = Path(info.context["folder"], Path(path).expanduser()).absolute()
        samples(full)
    except (UpswarmError, OSError, RuntimeError) as error:  # the last: nobody's ~home
        raise Mistake(getattr(error, "message", str(error))) from error
    return str(full)


class PlainRoom(Room):
    """A content without parameters."""

    def parameters(self) -> dict[str, Any]:
        """None."""
        return {}


class CompressibleRoom(ShortRoom):
    """Bytes that compress. The ratio alone may stand for the whole room."""

    shorthand: ClassVar[str] = "ratio"
    ratio: float = Field(
        ge=1,
        le=MOST_RATIO,
        allow_inf_nan=False,
        description="The size divided by what zstd makes of it at level 3; exact to 5 %, from 1MiB on.",
    )

    def parameters(self) -> dict[str, Any]:
        """What `Compressible` takes."""
        return {"ratio": self.ratio}


class DedupRoom(Room):
    """Bytes of which a deduplicator keeps a part."""

    ratio: float = Field(
        ge=1, allow_inf_nan=False, description="Blocks of all files, divided by the different ones among them."
    )
    block: Annotated[SizeBytes, AfterValidator(_block)] = Field(
        description="The deduplicator's block; blocks begin at multiples of it in each file."
    )

    def parameters(self) -> dict[str, Any]:
        """What `Dedup` takes."""
        return {"ratio": self.ratio, "block_bytes": self.block}


class CorpusRoom(ShortRoom):
    """Real files. The path alone may stand for the whole room."""

    shorthand: ClassVar[str] = "path"
    path: Annotated[str, AfterValidator(_samples)] = Field(
        description="A file, or a folder with all files below it but hidden and empty ones; relative to the scenario."
    )

    def parameters(self) -> dict[str, Any]:
        """What `Corpus` takes."""
        return {"path": self.path}


class ContentRoom(Room):
    """What the bytes are: one of these, or a plugin's name and its parameters. A name alone may stand for the room."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, dict[str, Any]]

    sparse: PlainRoom | None = Field(None, description="Zeros, from a real sparse file.")
    random: PlainRoom | None = Field(None, description="Random bytes: incompressible, different in every file.")
    compressible: CompressibleRoom | None = Field(None, description="Bytes that compress by a ratio.")
    dedup: DedupRoom | None = Field(None, description="Bytes that deduplicate by a ratio, within and across files.")
    corpus: CorpusRoom | None = Field(None, description="Real files, chosen by the seed.")

    @model_validator(mode="before")
    @classmethod
    def _expand(cls, value: Any) -> Any:
        return {value: {}} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one(self, info: ValidationInfo) -> ContentRoom:
        given = [name for name, value in self if value is not None]
        if len(given) != 1:
            raise ValueError(f"expected exactly one content, found {' and '.join(given) or 'none'}")
        for name, parameters in self.__pydantic_extra__.items():
            _check_plugin(name, parameters, called=info.context is not None)
        return self

    @model_serializer(mode="wrap")
    def _shortest(self, write: SerializerFunctionWrapHandler) -> Any:
        ((name, parameters),) = ((name, value) for name, value in write(self).items() if value is not None)
        return {name: parameters} if parameters else name

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        whole = handler.resolve_ref_schema(handler(core_schema))
        return {
            "anyOf": [{"type": "string", "examples": ["sparse", "random"]}, whole],
            "description": whole.pop("description", ""),
        }

    def build(self, **more: Any) -> ContentSpec:
        """The content that makes the files; `more` are parameters beside those of the scenario."""
        ((name, value),) = ((name, value) for name, value in self if value is not None)
        return ContentSpec(name, {**(value if isinstance(value, Mapping) else value.parameters()), **more})

    def own_sizes(self) -> tuple[int, ...]:
        """The sizes of a corpus, each as often as it has files of it."""
        assert self.corpus is not None
        return tuple(sample.size_bytes for sample in samples(Path(self.corpus.path)))


def _check_plugin(name: str, parameters: Mapping[str, Any], *, called: bool) -> None:
    """A content of somebody else's says what it takes by its signature, and what is wrong with a value by an error."""
    try:
        maker = plugins.find("content", name)
        _check_names(name, maker, parameters)
        if called:
            maker(Path(tempfile.gettempdir()), **parameters)
    except Mistake:
        raise
    except UpswarmError as error:
        raise Mistake(error.message, error.hint) from error
    except (TypeError, ValueError) as error:
        raise Mistake(f"is refused by {name}: {error}") from error


def _check_names(name: str, maker: Any, parameters: Mapping[str, Any]) -> None:
    taken = list(inspect.signature(maker).parameters.values())[1:]  # the first is the scratch directory
    known = [each.name for each in taken if each.kind is not inspect.Parameter.VAR_KEYWORD]
    unknown = [] if len(known) < len(taken) else [each for each in parameters if each not in known]
    if unknown:
        expected = f"one of {', '.join(known)}" if known else "none"
        raise Mistake(
            f"{unknown[0]} is no parameter of {name}; expected {expected}", plugins.did_you_mean(unknown[0], known)
        )
    missing = [
        each.name for each in taken if each.default is each.empty and each.name in known and each.name not in parameters
    ]
    if missing:
        raise Mistake(f"expected the parameter {missing[0]} of {name}, found none")
