class TestGenerate:
    def pytest_generate_tests(self, metafunc):  # doubt: hook hook
        metafunc.parametrize("n", [1, 2])
    def test_x(self, n): pass  # doubt: fixture_params
