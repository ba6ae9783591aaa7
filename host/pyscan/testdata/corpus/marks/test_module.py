import pytest
import pytest as pt
from pytest import mark
from pytest import mark as m, param

pytestmark = [pytest.mark.container("base"), pytest.mark.slow]

slow = pytest.mark.slow
db = mark.container("db")
named = pt.mark.container(name="infra")
NAME = "constant"


def test_module(): pass

@db
def test_alias(): pass

@named
@slow
def test_named(): pass

@m.container(NAME)
def test_constant(): pass

@pytest.mark.container("a" "b")
def test_joined(): pass

@pytest.mark.container('q\x75ote')
class TestClass:
    pytestmark = pytest.mark.fast

    def test_inherits(self): pass

    @pytest.mark.container("own")
    def test_own(self): pass

    class TestNested:
        def test_deep(self): pass

        @db
        def test_db(self): pass

@pytest.mark.parametrize("n", [
    1,
    param(2, marks=db),
    pytest.param(3, marks=[pytest.mark.container("three"), slow], id="drei"),
])
def test_param(n): pass

@pytest.mark.container("function")
@pytest.mark.parametrize("n", [pytest.param(1, marks=pytest.mark.container("param")), 2])
def test_param_wins(n): pass

class Base:
    pytestmark = [pytest.mark.container("from_base")]

class TestDerived(Base):
    def test_base(self): pass

@pytest.mark.slow.with_args(1)
@pytest.mark.container  # doubt: container
def test_no_argument(): pass
