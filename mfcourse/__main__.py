"""`python -m mfcourse` is the command `mfcourse`."""

import sys

from mfcourse.cli import main

sys.exit(main())
