import pytest

def test_fine(): pass

@pytest.mark.parametrize("n", [1])  # doubt: parametrize
def test_no_argument(): pass
