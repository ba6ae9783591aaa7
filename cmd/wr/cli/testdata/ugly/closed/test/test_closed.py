import os


def test_closes_every_descriptor():
    os.closerange(3, 65536)


def test_puts_another_file_in_their_place(tmp_path):
    for number in range(40):
        os.open(tmp_path / f"f{number}", os.O_CREAT | os.O_RDWR)
