"""Which parcels go on a truck."""

import numpy as np

from helpers.units import grams


def heaviest_first(parcels: list[tuple[float, str]], capacity: tuple[float, str]) -> list[int]:
    """Return the indexes of the parcels that fit, the heaviest taken first.

    A parcel and the capacity are (amount, unit) pairs.
    """
    weights = np.array([grams(*parcel) for parcel in parcels])
    room, taken = grams(*capacity), []
    for i in np.argsort(-weights, kind="stable"):
        if weights[i] <= room:
            room -= weights[i]
            taken.append(int(i))
    return taken
