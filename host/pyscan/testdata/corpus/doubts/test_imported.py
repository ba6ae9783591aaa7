from nowhere_to_be_found import test_x, TestY, other  # doubt: imported imported
