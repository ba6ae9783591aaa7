import pytest
np = pytest.importorskip("json")  # doubt: may_skip

def test_x(): pytest.skip("fine")
