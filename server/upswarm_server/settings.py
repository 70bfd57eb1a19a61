"""Every knob of the server, with its unit, from `UPSWARM_*` variables; wrong ones are reported all at once."""

from __future__ import annotations

import dataclasses
import difflib
import ipaddress
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from upswarm.errors import UsageError
from upswarm.units import UnitError, parse_duration, parse_size
from upswarm_server.fault_rules import Rule, read_rules

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*(:(read|write))?")
_PREFIX = "UPSWARM_"


class SettingsError(UsageError):
    """One or more settings are wrong; the message has a line for each of them."""


class Knob(NamedTuple):
    """One setting: its field and variable, its default as people write it, how it is read, what it does."""

    field: str
    variable: str
    default: str
    read: Callable[[str], Any]
    doc: str


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.strip().isdecimal() or not low <= int(text) <= high:
            raise UnitError(f"a whole number from {low} to {high}", text)
        return int(text)

    return read


def _yes_no(text: str) -> bool:
    words = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
    if text.lower() not in words:
        raise UnitError("yes or no", text)
    return words[text.lower()]


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise UnitError(" or ".join(words), text)
        return text

    return read


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _tokens(text: str) -> tuple[str, ...]:
    tokens = _words(text)
    for number, token in enumerate(tokens, start=1):
        if not _TOKEN.fullmatch(token):  # which must not be shown
            expected = "tokens of letters, digits and - . _ ~ + / =, each with :read, :write or nothing behind it"
            raise UnitError(expected, f"something else in number {number}")
    return tokens


def _file(text: str) -> Path | None:
    return Path(text) if text else None


def _positive_duration(text: str) -> float:
    value = parse_duration(text)
    if value <= 0:
        raise UnitError("a duration above 0, such as 30s", text)
    return value


def _knob(default: str, read: Callable[[str], Any], doc: str) -> Any:
    return dataclasses.field(
        default_factory=lambda: read(default), metadata={"knob": (default, read, doc)}, repr=read is not _tokens
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a server runs with. Made with keywords in tests, and by `from_environ` everywhere else."""

    host: str = _knob("127.0.0.1", str, "The address to listen on.")
    port: int = _knob("8000", _whole(0, 65535), "The port to listen on; 0 takes any free one.")
    workers: int = _knob("2", _whole(1, 256), "Worker processes; one per core is enough.")
    worker_connections: int = _knob(
        "1000", _whole(1, 65535), "Connections that one worker holds at a time; further ones wait."
    )
    data_dir: Path = _knob(  # noqa: RUF009 - it makes a field
        "./upswarm-data", Path, "The directory for files and records; it belongs to one server at a time."
    )
    store: str = _knob(
        "disk",
        str,
        "Where bytes are kept: `disk`, `memory` (with one worker only), or a plugin by its name or as "
        "`module:attribute`.",
    )
    catalog: str = _knob(
        "sqlite",
        str,
        "Where records are kept: `sqlite`, `memory` (with one worker only), or a plugin by its name or as "
        "`module:attribute`.",
    )
    catalog_commit: str = _knob(
        "sync",
        _one_of("sync", "behind"),
        "`sync` answers finalize and delete when the record is on disk; `behind` answers as soon as the kernel has it, "
        "which is quicker and loses the last records when the machine dies.",
    )
    reserve: str = _knob(
        "full",
        _one_of("full", "sparse"),
        "`full` allocates a file's space at init, so that a full disk is told at once; "
        "`sparse` only sets its length, which costs nothing and may fail at a later chunk.",
    )
    tokens: tuple[str, ...] = _knob(
        "",
        _tokens,
        "Bearer tokens that are accepted, separated by commas; `:read` or `:write` behind one says that it is good for "
        "nothing else.",
    )
    allow_anonymous: bool = _knob("no", _yes_no, "The explicit word that no token is wanted beyond loopback.")
    tls_cert: Path | None = _knob(  # noqa: RUF009
        "", _file, "The certificate, with its chain, in PEM; with it the server speaks TLS."
    )
    tls_key: Path | None = _knob("", _file, "The certificate's private key, in PEM.")  # noqa: RUF009
    max_file_size_bytes: int = _knob("1TiB", parse_size, "The largest file.")
    max_whole_file_size_bytes: int = _knob("64MiB", parse_size, "The largest file that may come in one request.")
    min_chunk_size_bytes: int = _knob("64KiB", parse_size, "The smallest chunk size that a client may propose.")
    max_chunk_size_bytes: int = _knob("64MiB", parse_size, "The largest chunk size that a client may propose.")
    auto_chunk_floor_bytes: int = _knob("5MiB", parse_size, "The smallest chunk size that the server chooses itself.")
    auto_chunk_ceiling_bytes: int = _knob("20MiB", parse_size, "The largest chunk size that the server chooses itself.")
    max_chunks: int = _knob("100000", _whole(1, 10**8), "The most chunks that a proposed chunk size may lead to.")
    max_json_size_bytes: int = _knob("64KiB", parse_size, "The largest JSON body.")
    max_json_depth: int = _knob("32", _whole(1, 500), "How deeply a JSON body may be nested.")
    max_metadata_size_bytes: int = _knob("8KiB", parse_size, "The largest `metadata`, counted as JSON.")
    max_name_bytes: int = _knob("255", _whole(1, 4096), "The longest filename, in bytes of UTF-8.")
    max_open_uploads: int = _knob("10000", _whole(1, 10**9), "Uploads that may be open at a time.")
    max_open_uploads_per_client: int = _knob(
        "0", _whole(0, 10**9), "Uploads that may be open at a time with one `client_id`, or with none; 0 sets no bound."
    )
    quota_bytes: int = _knob(
        "0", parse_size, "The most bytes that files and open uploads may take together; 0 sets no bound."
    )
    min_free_bytes: int = _knob("64MiB", parse_size, "Free space below which the server says that it is not ready.")
    upload_lifetime_s: float = _knob("24h", _positive_duration, "How long an upload may stay open.")
    reap_every_s: float = _knob(
        "1m", _positive_duration, "How often the space of uploads whose time is over is given back."
    )
    lock_wait_s: float = _knob(
        "5s", _positive_duration, "How long a request waits for another one that holds the same chunk or upload."
    )
    body_timeout_s: float = _knob(
        "30s", _positive_duration, "How long a client may stay silent in the middle of a body, or not read its answer."
    )
    request_timeout_s: float = _knob("1h", _positive_duration, "How long a client may take to send a whole body.")
    keepalive_s: float = _knob("75s", _positive_duration, "How long an idle connection is kept; whole seconds.")
    drain_s: float = _knob(
        "0s", parse_duration, "How long a stop goes on serving while `/health/ready` says `draining` already."
    )
    grace_s: float = _knob("10s", _positive_duration, "How long a stop waits for requests in flight; whole seconds.")
    access_log: str = _knob(
        "", str, "A file for one JSON object per request and line; `-` is standard output, empty is none."
    )
    log_format: str = _knob(
        "text", _one_of("text", "json"), "What is said on stderr: `text` is for people, `json` is an object per line."
    )
    log_level: str = _knob("warning", _one_of("debug", "info", "warning", "error"), "What the server says on stderr.")
    faults: tuple[Rule, ...] = _knob(
        "", read_rules, "Rules by which requests fail on purpose: a JSON list, or the path of a file with one."
    )
    faults_seed: int = _knob("0", _whole(0, 2**63 - 1), "The same seed draws the same faults.")
    planted_bug: str = _knob(
        "none",
        _one_of("none", "acknowledge_early"),
        "For tests of drills and audits alone: `acknowledge_early` answers a chunk before its bytes are safe, and "
        "loses files when a process dies. Refused without `UPSWARM_EXIT_WITH_PARENT`, so a server that is meant to "
        "stay never has it.",
    )
    exit_with_parent: bool = _knob("no", _yes_no, "Stop when the process that started the server is gone.")

    def __post_init__(self) -> None:
        if mistakes := list(_contradictions(self)):
            raise _error(mistakes)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """The settings of an environment; raises `SettingsError` with every mistake in it."""
        values: dict[str, Any] = {}
        mistakes = list(_unknown(environ))
        for knob in KNOBS:
            if knob.variable in environ:
                try:
                    values[knob.field] = knob.read(environ[knob.variable])
                except UnitError as error:
                    mistakes += [f"{knob.variable}: {line}" for line in str(error).splitlines()]
        if mistakes:
            raise _error(mistakes)
        return cls(**values)

    @property
    def server_id(self) -> str:
        """The identity of this server: its hostname, which in a container is the container's id."""
        return socket.gethostname()


def _variable(field: str) -> str:
    return _PREFIX + field.removesuffix("_bytes").removesuffix("_s").upper()


KNOBS: tuple[Knob, ...] = tuple(
    Knob(field.name, _variable(field.name), *field.metadata["knob"]) for field in dataclasses.fields(Settings)
)


def _unknown(environ: Mapping[str, str]) -> Iterator[str]:
    known = [knob.variable for knob in KNOBS]
    for variable in sorted(environ):
        nearest = difflib.get_close_matches(variable, known, n=1, cutoff=0.9)
        if variable.startswith(_PREFIX) and variable not in known and nearest:
            yield f"{variable}: expected a variable that the server knows (did you mean {nearest[0]}?)"


def _contradictions(settings: Settings) -> Iterator[str]:
    if not 1 <= settings.min_chunk_size_bytes <= settings.max_chunk_size_bytes:
        yield _outside("UPSWARM_MIN_CHUNK_SIZE", "UPSWARM_MAX_CHUNK_SIZE", settings.min_chunk_size_bytes)
    if not 1 <= settings.auto_chunk_floor_bytes <= settings.auto_chunk_ceiling_bytes:
        yield _outside("UPSWARM_AUTO_CHUNK_FLOOR", "UPSWARM_AUTO_CHUNK_CEILING", settings.auto_chunk_floor_bytes)
    if settings.auto_chunk_ceiling_bytes > settings.max_chunk_size_bytes:
        yield _outside("UPSWARM_AUTO_CHUNK_CEILING", "UPSWARM_MAX_CHUNK_SIZE", settings.auto_chunk_ceiling_bytes)
    if settings.planted_bug != "none" and not (settings.exit_with_parent and settings.store == "disk"):
        yield (
            "UPSWARM_PLANTED_BUG: expected it only with UPSWARM_EXIT_WITH_PARENT=yes and UPSWARM_STORE=disk, "
            "for it loses files and is there for tests; unset it"
        )
    if (settings.tls_cert is None) != (settings.tls_key is None):
        yield "UPSWARM_TLS_CERT: expected it together with UPSWARM_TLS_KEY, found one without the other"
    if not (settings.tokens or settings.allow_anonymous or _is_loopback(settings.host)):
        yield (
            f"UPSWARM_HOST: expected a loopback address, found {settings.host!r} and no token; "
            "set UPSWARM_TOKENS, or UPSWARM_ALLOW_ANONYMOUS=yes when none is wanted"
        )


def _outside(variable: str, ceiling: str, found_bytes: int) -> str:
    return f"{variable}: expected 1 B to {ceiling}, found {found_bytes} B"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _error(mistakes: list[str]) -> SettingsError:
    count = "1 setting is wrong" if len(mistakes) == 1 else f"{len(mistakes)} settings are wrong"
    return SettingsError("\n".join([count, *(f"  {mistake}" for mistake in mistakes)]))
