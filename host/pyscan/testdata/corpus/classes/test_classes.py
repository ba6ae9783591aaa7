import abc
import dataclasses
import enum
import pytest
from typing import Generic, TypeVar, NamedTuple

T = TypeVar("T")

class TestPlain:
    x = 1
    def test_a(self): pass
    def helper(self): pass
    test_b = test_a
    @property
    def test_prop(self): pass
    @staticmethod
    def test_static(): pass
    @classmethod  # doubt: decorator
    def test_cls(cls): pass
    async def test_async(self): pass
    class TestNested:
        def test_c(self): pass
        class Helper:
            def test_no(self): pass
    class TestInit:
        def __init__(self): pass
        def test_no(self): pass

class TestWithInit:
    def __init__(self): pass
    def test_no(self): pass

class TestWithNew:
    def __new__(cls): pass
    def test_no(self): pass

class TestException(Exception):
    def test_no(self): pass

class TestDict(dict):
    def test_no(self): pass

class TestEnum(enum.Enum):
    test_no = 1

class TestTuple(NamedTuple):
    test_no: int = 1

@dataclasses.dataclass
class TestData:
    x: int = 1
    def test_no(self): pass

class TestGeneric(Generic[T]):
    def test_yes(self): pass

class TestAbstract(abc.ABC):
    @abc.abstractmethod
    def test_abstract(self): pass
    def test_no(self): pass

class TestConcrete(TestAbstract):
    def test_abstract(self): pass

class Mixin:
    def test_mixin(self): pass
    def test_over(self): pass

class Other:
    def test_other(self): pass

class TestInherits(Mixin, Other):
    def test_own(self): pass
    def test_over(self): pass

class TestHides(Mixin):
    test_mixin = None

class Top:
    def test_top(self): pass
class Left(Top):
    def test_left(self): pass
class Right(Top):
    def test_right(self): pass
class TestDiamond(Left, Right): pass

TestAlias = TestInherits

class TestOff:
    __test__ = False
    def test_no(self): pass

class On:
    __test__ = True
    def test_yes(self): pass

class TestOffAbove(TestOff): pass

class TestOnAgain(TestOff):
    __test__ = True

class test_lower:
    def test_no(self): pass

class Testing(object):
    def test_yes(self): pass

class TestTyped:
    test_annotated: int
    def test_x(self, tmp_path: "x" = None): pass

class TestEmpty: ...
