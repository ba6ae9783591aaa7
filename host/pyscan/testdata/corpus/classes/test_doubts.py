import pytest
from somewhere import Base, decorator
from unittest import mock

class TestForeign(Base):  # doubt: base
    def test_x(self): pass
