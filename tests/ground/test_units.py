import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upswarm import units

MiB = 2**20


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("0", 0), ("1", 1), (7, 7), ("512B", 512), ("8MiB", 8 * MiB), ("8 MiB", 8 * MiB), (" 8MiB ", 8 * MiB),
        ("1kB", 1000), ("1KiB", 1024), ("1.5GB", 1_500_000_000), ("1.5GiB", 3 * 2**29), ("2TiB", 2**41),
        ("8_000", 8000), (".5KiB", 512), ("+1KiB", 1024), (5e3, 5000), (10**16, 10**16), (1e16, 10**16),
    ],
)  # fmt: skip
def test_sizes_are_exact(text, size_bytes):
    assert units.parse_size(text) == size_bytes


@pytest.mark.parametrize(
    "text",
    ["", "MiB", "-1", "-1MiB", "1.5", 1.5, "8mib", "8 M B", "8MiB/s", "8%", "1e3", "0x10", "1,5MiB", "nan", "inf",
     True, None, [8], b"8", math.nan, math.inf, "9" * 400, "9" * 400 + "TiB"],
)  # fmt: skip
def test_what_is_no_size_is_refused_with_an_example(text):
    with pytest.raises(units.UnitError, match="expected a size such as 8MiB"):
        units.parse_size(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), (0, 0), ("30s", 30), ("200ms", 0.2), ("350µs", 350e-6), ("350us", 350e-6), ("2m", 120), ("2min", 120),
     ("1.5h", 5400), ("1d", 86400), ("0s", 0)],
)  # fmt: skip
def test_durations(text, seconds):
    assert units.parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["30", 30, "", "s", "-1s", "1 week", "30/s", True, None, "1e3s"])
def test_a_duration_without_its_unit_is_refused(text):
    with pytest.raises(units.UnitError, match="expected a duration such as 200ms"):
        units.parse_duration(text)


@pytest.mark.parametrize(("text", "per_s"), [("200/s", 200), ("30/m", 0.5), ("100/h", 100 / 3600), ("0/s", 0)])
def test_rates(text, per_s):
    assert units.parse_rate(text) == pytest.approx(per_s)


@pytest.mark.parametrize("text", ["200", 200, "/s", "-1/s", "200/week", "200s"])
def test_a_rate_without_its_time_is_refused(text):
    with pytest.raises(units.UnitError, match="expected a rate such as 200/s"):
        units.parse_rate(text)


@pytest.mark.parametrize(("text", "bytes_per_s"), [("20MiB/s", 20 * MiB), ("1.5kB/s", 1500), ("0B/s", 0)])
def test_bandwidths(text, bytes_per_s):
    assert units.parse_bandwidth(text) == bytes_per_s


@pytest.mark.parametrize("text", ["20MiB", "20", "20/s", "20MiB/m", "-1B/s"])
def test_a_bandwidth_without_its_time_is_refused(text):
    with pytest.raises(units.UnitError, match="expected a bandwidth such as 20MiB/s"):
        units.parse_bandwidth(text)


@pytest.mark.parametrize(
    ("text", "ratio"), [("30%", 0.3), ("0.3", 0.3), (0.3, 0.3), (1, 1), ("0%", 0), ("100 %", 1), (0.00001, 1e-5)]
)
def test_ratios(text, ratio):
    assert units.parse_ratio(text) == pytest.approx(ratio)


@pytest.mark.parametrize("text", ["101%", "1.1", 2, "-1%", "30", "", "%", None, math.nan])
def test_a_share_of_more_than_all_is_refused(text):
    with pytest.raises(units.UnitError, match="expected a share such as 30%"):
        units.parse_ratio(text)


def test_an_error_says_what_was_expected_and_what_was_found():
    with pytest.raises(units.UnitError) as raised:
        units.parse_size("8 apples")
    assert (raised.value.expected, raised.value.found) == (units.SIZE_EXAMPLES, "8 apples")
    assert str(raised.value) == "expected a size such as 8MiB or 1.5GB, found '8 apples'"


@pytest.mark.parametrize(
    ("value_bytes", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1.5 * MiB, "1.5 MiB"), (16 * MiB, "16.0 MiB"),
     (2**30, "1.0 GiB"), (5 * 2**40, "5.0 TiB"), (5000 * 2**40, "5000.0 TiB"), (MiB - 1, "1.0 MiB"),
     (1023.7, "1.0 KiB")],
)  # fmt: skip
def test_a_size_for_people(value_bytes, text):
    assert units.format_size(value_bytes) == text
    assert units.format_bandwidth(value_bytes) == f"{text}/s"


@pytest.mark.parametrize(
    ("value_s", "text"),
    [(0, "0 s"), (350e-6, "350 µs"), (1e-6, "1.00 µs"), (0.00124, "1.24 ms"), (0.0415, "41.5 ms"), (0.999, "999 ms"),
     (12, "12.0 s"), (1, "1.00 s"), (59.9, "59.9 s"), (60, "1 m 00 s"), (125, "2 m 05 s"), (3599.6, "1 h 00 m"),
     (3660, "1 h 01 m"), (9.999, "10.0 s"), (0.9999999, "1.00 s"), (0.00099999, "1.00 ms"), (59.99, "1 m 00 s")],
)  # fmt: skip
def test_a_duration_for_people_has_three_digits(value_s, text):
    assert units.format_duration(value_s) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (0, "0 %"),
        (0.0012, "0.12 %"),
        (0.5, "50 %"),
        (1, "100 %"),
        (0.99996, "100 %"),
        (12.5, "1250 %"),
        (1e-7, "0.00001 %"),
    ],
)
def test_a_ratio_for_people(ratio, text):
    assert units.format_ratio(ratio) == text


@given(st.integers(0, 2**53), st.sampled_from(["", "B"]))
def test_whole_bytes_survive_the_round_trip(size_bytes, unit):
    assert units.parse_size(f"{size_bytes}{unit}") == size_bytes


@given(st.floats(0, 2**59))
def test_a_formatted_size_reads_back_within_a_rounding(value_bytes):
    assert units.parse_size(units.format_size(value_bytes)) == pytest.approx(value_bytes, rel=0.051, abs=0.5)


@given(st.floats(1e-6, 59))
def test_a_formatted_duration_reads_back_within_a_rounding(value_s):
    assert units.parse_duration(units.format_duration(value_s)) == pytest.approx(value_s, rel=0.0051)


@given(st.floats(1e-6, 59))
def test_a_formatted_duration_has_at_most_three_digits(value_s):
    number, _ = units.format_duration(value_s).split(" ")
    assert sum(character.isdigit() for character in number) == 3


@given(st.one_of(st.text(), st.floats(), st.integers(), st.none(), st.booleans()))
def test_anything_else_is_a_unit_error(anything):
    for parse in (units.parse_size, units.parse_duration, units.parse_rate, units.parse_bandwidth, units.parse_ratio):
        try:
            value = parse(anything)
        except units.UnitError:
            continue
        assert math.isfinite(value)
        assert value >= 0
