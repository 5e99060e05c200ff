"""What the tests have in common: a busy machine is no failure."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "scimgw", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("scimgw")
