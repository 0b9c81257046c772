"""Talks on stdout whenever it is asked anything, and works."""

from exwire.hookspecs import MarketSpec, VenueSpec, hookimpl

print("noise: imported")


@hookimpl
def exwire_venue() -> VenueSpec:
    print("noise: asked")
    return VenueSpec(name="noisy", api=1, markets={"spot": MarketSpec(public="hostile_noisy_handler:NoisyHandler")})
