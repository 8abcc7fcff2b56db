#!/usr/bin/python3
"""Writes the seeds of the fuzzer into tests/fuzz/corpus: one small frame a file.

The frames are those of tests/wire/golden.txt, an Everything (everything.hpp) and some that are hostile. Run it
again when one of these changes; the seeds are checked in, so that a build needs no Python.
"""

import datetime
import pathlib

import msgpack

HERE = pathlib.Path(__file__).resolve().parent
CORPUS = HERE / "corpus"
SEND, NOTICE = 1, 5


def record(tag: str, body: bytes, kind: int = SEND) -> bytes:
    return msgpack.packb([1, kind, 3, 2, 4, 1, 7, 0, tag, []]) + body


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
            "who": [3, 2],
            "id": [4, 1],
            "inner": {"real": 2.5, "note": "note"},
            "inners": [{"real": 1, "note": None}, {"real": 2, "note": "x"}],
            "tree": {"label": "root", "children": [{"label": "leaf", "children": []}]},
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
    out["two_records"] = out["record.send"] + out["everything"]
    out["hostile.array32"] = bytes.fromhex("ddffffffff")
    out["hostile.body_map32"] = record("Everything", bytes.fromhex("dfffffffff"))
    out["hostile.deep"] = record("Everything", b"\x91" * 64 + b"\xc0")
    out["hostile.version"] = bytes.fromhex("9102")
    out["hostile.timestamp"] = record("Everything", bytes.fromhex("81a4 7768656e c70cffffffffff7fffffffffffffff"))
    out["hostile.field_twice"] = record("Everything", bytes.fromhex("82a4666c6167c3a4666c6167c2"))
    return out


def main() -> None:
    CORPUS.mkdir(exist_ok=True)
    for old in CORPUS.iterdir():
        old.unlink()
    for name, data in seeds().items():
        (CORPUS / name).write_bytes(data)


if __name__ == "__main__":
    main()
