"""What all tests share."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# The first example of a run builds Unicode tables, and these machines are busy: slowness is no finding of a test.
# CI tries the same examples every time, so that no change is refused for a fault that it did not bring; elsewhere they are new ones.
settings.register_profile(
    "exwire", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=os.environ.get("CI", "") == "true"
)
settings.load_profile("exwire")
