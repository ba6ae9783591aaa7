def __getattr__(name):  # doubt: dynamic
    raise AttributeError(name)
def test_x(): pass
