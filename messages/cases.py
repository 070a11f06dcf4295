#!/usr/bin/env python3
"""Makes cases/VERSION.tsv of a folder of frames in the format that corpus-check reads.

    cases.py CORPUS CASES           CORPUS/index.tsv and its files; CASES is the folder to write
    cases.py --seeds CASES OUT      the other way: seeds for fuzz/codec_fuzz.c, one file each

Rows longer than 1,500 bytes stay out; corpus-check runs them from their files.

A row: name, direction, action, verdict, code, frame. In the frame a backslash stands in front of: another one; xHH, any
byte; and NNN*text; for NNN times that text (a semicolon in it is x3b), so that limits can be tested without kilobytes of
the same."""
import os
import re
import sys

from definitions import load

VERSIONS = ("1.6", "2.0.1", "2.1")
ROW_MAX = 1500


def plain(data, more=b""):
    return "".join("\\\\" if c == 0x5c else chr(c) if 0x20 <= c < 0x7f and c not in more else f"\\x{c:02x}" for c in data)


def escape(data):
    out, done = [], 0
    for m in re.finditer(rb"(.{1,64}?)\1{2,}", data, re.DOTALL):
        n = len(m[0]) // len(m[1])
        short = f"\\{n}*{plain(m[1], b';')};"
        if len(short) + 8 < len(plain(m[0])):
            out += [plain(data[done:m.start()]), short]
            done = m.end()
    return "".join(out) + plain(data[done:])


def main(corpus, cases):
    rows = {v: [] for v in VERSIONS}
    with open(os.path.join(corpus, "index.tsv"), encoding="utf-8") as index:
        for line in list(index)[1:]:
            name, direction, action, verdict, code, *_ = line.rstrip("\n").split("\t")
            version = name.split("/")[0]
            with open(os.path.join(corpus, name), "rb") as f:
                frame = escape(f.read())
            short = re.sub(r"\.json$", "", "/".join(name.split("/")[1:]))
            row = "\t".join((short, direction, action, verdict, code, frame))
            if len(row) <= ROW_MAX:
                rows[version].append(row)
    os.makedirs(cases, exist_ok=True)
    for version, lines in rows.items():
        if lines:
            with open(os.path.join(cases, version + ".tsv"), "w", encoding="ascii") as f:
                f.write("\n".join(lines) + "\n")


def unescape(text):
    def one(m):
        if m[1]:
            return unescape(m[2]) * int(m[1])
        return b"\\" if m[0] == "\\\\" else bytes([int(m[3], 16)]) if m[3] else m[0].encode()

    return b"".join(one(m) for m in re.finditer(r"\\(\d+)\*([^;]*);|\\x(..)|\\\\|.", text))


def seeds(cases, out):
    os.makedirs(out, exist_ok=True)
    here = os.path.dirname(os.path.abspath(__file__))
    for v, version in enumerate(VERSIONS):
        path = os.path.join(cases, version + ".tsv")
        if not os.path.exists(path):
            continue
        prefix = "ocpp2" if v else "ocpp16"
        order = [m.name for m in load(os.path.join(here, prefix + ".def"), prefix).messages]
        with open(path, encoding="ascii") as f:
            for n, line in enumerate(f):
                _, direction, action, _, _, frame = line.rstrip("\n").split("\t")
                number = order.index(action) + 1 if action in order else 0
                with open(os.path.join(out, f"{version}-{n}"), "wb") as seed:
                    seed.write(f"{v}{direction[0]}{chr(33 + number)}".encode() + unescape(frame))


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] == "--seeds":
        seeds(*sys.argv[2:])
    elif len(sys.argv) == 3:
        main(*sys.argv[1:])
    else:
        sys.exit(__doc__)
