__test__ = False
def test_no(): pass
