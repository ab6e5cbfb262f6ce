"""The type checker that the import hook of `conftest.py` lays around every function."""

from beartype import BeartypeConf, beartype

# PEP 484 and mypy let an int stand for a float; without the tower `pixel_size=10` would fail.
check = beartype(conf=BeartypeConf(is_pep484_tower=True))
