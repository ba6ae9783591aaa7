import os
import pytest

CHOICES = ["db"]

@pytest.mark.container(os.environ["PATH"])  # doubt: container
def test_environ(): pass

@pytest.mark.container(f"db{1}")  # doubt: container
def test_fstring(): pass

@pytest.mark.container(CHOICES[0])  # doubt: container
def test_index(): pass

@pytest.mark.container("a", "b")  # doubt: container
def test_two(): pass

@pytest.mark.container("a")  # doubt: container
@pytest.mark.container("b")
def test_twice(): pass

@pytest.mark.container("same")
@pytest.mark.container("same")
def test_same(): pass

@pytest.mark.container(*CHOICES)  # doubt: container
def test_stars(): pass

@pytest.mark.container("base")
class Base: pass

@pytest.mark.container("derived")  # doubt: container
class TestConflict(Base):
    def test_conflict(self): pass
