#!/usr/bin/env python3
"""Which test shows which statement: docs/NAME.tsv and the numbers that tests carry become docs/NAME.md. And which message of OCPP 1.6 is
handled where: docs/messages-1.6.md.

A test names a statement in a comment or in a message, S64 for the station's list, E17 for the central system's; the function that the
name stands in or in front of is the test. usage: docs/coverage.py [--check]    --check: say whether the files are up to date, write nothing
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LISTS = [
    ("station-1.6", "S", "What an OCPP 1.6 station must do, and the tests that show it", ["station", "fleet", "ports", "cli", "fuzz"]),
    ("central-edge-cases", "E", "Edge cases that a central system must survive, and the tests that show it", ["central", "cli", "peers", "ocpp"]),
]
QUOTED = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.S)
FACTS = re.compile(r"ocpp-facts\s+(?:\*\s+)?[A-Z]?\d+(?:(?:\s*[-–,]\s*|\s+to\s+)[A-Z]\d+)*")
FUNCTION = re.compile(r"^(?:static )?(?:void|int|bool) (test_\w+)\(", re.M)


def numbers(text, letter):
    """S18 and S20-S24 as they stand in comments and messages; not the S1:Available of a trace, nor numbers of ocpp-facts."""
    found = set()
    text = FACTS.sub("", text)
    for m in re.finditer(rf"\b{letter}(\d+)(?:\s*(?:-|–|to)\s*{letter}?(\d+))?\b(?!:\w)", text):
        first, last = int(m.group(1)), int(m.group(2) or m.group(1))
        if first <= last < first + 40:
            found.update(range(first, last + 1))
    return found


def scan(folders, letter):
    tests = {}
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*_test.[ch]")) + sorted((ROOT / folder).glob("*.test.ts")):
            if "node_modules" in path.parts:
                continue
            text = path.read_text()
            starts = [(m.start(), m.group(1)) for m in FUNCTION.finditer(text)]
            for quoted in QUOTED.finditer(text):
                inside = [name for at, name in starts if at < quoted.start()]
                after = [(at, name) for at, name in starts if at > quoted.start()]
                # a comment right in front of a function belongs to it
                gap = text[quoted.end() : after[0][0]] if after else "x"
                name = after[0][1] if after and not gap.strip() else inside[-1] if inside else None
                for n in numbers(quoted.group(0), letter):
                    tests.setdefault(n, set()).add((str(path.relative_to(ROOT)), name))
    return tests


def page(name, letter, title, folders):
    rows = [line.split("\t") for line in (ROOT / "docs" / f"{name}.tsv").read_text().splitlines()]
    tests = scan(folders, letter)
    known = {int(r[0]) for r in rows}
    shown = sum(1 for r in rows if int(r[0]) in tests)
    out = [f"# {title}", "", f"Made by `docs/coverage.py` from the numbers that tests carry. {shown} of {len(rows)} have a test.", ""]
    area = None
    for number, section, text in rows:
        if section != area:
            area = section
            out += ["", f"## {area}", "", "| | statement | tests |", "|---|---|---|"]
        where = sorted(tests.get(int(number), []), key=lambda t: (t[0], t[1] or ""))
        cell = "<br>".join(f"{path} `{test}`" if test else path for path, test in where) or "none"
        out.append(f"| {letter}{number} | {text.replace('|', chr(92) + '|')} | {cell} |")
    stray = sorted(n for n in tests if n not in known)
    return "\n".join(out) + "\n", stray


def snake(name):
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def where_named(folder, pattern, skip=r"_test\.[ch]$"):
    """Files of a folder in which the pattern stands, without the tests."""
    files = sorted((ROOT / folder).rglob("*.c"))
    return [str(f.relative_to(ROOT)) for f in files if not re.search(skip, f.name) and re.search(pattern, f.read_text())]


def routes():
    """Path of each typed route, by the action that it sends."""
    text = (ROOT / "central/rest/routes.c").read_text()
    paths = {}
    for method, path, message in re.findall(r'\{ "(\w+)", V1 "([^"]+)",[^{]*?\b(API_\w+),', text):
        paths.setdefault(message, f"{method} {path}")
    handlers = {}
    for method, path, handler in re.findall(r'\{ "(\w+)", V1 "([^"]+)",\s*\w+,\s*(rest_\w+),', text):
        handlers[handler] = f"{method} {path}"
    found = {}
    for source in sorted((ROOT / "central/rest").glob("*.c")):
        body = source.read_text()
        for message, action in re.findall(r'\{ (API_\w+),\s+"(\w+)"', body):
            if message in paths:
                found.setdefault(action, []).append(paths[message])
        for function in re.split(r"^}", body, flags=re.M):  # a handler of one action
            handler = re.search(r"^void (rest_\w+)\(struct rest_call", function, re.M)
            action = re.search(r'AMP_TEXT\("([A-Z]\w+)"\)', function)
            if handler and action and handler.group(1) in handlers:
                found.setdefault(action.group(1), []).append(handlers[handler.group(1)])
    return found


def messages_page():
    definitions = (ROOT / "messages/ocpp16.def").read_text()
    sent, rows = routes(), []
    tests = [p for f in ("central", "station", "fleet", "peers", "ports") for p in sorted((ROOT / f).rglob("*"))
             if re.search(r"(_test\.c|\.test\.ts)$", p.name) and "node_modules" not in p.parts]
    texts = [(str(p.relative_to(ROOT)), p.read_text()) for p in tests]
    for name, direction, profile in re.findall(r"^message (\w+)  (up|down|both)  (\w+)", definitions, re.M):
        file, wire = snake(name) + ".c", rf"""["'`]{name}\b"""
        station = f"station/v16/{file}"
        places = [station] if (ROOT / station).exists() else where_named("station", rf"OCPP16_{snake(name).upper()}\b")
        central = [f"central/v16/{file}"] if (ROOT / "central/v16" / file).exists() else []
        central += sent.get(name, [])
        if direction != "up" and not sent.get(name):
            central += where_named("central", rf'AMP_TEXT\("{name}"\)') + ["POST /chargers/{id}/commands"]
        shown = [path for path, text in texts if re.search(wire, text)]
        arrow = {"up": "station → central", "down": "central → station", "both": "both"}[direction]
        rows.append(f"| {name} | {profile} | {arrow} | {'<br>'.join(places) or 'none'} | {'<br>'.join(dict.fromkeys(central)) or 'none'} | "
                    f"{'<br>'.join(shown) or 'none'} |")
    head = ["# The messages of OCPP 1.6, and where they are handled", "",
            f"Made by `docs/coverage.py` from messages/ocpp16.def, the files' names, the table of routes and the tests that name a message. "
            f"{len(rows)} messages. Every one that a central system sends can also be sent by `POST /chargers/{{id}}/commands`.", "",
            "| message | profile | direction | station | central system | tests that name it |", "|---|---|---|---|---|---|"]
    return "\n".join(head + rows) + "\n"


def main():
    check, bad = "--check" in sys.argv[1:], 0
    for name, letter, title, folders in LISTS:
        text, stray = page(name, letter, title, folders)
        path = ROOT / "docs" / f"{name}.md"
        if stray:
            print(f"{name}: tests carry numbers that the list has not: {stray}")
        if check and (not path.exists() or path.read_text() != text):
            print(f"docs/{name}.md is not up to date: run docs/coverage.py")
            bad += 1
        elif not check:
            path.write_text(text)
            print(text.split("\n")[2])
    path, text = ROOT / "docs/messages-1.6.md", messages_page()
    if check and (not path.exists() or path.read_text() != text):
        print("docs/messages-1.6.md is not up to date: run docs/coverage.py")
        bad += 1
    elif not check:
        path.write_text(text)
        print(text.split("\n")[2])
    if check:
        print(f"{len(LISTS) + 1 - bad} passed, {bad} failed")
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
