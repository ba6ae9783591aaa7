def it_runs(): pass
def thing_works(): pass
def test_no(): pass
class DescribeThing:
    def it_is(self): pass
class ThingSuite:
    def a_works(self): pass
class TestNo:
    def it_no(self): pass
import unittest
class Unit(unittest.TestCase):
    def test_yes(self): pass
    def it_no(self): pass
