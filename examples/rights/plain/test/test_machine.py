"""Rights are one project's: this one has none."""

import pathlib


def test_nothing_of_the_machine_is_here():
    assert not pathlib.Path("/srv/machine").exists()
