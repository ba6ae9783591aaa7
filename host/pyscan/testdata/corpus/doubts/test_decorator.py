import functools
import pytest

def deco(f): return f

@deco  # doubt: decorator
def test_local(): pass

@functools.lru_cache()  # doubt: decorator
def test_stdlib(): pass

def test_fine(): pass

@pytest.mark.skip
def test_marked(): pass

@pytest.fixture
def test_fixture(): pass

@(lambda f: f)  # doubt: decorator
def test_lambda(): pass
