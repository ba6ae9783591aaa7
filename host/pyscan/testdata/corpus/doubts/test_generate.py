def pytest_generate_tests(metafunc):  # doubt: hook hook
    if "n" in metafunc.fixturenames: metafunc.parametrize("n", [1, 2])
def test_x(n): pass  # doubt: fixture_params
