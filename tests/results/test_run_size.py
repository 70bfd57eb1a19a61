"""The size of run.json grows with how long a run lasts, and not with what it sends meanwhile."""

import json

from tests.results.long_runs import long_run

TEN_HOURS_S = 36_000
MB = 1_000_000


def saved(folder, **about):
    path = long_run(TEN_HOURS_S, **about).save(folder)
    return path, path.stat().st_size


def test_ten_hours_with_a_hundred_workers_take_less_than_20_mb(tmp_path):
    path, size_bytes = saved(tmp_path, workers=100, chunks_per_s=1000)
    assert size_bytes < 20 * MB
    document = json.loads(path.read_text())
    assert len(document["measurements"]["seconds"]["bytes_sent"]) == TEN_HOURS_S
    assert len(document["measurements"]["intervals"]["intervals"]) > 128
    assert len(document["measurements"]["examples"]) == 180


def test_ten_times_the_requests_in_the_same_time_take_hardly_more(tmp_path):
    (_, few), (_, many) = (saved(tmp_path / f"{each}", workers=10, chunks_per_s=each) for each in (100, 1000))
    assert many < 1.5 * few


def test_each_key_has_a_line_of_its_own(tmp_path):
    run = long_run(300, workers=2)
    lines = run.save(tmp_path).read_text().splitlines()
    assert (lines[0], lines[-1]) == ("{", "}")
    keys = [json.loads("{" + line.removesuffix(",") + "}").popitem()[0] for line in lines[1:-1]]
    assert keys == list(json.loads((tmp_path / "run.json").read_text()))
