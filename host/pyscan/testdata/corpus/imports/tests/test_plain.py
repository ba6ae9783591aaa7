from again import Plain
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from again import Renamed
class Helper(Plain): pass
def test_x():
    from again import Renamed
