import time


def test_before():
    pass


def test_sleeps():
    time.sleep(600)
