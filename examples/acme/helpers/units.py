"""Conversions between the units of orders and of trucks."""

GRAMS = {"g": 1, "kg": 1_000, "t": 1_000_000}


def grams(amount: float, unit: str) -> float:
    """Return amount of unit in grams; an unknown unit is a ValueError."""
    try:
        return amount * GRAMS[unit]
    except KeyError:
        raise ValueError(f"unknown unit {unit!r}, known: {', '.join(GRAMS)}") from None
