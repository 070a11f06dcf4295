#!/usr/bin/env python3
"""Writes src/api_types.ts from central/rest/api.def: the page's types are what the server's decoder and OpenAPI description read.

Not committed and not needed to bundle (types vanish); `npm run check` makes it and runs the compiler over both."""
import os
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "messages"))
sys.dont_write_bytecode = True
from definitions import load  # noqa: E402

SCALARS = {"int": "number", "int64": "number", "dec": "number", "dec1": "number", "bool": "boolean", "any": "unknown"}


def main(out):
    p = load(os.path.join(here, "..", "central", "rest", "api.def"), "api")
    text = ["// Made from central/rest/api.def by api_types.py."]
    for e in p.enums.values():
        text.append(f"export type {e.name} = {' | '.join(repr(v) for v in e.values)};")
    for r in p.records.values():
        text.append(f"export interface {r.name} {{")
        for f in r.fields:
            t = f.types[0]
            kind = t.base if t.base in p.enums or t.base in p.records else SCALARS.get(t.base, "string")
            text.append(f"  {f.name}{'?' if f.optional[0] else ''}: {kind}{'[]' if t.many else ''};")
        text.append("}")
    with open(out, "w", encoding="utf-8") as f:
        f.write("\n".join(text) + "\n")


main(sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "src", "api_types.ts"))
