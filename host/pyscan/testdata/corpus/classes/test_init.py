import sys
from collections import namedtuple

class TestMaybe:  # doubt: computed
    if sys:
        def __init__(self): pass
    def test_x(self): pass
