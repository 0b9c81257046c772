"""Its handler knows how to connect and nothing else."""

from exwire.contracts import ConnectionContext, ConnectionMixin
from exwire.handlers import PublicMessageHandler
from exwire.hookspecs import MarketSpec, VenueSpec, hookimpl
from exwire.subscription import Channel


class LacksContractHandler(ConnectionMixin, PublicMessageHandler):
    __slots__ = ()
    venue = "somebody_else"

    def connection_context(self) -> ConnectionContext:
        return ConnectionContext(urls=("wss://lacks.example/ws",))


@hookimpl
def exwire_venue() -> VenueSpec:
    spot = MarketSpec(public="hostile_lacks_contract:LacksContractHandler", channels=(Channel.TRADES,))
    return VenueSpec(name="lacks_contract", api=1, markets={"spot": spot})
