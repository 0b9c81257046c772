"""The handler that ends the interpreter."""

import sys

sys.exit("goodbye")
