"""Percentiles and medians: what a bench says of its many times."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.bench.samples import Latency, latency_of, median_latency, percentile

values = st.lists(st.floats(0, 1e6), min_size=1, max_size=300).map(sorted)
shares = st.floats(0.001, 1.0)


@given(values, shares)
def test_a_percentile_is_the_smallest_measured_value_that_so_many_do_not_exceed(
    ordered: list[float], share: float
) -> None:
    found = percentile(ordered, share)
    wanted = math.ceil(share * len(ordered))
    assert sum(value <= found for value in ordered) >= wanted
    assert sum(value < found for value in ordered) < wanted


def test_the_99th_percentile_of_100_values_leaves_one_out() -> None:
    assert percentile([float(n) for n in range(1, 101)], 0.99) == 99


@pytest.mark.parametrize("share", [0.0, -0.5, 1.01])
def test_what_is_no_share_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="no share"):
        percentile([1.0], share)


def test_of_nothing_nothing_is_told() -> None:
    with pytest.raises(ValueError, match="no values"):
        latency_of([])


def test_latencies_are_told_in_milliseconds() -> None:
    assert latency_of([0.003, 0.001, 0.002]) == Latency(p50_ms=2.0, p99_ms=3.0)


def test_one_disturbed_round_does_not_count() -> None:
    rounds = [Latency(1.0, 5.0), Latency(90.0, 400.0), Latency(2.0, 4.0)]
    assert median_latency(rounds) == Latency(2.0, 5.0)
