"""Tests of {{.Name}}. They run in its container: wr test {{.Path}}"""

from {{.Package}} import greet


def test_greet_names_whom_it_greets():
    assert greet("world") == "hello, world"
