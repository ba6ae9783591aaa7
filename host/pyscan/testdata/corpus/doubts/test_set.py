import sys
me = __import__(__name__)
me.test_x = lambda: None  # doubt: dynamic
