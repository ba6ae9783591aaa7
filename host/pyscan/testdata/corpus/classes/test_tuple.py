from collections import namedtuple

class TestTuple(namedtuple("T", "x")):
    def test_no(self): pass

class Plain(namedtuple("T", "x")): pass

def test_x(): pass
