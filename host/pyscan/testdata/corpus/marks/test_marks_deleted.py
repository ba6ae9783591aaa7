import pytest
pytestmark = pytest.mark.container("db")
del pytestmark
def test_x(): pass
