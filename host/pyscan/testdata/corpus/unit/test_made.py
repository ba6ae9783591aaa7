import types
import unittest

Made = type("Made", (unittest.TestCase,), {"test_x": lambda self: None})  # doubt: computed

def base(): return unittest.TestCase

class Derived(base()):  # doubt: base
    def test_x(self): pass

if types:
    Base = unittest.TestCase
else:
    Base = object

class Conditional(Base):  # doubt: base
    def test_x(self): pass

Function = base()  # doubt: computed
