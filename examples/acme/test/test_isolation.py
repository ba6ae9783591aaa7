"""What holds in every container: no library leaks in from a neighbour."""

import importlib.util
import os

import pytest


def test_numpy_belongs_to_the_optimizer_alone():
    assert importlib.util.find_spec("numpy") is None


@pytest.mark.container("optimizer")
def test_numpy_is_there_in_the_container_of_the_optimizer():
    assert importlib.util.find_spec("numpy") is not None


@pytest.mark.skipif(os.environ.get("DISPLAY") is None, reason="needs a screen")
def test_on_a_screen():
    raise AssertionError("no container has a screen")
