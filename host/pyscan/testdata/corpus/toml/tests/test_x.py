def check_x(): pass
def test_x(): pass
