import os


def test_fifty_megabytes_that_are_not_utf8():
    chunk = bytes(range(256)) * 4096
    for _ in range(50):
        os.write(1, chunk)


def test_it_fails_after_much_noise():
    os.write(1, b"\x00\x1b[31m\xff\xfe odd \xed\xa0\x80\n")
    assert os.write(2, b"\xc3\x28" * 1_000_000) < 0
