for n in range(3):
    globals()[f"test_{n}"] = lambda: None  # doubt: dynamic

exec("def test_exec(): pass")  # doubt: dynamic
