x = """never closed  # doubt: syntax
def test_x(): pass
