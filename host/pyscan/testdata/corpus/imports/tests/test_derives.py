import cases
class Mine(cases.BaseCase):  # doubt: base
    def test_mine(self): pass
