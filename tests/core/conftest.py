"""How hard the properties are searched: thoroughly, but within a minute, coverage measured too."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "core",
    max_examples=150,
    deadline=None,  # the machine may be busy
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("core")
