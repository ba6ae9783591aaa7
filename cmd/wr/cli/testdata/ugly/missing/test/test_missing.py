import a_library_that_is_nowhere


def test_never():
    assert a_library_that_is_nowhere
