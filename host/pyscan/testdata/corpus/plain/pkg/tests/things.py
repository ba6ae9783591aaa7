def test_no(): pass
