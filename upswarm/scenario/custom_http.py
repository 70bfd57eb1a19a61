"""`target.protocol.http`: a service's own API, described in a scenario (docs/custom-http.md)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails

from upswarm.plugins import did_you_mean
from upswarm.protocols.http import CHUNK_NAMES, NAMES, RECEIPT_NAMES, SUCCESSES, Api, Step
from upswarm.protocols.payloads import CHUNK, Form, Json, Payload, Raw, Text
from upswarm.protocols.templates import Extraction, Template
from upswarm.scenario.base import Mistake, Room, exactly_one
from upswarm.scenario.custom_http_secrets import Place, given_away
from upswarm.transfer.failures import UNANSWERED, Failure

Finding = tuple[Place, Mistake]
RESULTS = ("file_id", "file_size")
"""What a receipt is made of; any step may extract them."""
_AFTERWARDS = {"inspect", "download"}


def _said(kind: Failure) -> Failure:
    if kind in UNANSWERED or kind is Failure.STOPPED:
        raise Mistake(f"expected a kind that an answer can mean, found {str(kind)!r}", "see docs/failures.md")
    return kind


class StepRoom(Room):
    """One request, and what its answers mean."""

    model_config = ConfigDict(extra="forbid", frozen=True, serialize_by_alias=True)

    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] = Field(description="The request's method.")
    path: str = Field(description="Its path within the target, such as `/uploads/{upload_id}`, or `{name}` of a URL.")
    headers: dict[str, str] = Field({}, description="Its headers.")
    document: Any = Field(None, alias="json", description="Its body as JSON; every text in it may hold names.")
    body: str | None = Field(None, description="Its body as text; in `send`, `@chunk` is the chunk's bytes.")
    form: dict[str, str] | None = Field(None, description="Its body as a form; in `send`, one field is `@chunk`.")
    expect: tuple[Annotated[int, Field(ge=200, le=599)], ...] = Field(
        tuple(sorted(SUCCESSES)), min_length=1, description="The statuses of success."
    )
    extract: dict[str, str] = Field(
        {}, description="Names for what is found in the answer: `json:path.of.keys`, `header:Name`, `regex:expression`."
    )
    failures: dict[Annotated[int, Field(ge=400, le=599)], Annotated[Failure, AfterValidator(_said)]] = Field(
        {}, description="What other statuses mean, such as `409: sync` (see failures.md), where it is not the usual."
    )

    def texts(self) -> Iterator[tuple[Place, str]]:
        """Every template, with its place."""
        yield ("path",), self.path
        yield from ((("headers", name), text) for name, text in self.headers.items())
        yield from _texts_in(self.document, ("json",))
        yield from ((("form", name), text) for name, text in (self.form or {}).items() if text != CHUNK)
        if self.body not in {None, CHUNK}:
            yield ("body",), str(self.body)

    def chunk_places(self) -> list[Place]:
        """Where the chunk stands."""
        fields: list[Place] = [("form", name) for name, text in (self.form or {}).items() if text == CHUNK]
        return [*fields, ("body",)] if self.body == CHUNK else fields

    def build(self) -> Step:
        """The step that the dialect takes."""
        return Step(
            self.method,
            Template.parse(self.path),
            {name: Template.parse(text) for name, text in self.headers.items()},
            self._payload(),
            frozenset(self.expect),
            {name: Extraction.parse(text) for name, text in self.extract.items()},
            dict(self.failures),
        )

    def _payload(self) -> Payload | None:
        if self.document is not None:
            return Json(_parsed(self.document))
        if self.form is not None:
            fields = {name: Template.parse(text) for name, text in self.form.items() if text != CHUNK}
            return Form(fields, next((name for name, text in self.form.items() if text == CHUNK), None))
        if self.body is None:
            return None
        return Raw() if self.body == CHUNK else Text(Template.parse(self.body))


class HeldRoom(Room):
    """What a probe's answer says is held."""

    offset: str | None = Field(None, description="Where the first missing byte is found; chunks then come in order.")
    indexes: str | None = Field(
        None, description="Where a list is found, of chunks from 0 or of `[first, last]` pairs."
    )

    @model_validator(mode="after")
    def _one(self) -> HeldRoom:
        exactly_one(self, ("offset", "indexes"))
        return self


class ProbeRoom(StepRoom):
    """The question what the service holds."""

    held: HeldRoom = Field(description="What of the answer says it.")


class HttpRoom(Room):
    """A service's own API. Only `send` is needed."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"$comment": "docs/custom-http.md"})

    create: StepRoom | None = Field(None, description="Begins an upload; what it extracts, the other steps know.")
    send: StepRoom = Field(description="Carries a chunk.")
    probe: ProbeRoom | None = Field(
        None, description="Asks what the service holds; without it, a cut chunk is repeated."
    )
    finalize: StepRoom | None = Field(None, description="Makes a file of the chunks.")
    abort: StepRoom | None = Field(None, description="Gives an upload up.")
    inspect: StepRoom | None = Field(
        None, description="Asks for a finished file, for an audit; it may extract `file_size`."
    )
    download: StepRoom | None = Field(None, description="Reads a finished file back, for an audit.")
    sequential: bool = Field(False, description="Whether chunks have to come in order.")

    @model_validator(mode="after")
    def _makes_sense(self) -> HttpRoom:
        found = list(_findings(self))
        if found:
            details = [InitErrorDetails(type="value_error", loc=place, input=None, ctx={"error": mistake})
                       for place, mistake in found]  # fmt: skip
            raise ValidationError.from_exception_data("HttpRoom", details)
        return self

    def steps(self) -> Iterator[tuple[str, StepRoom]]:
        """Those that there are."""
        for name in ("create", "send", "probe", "finalize", "abort", "inspect", "download"):
            step = getattr(self, name)
            if step is not None:
                yield name, step

    def build(self) -> Api:
        """The service as the dialect knows it."""
        steps = {name: step.build() for name, step in self.steps()}
        held = self.probe.held if self.probe is not None else HeldRoom.model_construct()
        offset, indexes = (Extraction.parse(text) if text else None for text in (held.offset, held.indexes))
        return Api(**steps, offset=offset, indexes=indexes, sequential=self.sequential)


def _findings(room: HttpRoom) -> Iterator[Finding]:
    created = list(room.create.extract) if room.create is not None else []
    for name, step in room.steps():
        known = [*NAMES, *(created if name != "create" else []), *(CHUNK_NAMES if name == "send" else [])]
        if name in _AFTERWARDS:
            known = list(RECEIPT_NAMES)
        secrets = dict(given_away(step.texts()))
        others = [*_of_templates(step, known), *_of_body(step, sends=name == "send")]
        for place, mistake in [*(each for each in others if each[0] not in secrets), *secrets.items()]:
            yield (name, *place), mistake  # the others' sentences would repeat what stands there
        anew = [] if name in _AFTERWARDS else created
        for place, mistake in _of_extractions(step, anew if name in {"send", "probe", *_AFTERWARDS} else None):
            yield (name, *place), mistake


def _of_templates(step: StepRoom, known: list[str]) -> Iterator[Finding]:
    for place, text in step.texts():
        try:
            names = Template.parse(text).names
        except ValueError as error:
            yield place, Mistake(str(error))
            continue
        for name in names:
            if name not in known:
                message = f"expected one of {', '.join(known)} in braces, found {name!r}"
                yield place, Mistake(message, did_you_mean(name, known))
    if not step.path.startswith(("/", "{", "http://", "https://")):
        yield ("path",), Mistake(f"expected a path that begins with / or a name in braces, found {step.path!r}")


def _of_body(step: StepRoom, *, sends: bool) -> Iterator[Finding]:
    given = [
        name for name in ("json", "body", "form") if getattr(step, {"json": "document"}.get(name, name)) is not None
    ]
    if len(given) > 1:
        yield (given[1],), Mistake(f"expected one body at most, found {' and '.join(given)}")
    places = step.chunk_places()
    if sends and len(places) != 1:
        yield (), Mistake(f"expected `@chunk` once, as `body` or as a field of `form`, found it {len(places)} times")
    if not sends and places:
        yield places[0], Mistake(f"expected no chunk, found {CHUNK!r}", "only `send` carries chunks")


def _of_extractions(step: StepRoom, created: list[str] | None) -> Iterator[Finding]:
    """`created`: the names that are known already, where only they may be given anew."""
    held = step.held.model_dump(exclude_none=True) if isinstance(step, ProbeRoom) else {}
    for place, text in [*((("extract", name), text) for name, text in step.extract.items()),
                        *((("held", name), text) for name, text in held.items())]:  # fmt: skip
        try:
            Extraction.parse(text)
        except ValueError as error:
            yield place, Mistake(str(error))
    for name in step.extract:
        if created is not None and name not in {*created, *RESULTS}:
            yield ("extract", name), Mistake(f"expected a name that `create` extracts too, found {name!r}")
        if name in {*NAMES, *CHUNK_NAMES} - {"chunk_size"}:
            yield ("extract", name), Mistake(f"expected a name of your own, found {name!r}, which has a meaning")


def _texts_in(document: Any, place: Place) -> Iterator[tuple[Place, str]]:
    match document:
        case str():
            yield place, document
        case dict():
            for key, value in document.items():
                yield from _texts_in(value, (*place, key))
        case list():
            for index, value in enumerate(document):
                yield from _texts_in(value, (*place, index))


def _parsed(document: Any) -> Any:
    match document:
        case str():
            return Template.parse(document)
        case dict():
            return {key: _parsed(value) for key, value in document.items()}
        case list():
            return [_parsed(value) for value in document]
    return document
