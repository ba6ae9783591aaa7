import pytest
def test_a(): pass
def test_b(): pass
test_c = pytest.mark.slow(test_a)  # doubt: touched computed
pytest.mark.container("x")(test_b)  # doubt: touched
