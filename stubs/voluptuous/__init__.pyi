# Home Assistant aliases voluptuous to probatio at run time; this line lets mypy follow.
from probatio import *
