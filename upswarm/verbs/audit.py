"""The verb `audit`: a run that is over is held against what the server has now."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from upswarm.errors import EXIT_AUDIT, EXIT_GENERATOR, EXIT_OK, UsageError

if TYPE_CHECKING:
    from upswarm.audit.auditor import Auditor
    from upswarm.results.audit_record import AuditRecord
    from upswarm.results.run_file import Run
    from upswarm.scenario.model import Scenario


@click.command(short_help="Is every file there that was promised in a run?")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--target", help="A URL, where the server is to be found elsewhere by now.")
@click.option("--scenario", help="A scenario with the credentials (target.auth), which no run file holds.")
@click.option("--sample", help="The share of files that are looked at, such as 10%.")
@click.option("--check", help="What is asked of each, such as present,size; `digest` reads it back.")
@click.option("--limit", help="How long it may take, such as 5m.")
@click.option("--connections", type=click.IntRange(1, 64), help="How many files are looked at at the same time.")
@click.option("--ledger", "ledgers", type=click.Path(path_type=Path), multiple=True, metavar="FILE",
              help="The ledger of a worker that was lost on another machine; may be given several times.")  # fmt: skip
@click.option("--file-path", metavar="TEMPLATE", help="Read the bytes from this disk instead, for the reference "
              "server from 'DATA_DIR/data/{file_id:.2}/{file_id}'.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON instead.")
def audit(run: Path, *, as_json: bool, **wishes: Any) -> None:
    """Hold what the clients of RUN (a folder below reports/) were promised against what the server has now.

    The result becomes part of the run file, and of what is made of it.

    \b
    Exit codes: 0 no promise was found broken · 2 the command is wrong, or nobody answers
    4 files that were acknowledged are missing or wrong · 5 no file could be looked at
    """
    from upswarm.reports import facts  # noqa: PLC0415 (the other verbs do not need them)
    from upswarm.reports.outputs import leaving  # noqa: PLC0415 (the other verbs do not need them)
    from upswarm.results.run_file import Run  # noqa: PLC0415

    loaded = Run.load(run)
    folder = run if run.is_dir() else run.parent
    auditor = _auditor(loaded, folder, **wishes)
    record = auditor.run(lambda done, total, _: click.echo(f"{done} of {total} files", err=True))
    if as_json:
        click.echo(json.dumps(record.to_document(), indent=1))
    else:
        click.echo(facts.audit(record))
        for problem in record.problems:
            click.echo(f"  {problem.fate.value:12} {problem.file_name}  {problem.file_id}\n{'':15}{problem.detail}")
        for note in record.notes:
            click.echo(f"note: {note}")
    audited = replace(loaded, audit=record)
    try:
        left = [("run file", audited.save(folder)), *leaving.rewrite(audited, folder)]
    except OSError as error:
        raise UsageError(f"the result could not be written into {folder}: {error.strerror or error}") from error
    click.echo(leaving.lines(left), nl=False, err=as_json)
    sys.exit(_exit_code(record))


def _exit_code(record: AuditRecord) -> int:
    if not record.holds:
        return EXIT_AUDIT
    return EXIT_GENERATOR if record.promised and not record.asked else EXIT_OK


def _auditor(
    run: Run,
    folder: Path,
    *,
    target: str | None,
    scenario: str | None,
    ledgers: tuple[Path, ...],
    file_path: str | None,
    **terms: Any,
) -> Auditor:
    from upswarm.audit.auditor import Auditor, Books  # noqa: PLC0415 (the other verbs do not need them)
    from upswarm.audit.disk import Shelf  # noqa: PLC0415
    from upswarm.audit.ledger import LEDGER_FILE, ledgers_of, read  # noqa: PLC0415
    from upswarm.audit.originals import remade  # noqa: PLC0415
    from upswarm.results.audit_terms import Ask  # noqa: PLC0415
    from upswarm.scenario.access import access, audit_terms  # noqa: PLC0415
    from upswarm.transfer.access import check_reachable  # noqa: PLC0415
    from upswarm.transfer.clock import SystemClock  # noqa: PLC0415

    paths = [*ledgers_of(folder), *ledgers]
    if not paths:
        raise UsageError(f"expected a ledger in {folder}, found no {LEDGER_FILE}",
                         hint="a worker's own is given with --ledger")  # fmt: skip
    shelf = Shelf(file_path) if file_path is not None else None
    asked = audit_terms(run.scenario.get("audit"), {name: wish for name, wish in terms.items() if wish is not None})
    needs_server = shelf is None or set(asked.checks) != {Ask.DIGEST}
    loaded = _scenario(run, scenario, needs_server=needs_server)
    way = access(loaded, _url(run, target, needs_server=needs_server), SystemClock())
    if needs_server:
        check_reachable(way.url, way.open_transport())
    books = Books(
        entries=lambda: read(paths), original=remade(loaded.build_mix), prefix=f"{run.run_id}-", seed=loaded.seed
    )
    return Auditor(books, way, asked, shelf=shelf)


def _scenario(run: Run, credentials: str | None, *, needs_server: bool) -> Scenario:
    """That of the run, whose secrets are nowhere but in the scenario that it was made of."""
    from upswarm.scenario import library, loader  # noqa: PLC0415

    document = {**run.scenario, "target": dict(run.scenario.get("target") or {})}
    wanted = document["target"].pop("auth", None)
    loaded = loader.received(document)
    if credentials is not None:
        auth = loader.load(library.find(credentials)).target.auth
        return loaded.model_copy(update={"target": loaded.target.model_copy(update={"auth": auth})})
    if wanted and needs_server:
        raise UsageError(
            f"the target of this run wants credentials ({', '.join(wanted)}), and no run file holds any",
            hint="give the scenario that has them: --scenario FILE, with its variables in the environment",
        )
    return loaded


def _url(run: Run, target: str | None, *, needs_server: bool) -> str:
    from upswarm.scenario.urls import EMBEDDED, check_url  # noqa: PLC0415

    embedded = (run.scenario.get("target") or {}).get("url") == EMBEDDED
    if target is None and embedded and needs_server:
        raise UsageError(
            "the embedded server of this run is gone, and its files with it",
            hint="write `audit: true` into the scenario: then the run itself asks, before it ends",
        )
    try:
        url = check_url(target or run.target)
    except ValueError as error:
        raise UsageError(f"--target: {error}", hint=getattr(error, "hint", "")) from error
    if url == EMBEDDED:
        raise UsageError(f"--target: expected a URL, found `{EMBEDDED}`, which has none of the run's files")
    return url
