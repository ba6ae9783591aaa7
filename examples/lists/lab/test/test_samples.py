import pytest

SAMPLES = {"water": 1.0, "oil": 0.9}


@pytest.mark.parametrize("name", SAMPLES)
def test_sample(name):
    assert 0 < SAMPLES[name] < 2


def test_all_samples():
    assert sum(SAMPLES.values()) == 1.9
