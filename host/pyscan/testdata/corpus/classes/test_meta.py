class Meta(type): pass

class TestMeta(metaclass=Meta):  # doubt: metaclass
    def test_x(self): pass
