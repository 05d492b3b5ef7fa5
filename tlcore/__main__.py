"""``python -m tlcore``: see ``cli.py``."""

import sys

from tlcore import cli

sys.exit(cli.main())
