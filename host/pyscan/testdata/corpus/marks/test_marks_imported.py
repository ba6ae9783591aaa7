from shared_marks import pytestmark  # doubt: mark mark
def test_x(): pass
