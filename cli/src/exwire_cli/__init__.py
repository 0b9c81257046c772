"""The ``exwire`` command."""
