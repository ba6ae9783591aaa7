"""The shared helpers, tested once, in the container of the root project."""

import pytest
from helpers.units import grams


@pytest.mark.parametrize(
    ("amount", "unit", "expected"),
    [(1, "g", 1), (2, "kg", 2_000), (0.5, "t", 500_000)],
)
def test_grams(amount, unit, expected):
    assert grams(amount, unit) == expected


def test_unknown_unit_names_the_known_ones():
    with pytest.raises(ValueError, match="g, kg, t"):
        grams(1, "stone")
