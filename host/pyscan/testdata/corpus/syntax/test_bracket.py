def test_x(: pass  # doubt: syntax
