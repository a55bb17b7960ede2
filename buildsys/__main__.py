"""`python -m buildsys` is `artlock`, where no console script is installed."""

import sys

from buildsys.cli import main

sys.exit(main())
