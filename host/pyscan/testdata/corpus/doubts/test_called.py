import sys

def make(n):
    setattr(sys.modules[__name__], f"test_{n}", lambda: None)  # doubt: dynamic dynamic

def indirect(): make(3)

indirect()

def unused(): exec("x = 1")

def test_fine(): exec("x = 1"); globals()
