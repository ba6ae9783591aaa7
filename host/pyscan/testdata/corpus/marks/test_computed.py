import pytest, sys

pytestmark = pytest.mark.slow if sys.argv else []  # doubt: mark mark

def test_x(): pass
