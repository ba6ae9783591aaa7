def test_x():
    pass
  x = 1  # doubt: syntax
