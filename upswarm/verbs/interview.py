"""Asks what a new scenario is to be, where no flag has said it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import click

from upswarm.scenario import answers
from upswarm.scenario.answers import Load
from upswarm.scenario.credentials import CREDENTIALS, Credentials, read_credentials, spelt, usual_credentials
from upswarm.scenario.draft import Draft
from upswarm.scenario.urls import EMBEDDED

Read = Callable[[str], Any]

_USUAL_NAME, _USUAL_THRESHOLD = "my-upload", "upload.failed count == 0"
_LOADS: dict[str, Read] = {
    "users": answers.read_users,
    "rate": answers.read_rate,
    "uploads": answers.read_uploads,
}
_CONTENTS = {
    "sparse": "zeros, which cost the client nothing",
    "random": "different everywhere: nothing can be saved",
    "compressible:3": "a third is left when they are compressed",
    "dedup:4": "three of four blocks are there already",
    "corpus:FOLDER": "files of yours",
}
_THRESHOLDS = {"chunk.response_time p99 < 400ms": "", "goodput mean > 10MiB/s": "", "upload.failed rate < 1%": ""}


class _Answer(click.ParamType[Any]):
    """What a reader makes of a text; a mistake is the reader's own sentence."""

    name = "text"

    def __init__(self, read: Read) -> None:
        self._read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The answer."""
        try:
            return self._read(value)
        except ValueError as error:
            hint = getattr(error, "hint", "")
            self.fail(f"{error} ({hint})" if hint else str(error), param, ctx)


class Interview:
    """`given` is what flags have said, as texts; what they have not is asked for, or with no `asking` the usual.

    Raises `click.UsageError` for flags that can't be used; an answer that can't be is asked for again.
    """

    def __init__(self, given: Mapping[str, Any], *, asking: bool) -> None:
        self._given = {key: said for key, said in given.items() if said is not None and said != ()}
        self._asking = asking

    def name(self, usual: str = "") -> str:
        """What the scenario is called."""
        return str(self._answer("name", "A name for it", usual or _USUAL_NAME, answers.read_name))

    def draft(self, name: str, folder: Path) -> Draft:
        """All other answers, for a scenario that will lie in this folder."""
        target = self._answer("target", f"The server's URL, or `{EMBEDDED}`", EMBEDDED, answers.read_target)
        protocol = self._protocol(target)
        credentials = self._credentials(target, protocol)
        content = self._content()
        size = self._size(content)
        load = self._load()
        return Draft(
            name=name,
            target=target,
            protocol=protocol,
            credentials=credentials,
            size=size,
            content=answers.relocated(content, folder),
            load=load,
            duration_s=self._duration(load),
            chunk_size=self._chunk_size(protocol),
            thresholds=self._thresholds(),
        )

    def _answer(self, key: str, question: str, usual: str, read: Read) -> Any:
        if self._asking and key not in self._given:
            return click.prompt(question, default=usual, type=_Answer(read))
        return _of_flag(key, self._given.get(key, usual), read)

    def _explain(self, key: str, meanings: Mapping[str, str]) -> None:
        """What may be answered to the question that comes next, if it comes."""
        if self._asking and key not in self._given:
            width = max(map(len, meanings))
            for word, meaning in meanings.items():
                click.echo(f"  {word:{width}}  {meaning}".rstrip())

    def _protocol(self, target: str) -> str:
        self._explain("protocol", answers.protocols(target))
        read = partial(answers.read_protocol, target=target)
        return str(self._answer("protocol", "What it speaks", answers.USUAL_PROTOCOL, read))

    def _credentials(self, target: str, protocol: str) -> Credentials:
        if target == EMBEDDED and "auth" not in self._given:
            return Credentials("none")
        self._explain("auth", dict.fromkeys(map(spelt, CREDENTIALS), ""))
        usual = spelt(usual_credentials(protocol))
        question = "Credentials, by the names of the variables that hold them"
        credentials: Credentials = self._answer("auth", question, usual, read_credentials)
        return credentials

    def _content(self) -> Any:
        self._explain("content", _CONTENTS)
        return self._answer("content", "What files are made of", "sparse", answers.read_content)

    def _size(self, content: Any) -> Any:
        if isinstance(content, dict) and "corpus" in content and "size" not in self._given:
            return None
        return self._answer("size", "How large they are, such as 16MiB or 1MiB-64MiB", "16MiB", answers.read_size)

    def _load(self) -> Load:
        said = {key: _of_flag(key, self._given[key], read) for key, read in _LOADS.items() if key in self._given}
        if "rate" in said and len(said) > 1:
            raise click.UsageError(f"expected one of {', '.join(map(_flag_of, said))}, found them together")
        if said:
            return Load(**{key: asdict(load)[key] for key, load in said.items()})
        question = "How much: users, a rate or uploads, such as 4, 2/s or `100 uploads`"
        load: Load = self._answer("load", question, "4", answers.read_load)
        return load

    def _duration(self, load: Load) -> float:
        if load.uploads is None:
            read = partial(answers.read_duration, load=load)
            return float(self._answer("duration", "For how long", answers.usual_duration(load), read))
        if "duration" in self._given:
            raise click.UsageError("expected --uploads or --duration, found them together")
        return 0.0

    def _chunk_size(self, protocol: str) -> str:
        if protocol not in answers.WHOLE_FILES:
            return str(self._answer("chunk_size", "The size of chunks, or `server`", "server", answers.read_chunk_size))
        if "chunk_size" in self._given:
            raise click.UsageError(f"expected no --chunk-size, for {protocol} sends each file whole")
        return "server"

    def _thresholds(self) -> tuple[str, ...]:
        if "threshold" in self._given:
            return tuple(_of_flag("threshold", text, answers.read_threshold) for text in self._given["threshold"])
        self._explain("thresholds", _THRESHOLDS)
        first = self._answer("thresholds", "What must hold", _USUAL_THRESHOLD, answers.read_threshold)
        return (first, *self._more_thresholds()) if self._asking else (first,)

    def _more_thresholds(self) -> Iterator[str]:
        read = _Answer(lambda text: text and answers.read_threshold(text))
        while text := click.prompt("And what else (Enter ends the list)", default="", show_default=False, type=read):
            yield text


def _of_flag(key: str, text: str, read: Read) -> Any:
    try:
        return _Answer(read).convert(text, None, None)
    except click.UsageError as error:
        raise click.BadParameter(error.message, param_hint=_flag_of(key)) from error


def _flag_of(key: str) -> str:
    return "NAME" if key == "name" else f"--{key.replace('_', '-')}"
