"""MEXC's protobuf schema, in a pool of its own.

Every MEXC client registers files of the same names in protobuf's global pool, where a second copy with other content raises at import. The
descriptor set beside this module is built from ``proto/`` by ``make proto``; no generated module, so no conflict with the runtime either.
"""

from __future__ import annotations

from collections.abc import Callable, Sized
from importlib.resources import files
from typing import Final, cast

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError as ProtobufError
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.unknown_fields import UnknownFieldSet

from exwire_mexc.spot.wire import PushDataV3ApiWrapper

__all__ = ["UNPARSABLE", "parse", "parse_rows", "unknown_fields"]

UNPARSABLE: Final = (ProtobufError, ValueError, RecursionError)
"""What ``parse`` raises: protobuf's own error, and where protobuf is pure Python, a UnicodeDecodeError for bad UTF-8."""


def _pool() -> DescriptorPool:
    pool = DescriptorPool()
    for file in FileDescriptorSet.FromString(files(__package__).joinpath("push.binpb").read_bytes()).file:
        pool.Add(file)
    return pool


def _parser(pool: DescriptorPool, name: str) -> Callable[[bytes], PushDataV3ApiWrapper]:
    return cast("Callable[[bytes], PushDataV3ApiWrapper]", GetMessageClass(pool.FindMessageTypeByName(name)).FromString)


_POOL: Final = _pool()

parse: Final = _parser(_POOL, "columns.PushDataV3ApiWrapper")
"""Reads a binary frame, the rows of ``publicAggreDepths`` and ``publicLimitDepths`` as columns. Bytes that are no frame of MEXC's may pass
for one with fields that nobody knows."""

parse_rows: Final = _parser(_POOL, "PushDataV3ApiWrapper")
"""Reads a binary frame, everything as MEXC has it."""

unknown_fields: Final = cast("Callable[[object], Sized]", UnknownFieldSet)
"""Returns the fields of a message that the schema does not know, not looking into other messages inside it."""
