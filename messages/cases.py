#!/usr/bin/env python3
"""Makes cases/VERSION.tsv of a folder of frames in the format that corpus-check reads.

    cases.py CORPUS CASES     CORPUS/index.tsv and its files; CASES is the folder to write

Rows longer than 1,500 bytes stay out; corpus-check runs them from their files.

A row: name, direction, action, verdict, code, frame. In the frame a backslash stands in front of: another one; xHH, any
byte; and NNN*text; for NNN times that text (a semicolon in it is x3b), so that limits can be tested without kilobytes of
the same."""
import os
import re
import sys

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


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
