"""`python -m gateproof_mock`"""

import sys

from gateproof_mock.cli import start

sys.exit(start(sys.argv[1:]))
