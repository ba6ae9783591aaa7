from again import Renamed  # doubt: imported
def test_x(): pass
