"""The verb `compare`: runs beside a base, with a word for each metric, and gates for CI."""

from __future__ import annotations

import json
import string
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from upswarm import units
from upswarm.errors import UsageError
from upswarm.files import write_whole

if TYPE_CHECKING:
    from upswarm.results.comparison.gate import Gate, Judged
    from upswarm.results.comparison.sides import Side


@click.command(short_help="Better, worse, or the same? Runs beside a base.")
@click.argument("base")
@click.argument("others", nargs=-1, required=True)
@click.option("--fail-if", "gates", multiple=True, metavar="CHANGE", help="Exit with 3 where a figure has changed so, "
              "such as `chunk.response_time p99 > +10% and > +5ms`; may be given several times.")  # fmt: skip
@click.option("--sure", is_flag=True, help="Gates fail only where noise does not explain the change.")
@click.option("--band", default="5%", show_default=True, help="Figures that differ by no more are the same.")
@click.option("--all", "everything", is_flag=True, help="Show the figures that no word is known for, too.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document instead of tables.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print Markdown instead, as for a pull request.")
@click.option("--html", "page", type=click.Path(path_type=Path, dir_okay=False), is_flag=False,
              flag_value="compare.html", help="Write a page with charts too.  [default: compare.html]")  # fmt: skip
def compare(base: str, others: tuple[str, ...], gates: tuple[str, ...], page: Path | None, **wishes: Any) -> NoReturn:
    """Compare each of OTHERS with BASE: run folders or their run.json. Several runs of a side are joined by commas.

    \b
    upswarm compare reports/monday reports/tuesday
    upswarm compare before-1,before-2,before-3 after-1,after-2,after-3

    Exit codes: 0, or with --fail-if 3 where a gate fails, and 5 where a run is no measurement.
    """
    from upswarm.results.comparison.comparison import compare as compared  # noqa: PLC0415 (the other verbs do not need them)
    from upswarm.results.comparison.gate import judge  # noqa: PLC0415

    if wishes["as_json"] and wishes["as_markdown"]:
        raise UsageError("expected --json or --markdown, found both", hint="call it twice")
    sure: bool = wishes["sure"]
    wanted, band_ratio, sides = _gates(gates, sure=sure), _band(wishes["band"]), _sides([base, *others])
    found = [judge(compared(sides[0], each, band_ratio), wanted, sure=sure) for each in sides[1:]]
    code = max(judged.exit_code for judged in found)
    click.echo(_told(found, code, wishes).rstrip("\n"))
    if page is not None:
        _write(found, page, told=not (wishes["as_json"] or wishes["as_markdown"]))
    sys.exit(code)


def _told(found: Sequence[Judged], code: int, wishes: Mapping[str, Any]) -> str:
    from upswarm.reports.comparison.document import comparison_document  # noqa: PLC0415
    from upswarm.reports.comparison.markdown import comparison_markdown  # noqa: PLC0415
    from upswarm.reports.comparison.text import comparison_text  # noqa: PLC0415

    if wishes["as_json"]:
        return json.dumps(comparison_document(found, code), indent=1)
    if wishes["as_markdown"]:
        return "\n".join(map(comparison_markdown, found))
    colour = sys.stdout.isatty()
    texts = [comparison_text(judged, colour=colour, everything=wishes["everything"]) for judged in found]
    ending = [_ending(found, code)] if any(judged.verdicts for judged in found) else []
    return "\n\n".join([*texts, *ending])


def _ending(found: Sequence[Judged], code: int) -> str:
    fails = sum(verdict.fails for judged in found for verdict in judged.verdicts)
    if code == 0:
        return "No gate fails. Exit code 0."
    if code == 3:
        return f"{fails} {'gate fails' if fails == 1 else 'gates fail'}. Exit code 3."
    return "A run's generator failed, so its numbers decide nothing. Exit code 5."


def _write(found: Sequence[Judged], page: Path, *, told: bool) -> None:
    from upswarm.reports.comparison.page import comparison_page  # noqa: PLC0415

    try:
        write_whole(page, comparison_page(found))
    except OSError as error:
        raise UsageError(f"{page} can't be written: {error.strerror or error}") from error
    click.echo(f"page      {page}" if told else f"page {page}", err=not told)


def _band(text: str) -> float:
    try:
        return units.parse_ratio(text)
    except units.UnitError as error:
        raise UsageError(f"--band: {error}") from None


def _gates(texts: Sequence[str], *, sure: bool) -> list[Gate]:
    from upswarm.results.comparison.gate import Gate  # noqa: PLC0415
    from upswarm.results.thresholds import ThresholdError  # noqa: PLC0415

    gates = []
    for text in texts:
        try:
            gate = Gate.parse(text)
        except ThresholdError as error:
            raise UsageError(f"--fail-if: {error}", hint=error.hint) from None
        if sure and not gate.can_be_sure:
            raise UsageError(f"--fail-if: expected a percentile, a mean or a rate with --sure, found {text!r}",
                             hint="the noise of counts, totals and extremes is never known")  # fmt: skip
        gates.append(gate)
    return gates


def _sides(texts: Sequence[str]) -> list[Side]:
    """A letter for each, the base first. A run on two sides, or twice on one, would count as evidence it is not."""
    from upswarm.results.comparison.sides import Side  # noqa: PLC0415
    from upswarm.results.run_file import Run  # noqa: PLC0415

    if len(texts) > len(string.ascii_uppercase):
        raise UsageError(f"expected at most {len(string.ascii_uppercase)} sides, found {len(texts)}")
    paths = [[Path(part) for part in _parts(text)] for text in texts]
    for group, text in zip(paths, texts, strict=True):
        if len({path.resolve() for path in group}) < len(group):
            raise UsageError(f"expected each run once on a side, found one of them twice in {text!r}")
    loaded = [Side(letter, [Run.load(path) for path in group])
              for letter, group in zip(string.ascii_uppercase, paths, strict=False)]  # fmt: skip
    for side in loaded[1:]:
        _refuse_overlap(loaded[0], side)
    return loaded


def _parts(text: str) -> list[str]:
    """A path may have a comma in its name; then it is there as it stands."""
    return [text] if Path(text).exists() else [part for part in text.split(",") if part] or [text]


def _refuse_overlap(base: Side, other: Side) -> None:
    if base.shares_runs_with(other) and not base.measures_the_same_as(other):
        shared = {run.run_id for run in base.runs} & {run.run_id for run in other.runs}
        raise UsageError(f"{', '.join(sorted(shared))} stands on both sides, and not alone",
                         hint="a run can be compared with itself, or with runs that it is not one of")  # fmt: skip
