#!/usr/bin/env python3
"""Turns a built page into C: embed.py FOLDER OUT.c. Each file as it is and gzipped, with type and ETag.

FOLDER may be missing: then the program carries a placeholder that says so. Python 3, standard library only."""
import gzip
import hashlib
import os
import re
import sys

TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
         ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon",
         ".json": "application/json", ".webmanifest": "application/manifest+json", ".woff2": "font/woff2",
         ".wasm": "application/wasm", ".txt": "text/plain; charset=utf-8"}
PLACEHOLDER = b"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Amperstand</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<h1>Amperstand</h1>
<p>The server runs. This program was built without its web page: build it with npm installed, or with a built page in
web/dist, and start it again.</p>
<p>The API is at <a href="/api/v1/openapi.json">/api/v1/openapi.json</a>.</p>
</html>
"""


def files_of(folder):
    """(path, bytes), sorted, index.html among them."""
    out = []
    for base, _, names in os.walk(folder):
        for name in names:
            full = os.path.join(base, name)
            with open(full, "rb") as f:
                out.append(("/" + os.path.relpath(full, folder).replace(os.sep, "/"), f.read()))
    if not out:
        out = [("/index.html", PLACEHOLDER)]
    if "/index.html" not in dict(out):
        sys.exit(f"embed.py: {folder} has no index.html: is it a built page?")
    return sorted(out)


def array(name, data):
    rows = [f"static const uint8_t {name}[] = {{"]
    for at in range(0, len(data), 24):
        rows.append("    " + ",".join(str(b) for b in data[at:at + 24]) + ",")
    return rows + ["};"]


def main(folder, target):
    out = ["/* made by web/embed.py */", '#include "web/files.h"', ""]
    table = []
    for n, (path, data) in enumerate(files_of(folder)):
        kind = TYPES.get(os.path.splitext(path)[1])
        if not kind:
            sys.exit(f"embed.py: no content type for {path}")
        small = gzip.compress(data, 9, mtime=0)
        if len(small) >= len(data):
            small = b""
        out += array(f"file_{n}", data) + (array(f"gzip_{n}", small) if small else [])
        etag = hashlib.sha256(data).hexdigest()[:16]
        immutable = bool(re.search(r"^/assets/.*-[0-9a-f]{10}\.", path))
        table.append(f'    {{ "{path}", "{kind}", "\\"{etag}\\"", file_{n}, {f"gzip_{n}" if small else "NULL"}, {len(data)}, '
                     f'{len(small)}, {"true" if immutable else "false"} }},')
    out += ["", "const struct web_file web_files[] = {"] + table + ["};", f"const size_t web_file_count = {len(table)};", ""]
    text = "\n".join(out)
    os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
    with open(target, "w", encoding="utf-8") as f:
        f.write(text)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
