#!/usr/bin/env python3
"""Compares the definitions, message by message and field by field, with the published JSON schemas of OCPP.

    schemas_test.py SCHEMAS     the folder with 1.6, 1.6-security, 2.0.1 and 2.1

The schemas are not part of this tree; without them the test is skipped. Allowed differences, counted below: where the
text of the standard names bounds of a number or a least number of elements and the schema forgot it, we are tighter.
How often is pinned in TIGHTER, so that one more is a decision and no accident."""
import glob
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
from definitions import load
import schemas

TIGHTER = {  # places, once for each message that has them
    "1.6": {"minimum": 42, "minItems": 6, "maximum": 0},     # connector ids, durations, limits; lists that must not be empty
    "2.0.1": {"minimum": 111, "minItems": 0, "maximum": 13},  # what the schemas of 2.1 have; phases are 0 to 3
    "2.1": {"minimum": 0, "minItems": 0, "maximum": 0},
}
FOLDERS = {"1.6": ["1.6", "1.6-security"], "2.0.1": ["2.0.1"], "2.1": ["2.1"]}
FACTS = ("type", "format", "maxLength", "minimum", "maximum", "minItems", "maxItems", "multipleOf", "default")


def flatten(node, root, path, out):
    """path -> facts, with references followed."""
    extra = {k: node[k] for k in ("default",) if k in node}
    while "$ref" in node:
        node = root["definitions"][node["$ref"].rsplit("/", 1)[1]]
    facts = {k: node[k] for k in FACTS if k in node}
    facts.update(extra)
    if "enum" in node:
        facts["enum"] = set(node["enum"])
        facts.pop("default", None)
        facts.update(extra)
    if facts.get("type") == "object" or "properties" in node:
        facts["required"] = set(node.get("required", []))
        facts["fields"] = set(node.get("properties", {}))
        for name, child in node.get("properties", {}).items():
            flatten(child, root, f"{path}.{name}", out)
    if "items" in node:
        flatten(node["items"], root, path + "[]", out)
    out[path] = facts


def read(path):
    with open(path, encoding="utf-8-sig") as f:
        root = json.load(f)
    out = {}
    flatten(root, root, "", out)
    return out


def compare(ours, theirs, tighter):
    """What differs and may not; what may is added to `tighter`."""
    wrong = []
    for path in sorted(set(ours) | set(theirs)):
        a, b = ours.get(path), theirs.get(path)
        if a is None or b is None:
            wrong.append(f"{path or 'message'}: only in {'the definition' if b is None else 'the schema'}")
            continue
        for fact in sorted(set(a) | set(b)):
            if a.get(fact) == b.get(fact):
                continue
            if fact in ("minimum", "minItems", "maximum") and fact in a and fact not in b:
                tighter.append((fact, path))
            else:
                wrong.append(f"{path or 'message'}: {fact} is {a.get(fact)}, in the schema {b.get(fact)}")
    return wrong


def main(folder):
    if not os.path.isdir(folder):
        print(f"no published schemas at {folder} (set AMP_SHARED): nothing compared")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    here = os.path.dirname(os.path.abspath(__file__))
    passed = failed = 0
    with tempfile.TemporaryDirectory() as made:
        for prefix in ("ocpp16", "ocpp2"):
            schemas.write(load(os.path.join(here, prefix + ".def"), prefix), made)
        for version, folders in FOLDERS.items():
            theirs = {os.path.basename(f): f for sub in folders for f in glob.glob(os.path.join(folder, sub, "*.json"))}
            ours = {os.path.basename(f): f for f in glob.glob(os.path.join(made, version, "*.json"))}
            tighter = []
            for name in sorted(set(ours) | set(theirs)):
                if name not in ours or name not in theirs:
                    wrong = [f"only in {'the definitions' if name in ours else 'the schemas'}"]
                else:
                    wrong = compare(read(ours[name]), read(theirs[name]), tighter)
                for w in wrong:
                    print(f"{version}/{name}: {w}")
                passed, failed = (passed, failed + 1) if wrong else (passed + 1, failed)
            kinds = {k: sum(1 for fact, _ in tighter if fact == k) for k in TIGHTER[version]}
            print(f"{version}: {len(ours)} messages, tighter than the schemas: {kinds}")
            if kinds != TIGHTER[version]:
                print(f"{version}: expected {TIGHTER[version]}")
                failed += 1
    print(f"{passed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
