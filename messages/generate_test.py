#!/usr/bin/env python3
"""The notation, mistake by mistake: each must be found, with the line and a text that helps."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from definitions import Parser, Wrong, snake
from generate import Generator, perfect, word_mix, MASK64

HEAD = "protocol ocpp1.6\n"
PAIR = "protocol ocpp2.0.1 ocpp2.1\n"
MISTAKES = [  # text, line, part of the message
    (HEAD + "message A up\n    a Foo\nreply\n", 3, "unknown type Foo"),
    (HEAD + "message A sideways\nreply\n", 2, "not 'sideways'"),
    (HEAD + "message A up\n    a int\n    a int\nreply\n", 4, "field a stands twice"),
    (HEAD + "message A up\n    evseId int\n    evse_id int\nreply\n", 4, "both evse_id in C"),
    (HEAD + "message A up\n    a int[4..1]\nreply\n", 3, "nothing is between"),
    (HEAD + "message A up\n    a int 5..1\nreply\n", 3, "nothing is between"),
    (HEAD + "message A up\n    a ci20 0..1\nreply\n", 3, "bounds are for numbers"),
    (HEAD + "message A up\n    a ci0\nreply\n", 3, "no such limit"),
    (HEAD + "message A up\n    a int20\nreply\n", 3, "unknown type int20"),
    (HEAD + "message A up\n    default int\nreply\n", 3, "cannot be named so in C"),
    (HEAD + "message A up\n    a\nreply\n", 3, "cannot read 'a'"),
    (HEAD + "message A up\n    a int\n", 2, "has no reply"),
    (HEAD + "message A up\nreply\nmessage A up\nreply\n", 4, "message A stands twice"),
    (HEAD + "reply\n", 2, "a reply without a message"),
    (HEAD + "enum E: A B A\nmessage A up\n    a E\nreply\n", 2, "has a value twice"),
    (HEAD + "enum E: a-b a.b\nmessage A up\n    a E\nreply\n", 2, "are both e_a_b in C"),
    (HEAD + "enum E:\nmessage A up\n    a E\nreply\n", 2, "cannot read enum E"),
    (HEAD + "enum E: A\n", 2, "nothing uses E"),
    (HEAD + "record R\n    a int\n", 2, "nothing uses R"),
    (HEAD + "record A\n    a int\nmessage A up\n    a A\nreply\n", 4, "are both a in C"),
    (HEAD + "record R\n    a R\nmessage A up\n    a R\nreply\n", 2, "contains itself"),
    (HEAD + "type T = ci20\nenum T: A\n", 3, "the name T is taken"),
    (HEAD + "nonsense\n", 2, "cannot read 'nonsense'"),
    ("protocol ocpp9\n", 1, "unknown protocol"),
    ("message A up\nreply\n", 1, "no protocol line"),
    (PAIR + "record R 2.1\n    a int\nmessage A up\n    a R\nreply\n", 5, "newer version only"),
    (PAIR + "enum E 2.0.1: A\nmessage A up\n    a E\nreply\n", 4, "older version only"),
    (PAIR + "message A up\n    a bool / str20\nreply\n", 3, "no C type in common"),
    (PAIR + "message A up\n    a int / int / int\nreply\n", 3, "more than two types"),
]
NAMES = {"evseId": "evse_id", "limit_L2": "limit_l2", "SuspendedEVSE": "suspended_evse", "EVDisconnected": "ev_disconnected",
         "Energy.Active.Import.Register": "energy_active_import_register", "L1-N": "l1_n", "SoC": "soc", "kWh": "kwh",
         "iso15118SchemaVersion": "iso15118_schema_version", "s309-1P-16A": "s309_1p_16a"}
passed = failed = 0


def check(good, what):
    global passed, failed
    passed, failed = (passed + 1, failed) if good else (passed, failed + 1)
    if not good:
        print(what)


def complaint(text):
    try:
        p = Parser("x.def", "x").parse(text)
        g = Generator(p)
        g.header(), g.tables()
    except Wrong as e:
        return str(e)
    return "nothing"


for text, line, part in MISTAKES:
    said = complaint(text)
    check(said.startswith(f"x.def:{line}: ") and part in said, f"wanted line {line}, '{part}': {said}\n{text}")
for wire, c in NAMES.items():
    check(snake(wire) == c, f"{wire}: {snake(wire)}")

# what must be understood
p = Parser("x.def", "x").parse(PAIR + """type Tag = ci20
enum E open: A B + C          # a comment
record R checked
    n   int 0..100
  + m?  dec ..0
    t   str5/9[1..4]~
message M both core
    a   Tag
    r?  R
    s/? id36
    e   E / str20
reply  e  int / dec
message S up 2.1 send
    a   pos
""")
r, m = p.records["R"], p.messages[0]
check((p.enums["E"].old, p.enums["E"].open) == (2, True), "open enum with one addition")
check(r.checked and (r.fields[0].types[0].low, r.fields[0].types[0].high) == (0, 100), "bounds")
check(r.fields[1].added and r.fields[1].optional == (True, True) and r.fields[1].types[1].high == 0, "added field")
check([t.limit for t in r.fields[2].types] == [5, 9] and r.fields[2].types[0].many == (1, 4) and r.fields[2].types[0].lax,
      "two limits and a list")
check(m.request.fields[0].types[0].base == "ci" and m.request.fields[0].types[0].limit == 20, "alias")
check(m.request.fields[2].optional == (False, True), "optional from 2.1 on")
check(m.direction == 3 and m.profile == "core" and p.messages[1].reply is None and p.messages[1].since == 1, "messages")

words = [f"{a}{b}" for a in ("", "x", "Energy.Active.") for b in range(60)]
mul, shift, slots = perfect(words)
check(all(slots[(word_mix(w) * mul & MASK64) >> shift] == n for n, w in enumerate(words, 1)), "perfect hash")
print(f"{passed} passed, {failed} failed")
sys.exit(failed != 0)
