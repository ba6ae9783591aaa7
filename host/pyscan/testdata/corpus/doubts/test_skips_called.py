import pytest

def need(): pytest.importorskip("json")  # doubt: dynamic

need()

def test_x(): pass
