from os.path import *
from nowhere_to_be_found import *  # doubt: star_import
