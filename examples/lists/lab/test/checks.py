import pathlib


def test_units():
    assert 2.54 * 100 == 254


def test_old_records():
    assert "old records" in pathlib.Path("/etc/archive").read_text()
