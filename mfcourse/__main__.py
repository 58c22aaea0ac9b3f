"""`python -m mfcourse` is the command `mfcourse`."""

import sys

from mfcourse.commands import main

sys.exit(main())
