import os

import pytest


@pytest.fixture
def exits():
    os._exit(0)


def test_before():
    pass


def test_with_a_fixture_that_exits(exits):
    pass


def test_after():
    pass
