import pytest
pytestmark = pytest.mark.container("shared")
