import os


def test_child_raises_back_into_pytest():
    pid = os.fork()
    if pid == 0:
        raise RuntimeError("in the child")
    _, status = os.waitpid(pid, 0)
    assert status != 0


def test_after():
    pass
