import unittest
class BaseCase(unittest.TestCase):
    def test_base(self): pass
class Passed(BaseCase): pass
class Plain: pass
