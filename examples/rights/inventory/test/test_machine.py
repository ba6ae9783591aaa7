"""What the right to a mount gives, and what it does not."""

import pathlib

import pytest

RELEASE = pathlib.Path("/srv/machine/os-release")


def test_the_system_of_the_machine_is_known():
    assert "NAME=" in RELEASE.read_text()


def test_nothing_of_the_machine_is_changed():
    with pytest.raises(OSError, match="Read-only file system"):
        RELEASE.write_text("NAME=mine\n")
