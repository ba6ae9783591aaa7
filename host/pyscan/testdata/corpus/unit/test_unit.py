import unittest
from unittest import TestCase, IsolatedAsyncioTestCase as Async, mock
import unittest as u
import pytest

class Anything(TestCase):
    def setUp(self): pass
    def test_b(self): pass
    def test_a(self): pass
    def testCamel(self): pass
    def helper(self): pass
    test_value = 3
    @property
    def test_prop(self): pass
    class TestNested:
        def test_no(self): pass

class Derived(Anything):
    def test_c(self): pass
    test_a = None

class Mixin:
    def test_mixed(self): pass

class Mixed(Mixin, u.TestCase):
    pass

class RunTest(unittest.TestCase):
    def runTest(self): pass

class AsyncCase(Async):
    async def test_async(self): pass

@unittest.skip("why")
class Skipped(TestCase):
    @unittest.expectedFailure
    def test_skipped(self): pass
    @mock.patch("os.path")
    def test_patched(self, path): pass

@pytest.mark.container("db")
class Marked(TestCase):
    def test_marked(self): pass
    @pytest.mark.container("other")
    def test_other(self): pass

@pytest.mark.parametrize("n", [1, 2])
class Unparametrized(TestCase):
    def test_once(self): pass

class Off(TestCase):
    __test__ = False
    def test_no(self): pass

@mock.patch("os.path")
def test_patched(path): pass

@mock.patch("os.path", new=1)
def test_replaced(tmp_path): pass

def load_tests(loader, tests, pattern): return tests
