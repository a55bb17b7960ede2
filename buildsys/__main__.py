"""`python -m buildsys` is `artlock`, where no console script is installed."""

from buildsys.cli import console

console()
