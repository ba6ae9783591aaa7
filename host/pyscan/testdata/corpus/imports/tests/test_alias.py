import cases
Alias = cases.BaseCase  # doubt: base
def test_x(): pass
