"""What the import hook checks calls with."""

from beartype import BeartypeConf, beartype

# An int is a float to pyright and to every reader (PEP 484); plain beartype would refuse it.
check = beartype(conf=BeartypeConf(is_pep484_tower=True))
