from cases import BaseCase as Renamed
from cases import Plain
