# -*- coding: latin-1 -*-
s = "é"
def test_latin(): pass
@__import__("pytest").mark.x
def other(): pass
