def decorator(cls): return cls

@decorator  # doubt: decorator
class TestA:
    def test_x(self): pass
