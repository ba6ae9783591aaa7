import pytest
pytestmark = [pytest.mark.slow]  # doubt: mark mark
pytestmark.append(pytest.mark.container("db"))

def test_x(): pass

class TestX:
    pytestmark = [pytest.mark.slow]
    pytestmark += [pytest.mark.container("db")]  # doubt: mark mark
    def test_x(self): pass

class TestY:
    pytestmark = pytest.mark.slow
    del pytestmark
    def test_y(self): pass
