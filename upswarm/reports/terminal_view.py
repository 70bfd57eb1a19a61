"""A run that goes on as lines for a terminal: what the live page shows, in at most so many columns and rows.

The `head` changes with every frame and costs little; the `body` is made anew when more is known.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from rich.text import Text

from upswarm.reports.live import figures as live_figures
from upswarm.reports.live import rows as live_rows
from upswarm.reports.live.live import Live
from upswarm.reports.rows import NONE, counted, duration
from upswarm.workload.moments import clock

NARROWEST, LOWEST = 60, 16
"""A terminal with fewer columns or rows gets plain lines."""
_WIDEST = 120
_SPARKS = "▁▂▃▄▅▆▇█"
_MOST_SPARKS = 30
_TONES = {"holds": ("✓", "green"), "broken": ("✗", "bold red"), "open": ("·", "dim")}
_TIMES = ("p50", "p95", "p99")


def head(live: Live, width: int) -> list[Text]:
    """What is run, how far it is, and what the load does now."""
    width = min(width, _WIDEST)
    title = Text.assemble((live.scenario, "bold"), (f" → {live.target}", "dim"))
    return [*_lines([title]), _bar(live, width), *_lines([Text(_standing(live))])]


def body(live: Live, width: int, height: int) -> list[Text]:
    """Goodput, phases, failures, thresholds and workers, in at most so many rows: what does not fit is counted."""
    width = min(width, _WIDEST)
    first = [*_goodput(live, width), Text()]
    phases, workers = _phases(live), [Text(), _workers(live)]
    failures, thresholds = list(_failures(live)), list(_thresholds(live, width))
    left = height - len(first) - len(phases) - len(workers)
    gaps = 2 if left >= 6 else 0
    failed = min(len(failures), max((left - gaps) // 2, left - gaps - len(thresholds)))
    parts = [_fitted(failures, failed), _fitted(thresholds, left - gaps - failed)]
    for part in parts:
        if part:
            phases += [Text(), *part] if gaps else part
    return list(_lines([*first, *phases, *workers]))[:height]


def _lines(texts: Iterable[Text]) -> Iterator[Text]:
    for text in texts:
        text.no_wrap, text.overflow = True, "ellipsis"
        yield text


def _fitted(rows: list[Text], most: int) -> list[Text]:
    if len(rows) <= most:
        return rows
    return [*rows[: most - 1], Text(f"… and {len(rows) - most + 1} more", "dim")] if most > 0 else []


def _standing(live: Live) -> str:
    parts = [live.stage, f"{counted(live.users, 'user')} now", f"{counted(live.in_flight, 'upload')} in flight"]
    return " · ".join(filter(None, parts))


def _bar(live: Live, width: int) -> Text:
    """Time gone, of the time that is planned."""
    if live.planned_s is None:
        return Text(f"{clock(live.elapsed_s)} so far", no_wrap=True)
    left_s = math.ceil(live.planned_s) - int(live.elapsed_s)  # in step with the time gone
    rest = f"{clock(left_s)} left" if left_s > 0 else "waiting for the last uploads"
    label = f"  {clock(min(live.elapsed_s, live.planned_s))} of {clock(live.planned_s)}, {rest}"
    cells = max(width - len(label), 0)
    done = round(cells * min(1.0, live.elapsed_s / live.planned_s)) if live.planned_s else cells
    return Text.assemble(("━" * done, "cyan"), ("━" * (cells - done), "dim"), label, no_wrap=True, overflow="crop")


def _goodput(live: Live, width: int) -> Iterator[Text]:
    """Rates of now and of the whole run, and how goodput went over the last seconds."""
    rows = {row.key: row for row in live_figures.figures(live)}
    goodput = rows.pop("goodput")
    now = "" if goodput.now == NONE else f"{goodput.now} now"
    mean = f"{', ' if now else ''}{goodput.whole} mean  "
    room = width - len(f"goodput {now}{mean}")
    yield Text.assemble("goodput ", (now, "bold"), mean, (_sparks(live, room), "cyan"))
    said = [f"{rows['finished'].whole} finished", f"{rows['failed'].whole} failed"]
    said += [f"{rows[key].whole} {key}" for key in ("retries", "resumes")]
    if "arrivals" in rows:
        arrivals = live.measurements.arrivals
        said += [f"{arrivals.begun:,} arrived, {arrivals.late:,} late, {arrivals.dropped:,} dropped"]
    yield Text(f"uploads {', '.join(said)}")


def _sparks(live: Live, most: int) -> str:
    """Goodput of each of the last seconds that are known, the highest as a full block."""
    last = int(live.known_s)
    seconds = range(max(0, last - min(most, _MOST_SPARKS)), last)
    known = live.measurements.seconds
    values = [known[at].finished_bytes if at in known else 0 for at in seconds]
    highest = max(values, default=0)
    return "".join(_SPARKS[round(value / highest * (len(_SPARKS) - 1))] if highest else _SPARKS[0] for value in values)


def _phases(live: Live) -> list[Text]:
    rows = list(live_rows.phases(live))
    names = ("phase", "count", "failed", "retries", *_TIMES)
    if not rows:
        return [Text("no request has been answered yet", "dim")]
    cells = [(row.name, row.count, row.failed, row.retries, row.p50, row.p95, row.p99) for row in rows]
    return [_columns(names, "dim"), *(_columns(each, "") for each in cells)]


def _columns(cells: Sequence[str], style: str) -> Text:
    name, count, *others = cells
    return Text(f"{name:<9}{count:>9}" + "".join(f"{cell:>10}" for cell in others), style)


def _failures(live: Live) -> Iterator[Text]:
    """The most frequent first, each with the last example that was kept."""
    rows = sorted(live_rows.failures(live), key=lambda row: -int(row.count.replace(",", "")))
    examples = {(each["phase"], each["kind"]): each for each in live.measurements.examples.to_document()}
    for row in rows:
        example = examples.get((row.name, row.kind))
        said = "" if example is None else example["message"] or example["said"]
        yield Text.assemble(
            f"{row.count:>7} × ", (f"{row.name} {row.kind}", "red"), (f"  {said}" if said else "", "dim")
        )


def _thresholds(live: Live, width: int) -> Iterator[Text]:
    for row in live_rows.thresholds(live):
        sign, style = _TONES[row.tone]
        room = max(20, width - len(row.observed) - len(row.standing) - 8)
        name = row.threshold if len(row.threshold) <= room else f"{row.threshold[: room - 1]}…"
        yield Text.assemble((f"{sign} {name}", style), f"  {row.observed}", (f"  {row.standing}", "dim"))


def _workers(live: Live) -> Text:
    """How many there are, and the worst of what they say of themselves."""
    lost = sum(worker.state.startswith("lost") for worker in live.workers)
    lags = [each.health.lag_p99_s for each in live.workers if each.health.lag_p99_s is not None]
    cpus = [each.health.cpu_mean_ratio for each in live.workers if each.health.cpu_mean_ratio is not None]
    troubled = any(row.troubled for row in live_rows.workers(live))
    whom = counted(len(live.workers), "worker") if len(live.workers) != 1 else "generator"
    said = [whom, *([f"{lost} lost"] if lost else []), f"CPU {max(cpus) * 100:.0f} %" if cpus else ""]
    said += [f"loop lag p99 {duration(max(lags))}" if lags else ""]
    worst = " (worst)" if len(live.workers) > 1 and cpus else ""
    return Text(" · ".join(filter(None, said)) + worst, "bold red" if troubled else "dim")
