pytest_plugins = ("own_plugin", "pytester")  # doubt: plugin
def test_x(): pass
