#!/usr/bin/env python3
"""Which test shows which statement: docs/NAME.tsv and the numbers that tests carry become docs/NAME.md.

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
    if check:
        print(f"{len(LISTS) - bad} passed, {bad} failed")
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
