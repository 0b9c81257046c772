"""What all tests share."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# The first example of a run builds Unicode tables, and these machines are busy: slowness is no finding of a test.
settings.register_profile("exwire", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("exwire")
