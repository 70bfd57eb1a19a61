"""What all rooms of a scenario have in common: unknown keys are mistakes, and values do not change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, GetJsonSchemaHandler, ValidationError, model_validator
from pydantic_core import CoreSchema, InitErrorDetails

from upswarm import plugins
from upswarm.errors import PluginError


class Mistake(ValueError):
    """What a validator says of a value; `hint` may hold the nearest right word."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class Room(BaseModel):
    """One mapping of a scenario."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ShortRoom(Room):
    """A mapping that may be written as one of its values alone: `size: 16MiB` for `size: {fixed: 16MiB}`."""

    shorthand: ClassVar[str]

    @model_validator(mode="before")
    @classmethod
    def _expand(cls, value: Any) -> Any:
        return value if isinstance(value, dict | cls) else {cls.shorthand: value}

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        whole = handler.resolve_ref_schema(handler(core_schema))
        short = whole["properties"][cls.shorthand]
        return {"anyOf": [short, whole], "description": whole.pop("description", "")}


def exactly_one(room: Room, names: tuple[str, ...]) -> None:
    """Raises ValueError unless one of the fields is set, and no other."""
    given = [name for name in names if getattr(room, name) is not None]
    if len(given) != 1:
        raise ValueError(f"expected exactly one of {', '.join(names)}, found {' and '.join(given) or 'none'}")


def missing(name: str, room: Room) -> ValidationError:
    """What a validator raises for a key that is needed only beside others."""
    detail = InitErrorDetails(type="missing", loc=(name,), input=room)
    return ValidationError.from_exception_data(type(room).__name__, [detail])


def mistaken(place: tuple[str, ...], mistake: Mistake, room: Room) -> ValidationError:
    """What a validator raises for a value that is wrong only beside others; `place` is where it stands in the room."""
    return all_mistaken({place: mistake}, room)


def all_mistaken(mistakes: Mapping[tuple[Any, ...], Mistake], room: Room) -> ValidationError:
    """The same for several values."""
    details = [
        InitErrorDetails(type="value_error", loc=place, input=room, ctx={"error": mistake})
        for place, mistake in mistakes.items()
    ]
    return ValidationError.from_exception_data(type(room).__name__, details)


def plugin(kind: str) -> AfterValidator:
    """A validator of a plugin's name: it can be loaded."""

    def check(name: str) -> str:
        try:
            plugins.find(kind, name)
        except PluginError as error:
            raise Mistake(error.message, error.hint) from error
        return name

    return AfterValidator(check)
