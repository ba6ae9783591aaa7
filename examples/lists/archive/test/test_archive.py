import pathlib


def test_it_reads_old_records():
    assert pathlib.Path("/etc/archive").read_text() == "reads old records\n"
