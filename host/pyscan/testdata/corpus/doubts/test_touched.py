def test_a(): pass
def test_b(): pass
test_a.__test__ = False  # doubt: touched dynamic
def test_c(): pass
test_c = [test_c][0]  # doubt: computed
