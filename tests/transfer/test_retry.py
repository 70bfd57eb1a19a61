import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upswarm.transfer.retry import Jitter, RetryPolicy, retry_after_s

NOON = 784_111_777.0  # Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110
dice = st.randoms(use_true_random=False)


@pytest.mark.parametrize(("retry", "pause_s"), [(1, 0.2), (2, 0.4), (3, 0.8), (6, 6.4), (7, 10), (8, 10), (5000, 10)])
def test_pauses_double_up_to_the_cap(retry, pause_s):
    assert RetryPolicy(jitter=Jitter.NONE).pause_s(retry, random.Random(1)) == pytest.approx(pause_s)


@pytest.mark.parametrize(("jitter", "least"), [(Jitter.FULL, 0.0), (Jitter.EQUAL, 0.5), (Jitter.NONE, 1.0)])
@given(dice=dice, retry=st.integers(1, 40), base_and_cap_s=st.tuples(st.floats(0, 5), st.floats(0, 60)))
def test_jitter_keeps_its_bounds(jitter, least, dice, retry, base_and_cap_s):
    base_s, cap_s = base_and_cap_s
    pause_s = RetryPolicy(base_s=base_s, cap_s=cap_s, jitter=jitter).pause_s(retry, dice)
    ceiling_s = min(cap_s, base_s * 2 ** (retry - 1))
    assert ceiling_s * least <= pause_s <= ceiling_s


@pytest.mark.parametrize(("jitter", "mean_s"), [(Jitter.FULL, 0.5), (Jitter.EQUAL, 0.75)])
def test_jitter_spreads_over_the_whole_of_its_bounds(jitter, mean_s):
    policy, seeded = RetryPolicy(base_s=1, cap_s=1, jitter=jitter), random.Random(1)
    pauses = [policy.pause_s(1, seeded) for _ in range(4000)]
    assert sum(pauses) / len(pauses) == pytest.approx(mean_s, abs=0.02)
    assert max(pauses) - min(pauses) > 0.98 * 2 * (1 - mean_s)


@given(dice=dice, jitter=st.sampled_from(Jitter), wish_s=st.floats(0, 1e6))
def test_a_pause_is_never_below_what_the_server_wished(dice, jitter, wish_s):
    assert RetryPolicy(jitter=jitter).pause_s(1, dice, wish_s) >= wish_s


def test_a_wish_below_the_pause_does_not_shorten_it():
    assert RetryPolicy(jitter=Jitter.NONE, base_s=3).pause_s(1, random.Random(1), 1.0) == 3


def test_a_wish_may_be_ignored_on_purpose():
    policy = RetryPolicy(jitter=Jitter.NONE, base_s=1, honour_retry_after=False)
    assert policy.pause_s(1, random.Random(1), 99.0) == 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120), ("0", 0), (" 7 ", 7),
        ("Sun, 06 Nov 1994 08:50:37 GMT", 60),
        ("Sunday, 06-Nov-94 08:50:37 GMT", 60),
        ("Sun Nov  6 08:50:37 1994", 60),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0),
        ("Sun, 06 Nov 1994 07:00:00 GMT", 0),
        ("", None), ("soon", None), ("-5", None), ("1.5", None), ("²", None), ("٣", None),
        ("Sun, 99 Foo 1994 08:50:37 GMT", None), ("9" * 400, None),
    ],
)  # fmt: skip
def test_retry_after_in_every_form_of_rfc_9110(header, seconds):
    assert retry_after_s({"retry-after": header}, NOON) == seconds


def test_no_header_is_no_wish():
    assert retry_after_s({}, NOON) is None


def test_a_date_without_a_zone_is_gmt_wherever_the_client_stands(monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert retry_after_s({"retry-after": "Sun Nov  6 08:50:37 1994"}, NOON) == 60
    finally:
        monkeypatch.undo()
        time.tzset()


@given(
    st.one_of(st.text(), st.from_regex(r"[A-Z][a-z]{2}, \d{1,3} [A-Z][a-z]{2} -?\d{1,6} \d\d:\d\d:\d\d [+-]?\w{3,5}"))
)
def test_any_other_text_is_no_wish_or_a_usable_one(text):
    seconds = retry_after_s({"retry-after": text}, NOON)
    assert seconds is None or 0 <= seconds < float("inf")
