"""The helpers beside this file have names of their own: other test folders have helpers too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
