"""Plain functions, in all the ways in which they can be written."""
import os, sys; from collections import (
    OrderedDict as Ordered,
    defaultdict,
)
import pytest


def test_one(): pass


async def test_async():
    await thing()


@pytest.mark.skipif(sys.platform == "win32", reason="@pytest.mark.container('x')")
def test_marked(
    tmp_path,  # def test_comment(): pass
    *,
    capsys,
): assert 1


def helper():
    def test_inner():
        pass
    class TestInner:
        def test_in(self): pass


text = """
def test_in_string():
    pass
"""

raw = r'''\'''' + f"{text!r:>{10}} {'def test_fstring(): pass'}" "def test_x(): pass"

def test_continued \
    (): \
    pass

if True:
	def test_tabs():
		pass

x = [
def_ for def_ in range(3)
  ]; y = 1

def test_dup(): pass
def test_dup(): assert 2

testament = 3
test_data = [1, 2]
Test = None

def test(): pass
def testing(): pass
def tes(): pass

test_alias = test_one

def test_ünï(): pass
def test_ﬁ(): pass  # a ligature: Python calls it test_fi

class NotCollected:
    def test_no(self): pass

def test_gone(): pass
del test_gone

def test_back(): pass
del test_back
def test_back(): pass

if __name__ == "__main__":
    def test_main(): pass
    sys.exit(pytest.main())
else:
    def test_else(): pass

match = 1
match[0:1] if False else 0
type = str
