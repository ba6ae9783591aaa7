from pathlib import Path


def test_writes_into_the_source_tree():
    Path("made").mkdir(exist_ok=True)
    Path("made/by_a_test.txt").write_text("whose am I?\n")
