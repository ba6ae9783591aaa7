import sys
import pytest

if sys.version_info > (3,):
    def test_conditional(): pass  # doubt: conditional
    class Fine: pass
    class TestFine:  # doubt: conditional
        def test_x(self): pass
else:
    x = 3

for n in range(3):
    def test_loop(): pass  # doubt: conditional

try:
    import nothing
except ImportError:
    nothing = None

with open(__file__):
    def test_with(): pass  # doubt: conditional
