#!/usr/bin/python3
"""Writes the seeds of decode_fuzzer and rings_fuzzer into tests/fuzz/corpus, one small input a file.

The frames are those of tests/wire/golden.txt, an Everything and a Carrying (everything.hpp) and some that are hostile.
What a ring is given are stories of rings_fuzzer.cpp. Run it again when one of these changes; the seeds are checked in,
so that a build needs no Python.
"""

import datetime
import pathlib
import struct

import msgpack

HERE = pathlib.Path(__file__).resolve().parent
CORPUS = HERE / "corpus"
SEND, NOTICE = 1, 5
SEGMENT, LEASE, SLICE = 1, 2, 3  # kinds of handles


def record(tag: str, body: bytes, kind: int = SEND, manifest: object = ()) -> bytes:
    return msgpack.packb([1, kind, 3, 2, 4, 1, 7, 0, tag, manifest]) + body


def segment(slot: int = 17, epoch: int = 5, type_: str = "<f4", shape: object = (480, 640)) -> list:
    return [SEGMENT, slot, epoch, type_, shape]


def leased(kind: int = LEASE, lease: int = 64, lease_epoch: int = 1, offset: int = 0) -> list:
    return [kind, 17, 6, "<f4", [480, 640], lease, lease_epoch, offset]


def refer(index: int) -> msgpack.ExtType:
    return msgpack.ExtType(1, index.to_bytes(4, "big"))


def carrying(first: object, lease: object, slices: list) -> bytes:
    return msgpack.packb({"segment": first, "lease": lease, "slices": slices})


def everything() -> bytes:
    now = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)
    return msgpack.packb(
        {
            "flag": True,
            "tiny": -128,
            "huge": 2**64 - 1,
            "wide": -(2**63),
            "colour": 2,
            "sign": -1,
            "single": 0.5,
            "real": 0.1,
            "text": "héllo",
            "bytes": b"\x00\xff",
            "list": [1, -2, 3],
            "triple": [1, 2, 65535],
            "sorted": {"a": 1, "b": -1},
            "hashed": {1: "one", -2: "two"},
            "maybe": None,
            "either": [2, "text"],
            "when": msgpack.Timestamp.from_datetime(now),
            "howlong": -3_000_000,
            "who": [3, 2, "k3v9x2ab"],
            "id": [4, 1],
            "inner": {"real": 2.5, "note": "note"},
            "inners": [{"real": 1, "note": None}, {"real": 2, "note": "x"}],
            "tree": {"label": "root", "children": [{"label": "leaf", "children": []}]},
            "shapes": {
                "pair": ["Ada", 1815],
                "triple": [0.5, True, [1, 2]],
                "words": ["two", "one"],
                "numbers": [1, 65535],
                "queue": [[1, "first"], [2, ""]],
                "sets": [[], [2, 1], [3]],
                "places": {"here": [0.5, -1]},
            },
        }
    )


def seeds() -> dict[str, bytes]:
    out = {}
    for line in (HERE.parent / "wire" / "golden.txt").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        name, text = line.split()
        data = bytes.fromhex(text)
        kind = NOTICE if name.startswith("notice.") else SEND
        out[name] = data if name.startswith("record.") else record(name.split(".")[1], data, kind)
    out["everything"] = record("Everything", everything())
    all_kinds = [segment(), leased(), leased(SLICE, 65), leased(SLICE, 66, 1, 1200)]
    out["carrying"] = record("Carrying", carrying(refer(0), refer(1), [refer(2), refer(3)]), manifest=all_kinds)
    out["carrying.one"] = record("Carrying", carrying(refer(0), None, []), manifest=[segment(type_="|V24", shape=[])])
    out["carrying.record"] = record("Carrying", carrying(refer(0), None, []),
                                    manifest=[segment(type_="[('x','<f4'),('','|V4'),('at','<c16',(2,3))]", shape=[3])])
    out["hostile.handle_twice"] = record("Carrying", carrying(refer(0), None, [refer(0)]), manifest=[segment()])
    out["hostile.handle_missing"] = record("Carrying", carrying(refer(2**32 - 1), None, []), manifest=[segment()])
    out["hostile.handle_short"] = record("Carrying", carrying(msgpack.ExtType(1, b"\0"), None, []),
                                         manifest=[segment()])
    out["hostile.no_manifest"] = record("Carrying", carrying(refer(0), refer(0), [refer(0)]))
    for name, handle in {
        "slot": segment(slot=2**17),
        "epoch": segment(epoch=2**64 - 1),
        "type": segment(type_="<f4;"),
        "record_open": segment(type_="[('x','<f4'),('y',[('z'"),
        "record_deep": segment(type_="[('a'," * 100),
        "record_large": segment(type_="[('a','|V1099511627776',(9,9,9))]"),
        "shape": segment(shape=[2**63, 4]),
        "dimensions": segment(shape=[1] * 9),
        "nothing": segment(shape=[0, 2**64 - 1]),
        "kind": [4, *leased()[1:]],
        "lease": leased(lease=2**17),
        "offset": leased(SLICE, offset=2**41),
    }.items():
        out[f"hostile.handle_{name}"] = record("Carrying", carrying(refer(0), None, []), manifest=[handle])
    out["hostile.manifest_long"] = record("Carrying", b"\x80", manifest=[segment()] * 257)
    out["two_records"] = out["record.send"] + out["everything"]
    out["hostile.array32"] = bytes.fromhex("ddffffffff")
    out["hostile.body_map32"] = record("Everything", bytes.fromhex("dfffffffff"))
    out["hostile.deep"] = record("Everything", b"\x91" * 64 + b"\xc0")
    out["hostile.version"] = bytes.fromhex("9102")
    out["hostile.timestamp"] = record("Everything", bytes.fromhex("81a4 7768656e c70cffffffffff7fffffffffffffff"))
    for name, shapes in {
        "set_twice": {"words": ["one", "two", "one"]},
        "sets_twice": {"sets": [[1, 2], [2, 1]]},
        "pair_short": {"pair": ["Ada"]},
        "triple_long": {"triple": [0, False, [], None]},
    }.items():
        out[f"hostile.{name}"] = record("Everything", msgpack.packb({"shapes": shapes}))
    out["hostile.set32"] = record("Everything", bytes.fromhex("81a6736861706573 81a5776f726473ddffffffff"))
    out["hostile.field_twice"] = record("Everything", bytes.fromhex("82a4666c6167c3a4666c6167c2"))
    return out


def change(where: int, at: int, size: int, value: int) -> bytes:
    return struct.pack("<BHBQ", where, at, size, value)


def place(chunk: int, lap: int, at: int) -> int:
    return chunk << 46 | lap << 20 | at


def ring_seeds() -> dict[str, bytes]:
    """As rings_fuzzer.cpp reads them: the story, then for most the lengths of some whole records, then changes."""
    def records(*lengths: int) -> bytes:
        return bytes([len(lengths)]) + struct.pack(f"<{len(lengths)}H", *lengths)

    few, many = records(10, 0, 100, 7), records(*[1500, 90, 2900, 700] * 6)
    changes = {
        "none": b"",
        "goes_back": change(0, 0, 0, place(0, 0, 1)),
        "goes_on": change(0, 0, 0, place(0, 0, 300)),
        "next_lap": change(0, 0, 0, place(1, 1, 4)),
        "far_chunk": change(0, 0, 0, place(2**18 - 1, 1, 4)),
        "read_ahead": change(4, 0, 0, place(0, 0, 200)),
        "wants_room": change(6, 0, 0, 1),
        "chunk_large": change(9, 0, 4, 2**31),
        "chunk_small": change(9, 0, 4, 8),
        "record_large": change(9, 2, 4, 1500),
        "record_largest": change(9, 2, 4, 2**32 - 1),
        "record_is_jump": change(9, 3, 4, 2),
        "jump_to_itself": change(9, 2, 8, 2 << 32 | 8) + change(9, 4, 8, 0),
        "length_twice": change(9, 2, 4, 64) + change(9, 2, 4, 2**20),
    }
    out = {}
    for name, data in changes.items():
        at_once = bytes([len(data) // 12])
        out[f"reads.{name}"] = b"\0" + few + at_once + data
        out[f"reads.between.{name}"] = b"\0" + many + b"\0" + data
        out[f"races.{name}"] = b"\3" + many + data
        out[f"lanes.{name}"] = b"\6" + b"\0\0" + many + data
    out["lanes.head"] = b"\6" + b"\1\0" + few + struct.pack("<BQ", 0, 1)
    out["lanes.cut_short"] = b"\6" + struct.pack("<H", 4096 + 2) + many
    out["lanes.cut_in_words"] = b"\6" + struct.pack("<H", 98) + few
    out["writes.honest"] = b"\4" + b"".join(struct.pack("<BH", 5 + n % 2 * 5, 199 * n) for n in range(20)) + b"\1\0\0"
    out["writes.trimmed"] = b"\4" + b"".join(
        struct.pack("<BHBHBH", 5, 19_000, 1, 0, 3, 0) + struct.pack("<BHBHBH", 8, 10, 2, 0, 14, 0) for _ in range(6))
    out["writes.hostile"] = b"\4" + b"".join(
        struct.pack("<BHBHQ", 5, 9_000, 0, 0, place(n, n + 1, n)) for n in range(9)) + b"\3\0\0"
    return out


def main() -> None:
    for folder, files in (("decode", seeds()), ("rings", ring_seeds())):
        (CORPUS / folder).mkdir(parents=True, exist_ok=True)
        for old in (CORPUS / folder).iterdir():
            old.unlink()
        for name, data in files.items():
            (CORPUS / folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
