"""The protobuf schema: what is in it, where it is registered, and how it is built."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pool import Default

import samples
from exwire.model import BookDelta, BookTicker, Candle, Side, Trade
from exwire_mexc.spot.decode import read_binary, to_events
from exwire_mexc.spot.schema import UNPARSABLE, parse, parse_rows
from mexc_frames import BODIES, NUMBERS

BUILD = Path(__file__).parents[2] / "plugins" / "mexc" / "proto" / "build.py"

DEPTH = """
    0a2f73706f74407075626c69632e61676772652e64657074682e76332e6170692e7062403130306d7340425443555344541a0742
    54435553445430bad2c3d1c432ca13730a0f0a0839323837382e30301203312e3512160a0839323837372e3538120a302e303030
    30303030301a2773706f74407075626c69632e61676772652e64657074682e76332e6170692e7062403130306d73220b31303538
    393633323335392a0b313035383936333233363130b7d2c3d1c432
"""
DEALS = """
    0a2f73706f74407075626c69632e61676772652e6465616c732e76332e6170692e7062403130306d7340425443555344541a0742
    54435553445430bca9d9d0c432d2134e0a230a0839333232302e3030120a302e3034343338323433180220bba9d9d0c4322a0254
    31122773706f74407075626c69632e61676772652e6465616c732e76332e6170692e7062403130306d73
"""
KLINE = """
    0a2973706f74407075626c69632e6b6c696e652e76332e6170692e70624042544355534454404d696e31351a0742544355534454
    2220326662393432313534656634346134616232656639386338616662366134613728f3ec92d1c432a2134e0a054d696e313510
    848bfebb061a053932393235220839333135382e34372a0839333135382e3437320539323830303a0b33362e3833383033323234
    420a333432343831312e3035488892febb06
"""
BOOK_TICKER = """
    0a3473706f74407075626c69632e61676772652e626f6f6b5469636b65722e76332e6170692e7062403130306d73404254435553
    44541a07425443555344543091b0e7d1c432da13270a0839333338372e32381207332e37333438351a0839333338372e32392208
    372e363639383735
"""
ORDER = """
    0a1d73706f7440707269766174652e6f72646572732e76332e6170692e70621a064d585553445430a98095d4c4328213540a1a43
    30325f5f3530353937393031373433393030323632343131351a06332e353132312201312a01303206332e363936323805400252
    01305a01306201316a01317206332e3639363278028001938095d4c432
"""
ACCOUNT = """
    0a1e73706f7440707269766174652e6163636f756e742e76332e6170692e706228c18095d4c43230c38095d4c4329a135f0a0455
    534454122031323866353839323731636234393531623033653731653633323365623762651a1132312e39343231303335363030
    34333834220231302a01303201303a11434f4e54524143545f5452414e5346455240b0b58dd4c432
"""
DEAL = """
    0a1c73706f7440707269766174652e6465616c732e76332e6170692e70621a064d585553445430dc8095d4c4329213690a06332e
    363936321201311a06332e3639363220023a1435303539373930313734333930303236323458314a1a4330325f5f353035393739
    3031373433393030323632343131355215302e303030333939383337373336393639383137315a024d5860a88095d4c432
"""


def event(vector: str) -> object:
    frame = bytes.fromhex(vector)
    (got,) = to_events(read_binary(frame), frame, {"BTCUSDT": "BTC/USDT"}, 7)
    return got


class TestVectors:
    """Frames that the protocol notes give in full."""

    def test_a_depth(self) -> None:
        """Both sides, a deletion, a range of versions."""
        assert event(DEPTH) == BookDelta(
            "mexc", "BTC/USDT", 1_736_411_507_002_000_000, 7, 10589632359, 10589632361, ((92877.58, 0.0),), ((92878.0, 1.5),)
        )

    def test_a_deal(self) -> None:
        """With the id that came in 2026."""
        assert event(DEALS) == Trade("mexc", "BTC/USDT", 1_736_409_765_051_000_000, 7, "T1", Side.SELL, 93220.0, 0.04438243)

    def test_a_candle(self) -> None:
        """It has a time of creation only."""
        assert event(KLINE) == Candle(
            *("mexc", "BTC/USDT", 1_736_410_707_571_000_000, 7, "15m", 1_736_410_500_000_000_000),
            *(92925.0, 93158.47, 92800.0, 93158.47, 36.83803224, 3424811.05),
            closed=False,
        )

    def test_a_book_ticker(self) -> None:
        """Of an older server, without a version."""
        assert event(BOOK_TICKER) == BookTicker("mexc", "BTC/USDT", 1_736_412_092_433_000_000, 7, 0, 93387.28, 3.73485, 93387.29, 7.669875)

    @pytest.mark.parametrize(
        ("vector", "body", "fields"),
        [
            (
                ORDER,
                "privateOrders",
                {"id": "C02__505979017439002624115", "avgPrice": "3.6962", "orderType": 5, "status": 2, "clientId": ""},
            ),
            (ACCOUNT, "privateAccount", {"vcoinName": "USDT", "balanceAmount": "21.94210356004384", "type": "CONTRACT_TRANSFER"}),
            (DEAL, "privateDeals", {"tradeId": "505979017439002624X1", "feeCurrency": "MX", "isMaker": False, "tradeType": 2}),
        ],
    )
    def test_the_private_messages_are_in_the_schema(self, vector: str, body: str, fields: dict[str, object]) -> None:
        """The public handler refuses them; the private one will read them."""
        push = parse(bytes.fromhex(vector))
        message = getattr(push, body)

        assert push.WhichOneof("body") == body
        assert {name: getattr(message, name) for name in fields} == fields


def descriptor() -> Descriptor:
    """Return our wrapper's."""
    return descriptor_of(parse_rows(b""))


def descriptor_of(message: object) -> Descriptor:
    found: Descriptor = message.DESCRIPTOR  # type: ignore[attr-defined]  # it is a message
    return found


def numbers(message: Descriptor) -> dict[str, Any]:
    """Return the field numbers of a message as the frames of these tests have them."""
    return {each.name: (each.number, numbers(each.message_type)) if each.message_type else each.number for each in message.fields}


class TestContent:
    def test_it_has_every_field_that_the_frames_of_these_tests_have(self) -> None:
        """They are written from the protocol notes, number by number."""

        def lacking(ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
            wrong = []
            for name, number in theirs.items():
                if isinstance(number, tuple):
                    wrong += [f"{name}.{each}" for each in lacking(ours[name][1], number[1])] if name in ours else [name]
                    wrong += [] if ours[name][0] == number[0] else [name]
                elif ours.get(name) != number and name not in {"tradeId", "version", "lastOrderCreateTime", "eventType"}:
                    wrong.append(name)
            return wrong

        assert lacking(numbers(descriptor()), NUMBERS) == []
        assert len(descriptor().oneofs_by_name["body"].fields) == 15
        assert {each.name for each in descriptor().oneofs_by_name["body"].fields} >= BODIES.keys()

    @samples.needs_samples
    def test_it_agrees_with_the_field_list_beside_the_samples(self) -> None:
        """Names, numbers, types and repetition of every message."""
        listed = msgspec.json.decode((samples.samples_dir() / "mexc_pb_fields.json").read_bytes())["messages"]
        pool = descriptor().file.pool
        types = {FieldDescriptor.TYPE_STRING: "string", FieldDescriptor.TYPE_INT64: "int64", FieldDescriptor.TYPE_INT32: "int32"} | {
            FieldDescriptor.TYPE_BOOL: "bool",
            FieldDescriptor.TYPE_MESSAGE: "message",
        }
        ours = {
            name: {
                str(field.number): [
                    field.name,
                    types[field.type],
                    field.message_type.name if field.message_type else None,
                    field.is_repeated,
                ]
                for field in pool.FindMessageTypeByName(name).fields
            }
            for name in listed
        }

        assert ours == listed

    def test_reading_rows_as_columns_changes_no_number(self) -> None:
        """Both schemas read the same bytes; only what is repeated differs."""
        assert numbers(descriptor_of(parse(b""))) == numbers(descriptor())

    def test_bytes_that_are_no_message_are_an_error(self) -> None:
        """Of protobuf's own kind."""
        with pytest.raises(UNPARSABLE):
            parse(b"\xff")


REGISTER = """
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import Default
from google.protobuf.message_factory import GetMessageClass

def foreign():
    file = FileDescriptorProto(name="PushDataV3ApiWrapper.proto", syntax="proto3")
    wrapper = file.message_type.add(name="PushDataV3ApiWrapper")
    wrapper.field.add(name="somethingElse", number=1, type=5, label=1)
    item = FileDescriptorProto(name="PublicAggreDealsV3Api.proto", syntax="proto3")
    item.message_type.add(name="PublicAggreDealsV3Api")
    for each in (file, item):
        Default().AddSerializedFile(each.SerializeToString())
    return GetMessageClass(Default().FindMessageTypeByName("PushDataV3ApiWrapper"))
"""
OURS = """
from exwire_mexc.spot.decode import read_binary
"""
USE = f"""
frame = bytes.fromhex({"".join(DEALS.split())!r})
assert read_binary(frame).body.deals[0].price == 93220.0
assert read_binary(frame).unknown == 0
assert theirs.FromString(b"\\x08\\x07").somethingElse == 7
print("both work")
"""


def run(code: str, **environment: str) -> str:
    env = {"PATH": "", "PYTHONPATH": ":".join(filter(None, sys.path))} | environment
    return subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, capture_output=True, text=True, env=env).stdout.strip()


class TestPool:
    @pytest.mark.parametrize("implementation", ["upb", "python"])
    @pytest.mark.parametrize(
        "code",
        [REGISTER + OURS + "theirs = foreign()" + USE, REGISTER + "theirs = foreign()" + OURS + USE],
        ids=["ours first", "theirs first"],
    )
    def test_another_package_may_register_the_same_files_with_other_content(self, code: str, implementation: str) -> None:
        """As every other MEXC client does, in protobuf's global pool; a second copy there raises at import."""
        assert run(code, PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION=implementation) == "both work"

    def test_a_second_copy_in_one_pool_would_raise(self) -> None:
        """Which is what the private pool is for."""
        code = (
            REGISTER
            + "foreign()\nfrom google.protobuf.descriptor_pb2 import FileDescriptorSet\n"
            + (
                "from importlib.resources import files\n"
                "for each in FileDescriptorSet.FromString(files('exwire_mexc.spot').joinpath('push.binpb').read_bytes()).file:\n"
                "    Default().AddSerializedFile(each.SerializeToString())\n"
            )
        )

        with pytest.raises(subprocess.CalledProcessError) as caught:
            run(code)
        assert "duplicate" in caught.value.stderr.lower()

    def test_nothing_of_ours_is_in_the_global_pool(self) -> None:
        """Nor may it be found there by chance."""
        with pytest.raises(KeyError):
            Default().FindFileByName("PushDataV3ApiWrapper.proto")


class TestBuild:
    @pytest.mark.skipif(importlib.util.find_spec("grpc_tools") is None, reason="grpcio-tools, which brings protoc, is not installed")
    def test_building_it_again_gives_the_same_bytes(self, tmp_path: Path) -> None:
        """Or the sources and what is shipped have drifted apart: run make proto."""
        built = tmp_path / "push.binpb"
        subprocess.run([sys.executable, BUILD, built], check=True)

        assert built.read_bytes() == files("exwire_mexc.spot").joinpath("push.binpb").read_bytes()
