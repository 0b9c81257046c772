"""Needs a library that is not installed."""

import a_library_that_nobody_installed

__all__ = ["a_library_that_nobody_installed"]
