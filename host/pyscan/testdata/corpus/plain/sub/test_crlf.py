import pytest
def test_crlf():
    """doc
    def test_no(): pass
    """
class TestC:
    def test_m(self): pass
