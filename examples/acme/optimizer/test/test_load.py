import time

import numpy as np
import pytest
from optimizer.load import heaviest_first


def test_the_heaviest_goes_first():
    assert heaviest_first([(1, "kg"), (3, "kg"), (2, "kg")], (5, "kg")) == [1, 2]


@pytest.mark.parametrize("count", [0, 1, 10, 1_000])
def test_nothing_is_taken_twice(count):
    parcels = [(weight, "g") for weight in np.random.default_rng(count).integers(1, 100, count)]
    taken = heaviest_first(parcels, (1, "kg"))
    assert len(taken) == len(set(taken))


@pytest.mark.xfail(reason="greedy loading is not optimal, by design", strict=True)
def test_the_truck_is_full():
    assert heaviest_first([(6, "kg"), (5, "kg"), (5, "kg")], (10, "kg")) == [1, 2]


@pytest.mark.slow
def test_a_large_load_takes_a_moment():
    began = time.monotonic()
    heaviest_first([(1, "g")] * 200_000, (100, "kg"))
    time.sleep(max(0.0, 1.0 - (time.monotonic() - began)))
