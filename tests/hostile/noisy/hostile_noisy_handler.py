"""The handler of the plugin that talks."""

from exwire.handlers import PublicMessageHandler

print("noise: handler imported")


class NoisyHandler(PublicMessageHandler):
    __slots__ = ()

    def _handle_message(self, frame: bytes, is_text: bool, ts_recv: int) -> None:
        raise NotImplementedError
