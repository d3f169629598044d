"""Entry point of `python -m gateproof_reference`."""

import sys

from gateproof_reference.cli import main

sys.exit(main())
