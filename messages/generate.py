#!/usr/bin/env python3
"""Makes C of a message definition: structs, enum constants and the constant tables that ocpp/codec.c walks.

    generate.py FILE.def OUT_DIR             writes OUT_DIR/FILE.h and OUT_DIR/FILE.c
    generate.py FILE.def --schemas DIR       writes JSON schemas, one folder a version, to compare with others

Python 3, standard library only. Mistakes in the definition print as FILE.def:41: what."""
import os
import re
import sys

from definitions import TEXTS, VERSIONS, Wrong, load, snake
import schemas

KINDS = {"int": "INT", "int64": "INT", "dec": "DEC", "dec1": "DEC", "bool": "BOOL", "time": "TIME", "text": "TEXT",
         "uri": "TEXT", "any": "ANY", **{t: "TEXT" for t in TEXTS}}
C_TYPES = {"INT": "int64_t", "DEC": "struct amp_dec", "BOOL": "bool", "TIME": "int64_t", "TEXT": "struct amp_text",
           "ANY": "struct amp_text", "CUSTOM": "struct amp_text"}
INT32 = (-1 << 31, (1 << 31) - 1)
MASK64 = (1 << 64) - 1


class Names:
    """All names of a protocol in a row, each padded with 1 to 8 NUL to a multiple of 8. A struct, because a string
    literal beyond 4095 characters is not portable."""

    def __init__(self):
        self.at, self.rows, self.size = {}, [], 0

    def add(self, name):
        if name not in self.at:
            self.at[name] = self.size
            size = len(name) + 8 - len(name) % 8
            self.rows.append((name, size))
            self.size += size
        return self.at[name]


class Generator:
    def __init__(self, p):
        self.p = p
        self.low, self.up = p.prefix, p.prefix.upper()
        self.records = self.sort()
        self.index = {r.name: i for i, r in enumerate(self.records)}
        self.enum_index = {name: i for i, name in enumerate(p.enums)}
        self.names = Names()

    def tag(self, name):
        return f"{self.low}_{snake(name)}"

    def sort(self):
        """Records so that what is embedded stands in front."""
        done, out, under_way = set(), [], set()
        by_name = {r.name: r for r in self.p.all_records()}

        def visit(r):
            if r.name in done:
                return
            if r.name in under_way:
                self.p.wrong(r.line, f"record {r.name} contains itself")
            under_way.add(r.name)
            for f in r.fields:
                t = f.types[1]
                if t.base in by_name and not t.many and not f.may_be_absent:
                    visit(by_name[t.base])
            done.add(r.name)
            out.append(r)

        for r in by_name.values():
            visit(r)
        return out

    # --- what a field is in C

    def kind_of(self, t):
        if t.base in self.p.enums:
            return "ENUM"
        return "RECORD" if t.base in self.p.records else KINDS[t.base]

    def kind(self, f):
        """One kind serves both versions: enum / text is a text, int / dec a decimal."""
        old, new = (self.kind_of(t) for t in f.types)
        if old == new and (old not in ("ENUM", "RECORD") or f.types[0].base == f.types[1].base):
            return new
        if (old, new) in (("ENUM", "TEXT"), ("INT", "DEC")):
            return new
        self.p.wrong(f.line, f"{f.name}: these two types have no C type in common")

    def c_type(self, f):
        kind, base = self.kind(f), f.types[1].base
        return f"{'enum' if kind == 'ENUM' else 'struct'} {self.tag(base)}" if kind in ("ENUM", "RECORD") else C_TYPES[kind]

    def has_bit(self, f):
        return f.may_be_absent and not f.types[1].many and self.kind(f) in ("INT", "DEC", "BOOL", "TIME")

    def by_pointer(self, f):
        return f.may_be_absent and not f.types[1].many and self.kind(f) == "RECORD"

    # --- the header

    def struct(self, r):
        out, tag = [], self.tag(r.name)
        bits = [f for f in r.fields if self.has_bit(f)]
        for n, f in enumerate(bits):
            if n == 32:
                out.append("/* in has2: */")
            out.append(f"#define {self.up}_HAS_{snake(r.name).upper()}_{snake(f.name).upper()} 0x{1 << n % 32:x}u")
        out.append(f"struct {tag} {{")
        if bits or not (r.fields or self.p.custom):
            out.append("    uint32_t has;" + ("" if bits else " /* C knows no empty struct */"))
        if len(bits) > 32:
            out.append("    uint32_t has2;")
        for f in r.fields:
            c, name = self.c_type(f), snake(f.name)
            note = f.notation + (f" = {f.preset}" if f.preset else "")
            note += ", optional" if all(f.optional) else ", optional from 2.1 on" if any(f.optional) else ""
            note += ", 2.1" if f.added else ""
            if f.types[1].many:
                c, name = f"struct {{\n        {c} *at;\n        uint32_t len;\n    }}", name
            elif self.by_pointer(f):
                name = "*" + name
            out.append(f"    {c} {name}; /* {note} */".replace("* *", "**"))
        if self.p.custom:
            out.append("    struct amp_text custom_data; /* source text of an object, optional */")
        return out + ["};", f"extern const struct amp_record {tag}_record;", ""]

    def enum(self, e):
        tag = self.tag(e.name)
        out = [f"enum {tag} {{"]
        for n, value in enumerate(e.values):
            first = " = 1" if n == 0 else ""
            note = f" /* {value}{', 2.1' if n >= e.old and not e.since else ''} */"
            out.append(f"    {tag.upper()}_{snake(value).upper()}{first},{note}")
        if e.open:
            out.append(f"    {tag.upper()}_OTHER_, /* a value that we do not know; never sent */")
        out[-1] = out[-1].replace(", /*", " /*", 1)
        return out + ["};", f"extern const struct amp_enum {tag}_names;", ""]

    def header(self):
        guard = f"AMP_MESSAGES_{self.up}_H"
        out = [f"/* messages/{self.low}.h - made from {os.path.basename(self.p.path)} by messages/generate.py. */",
               f"#ifndef {guard}", f"#define {guard}", "", '#include "ocpp/codec.h"', "",
               f"extern const struct amp_protocol {self.low};", "", f"enum {self.low}_id {{"]
        out += [f"    {self.up}_{snake(m.name).upper()}," for m in self.p.messages]
        out += [f"    {self.up}_COUNT", "};", ""]
        for e in self.p.enums.values():
            out += self.enum(e)
        out += [f"struct {self.tag(r.name)};" for r in self.records] + [""]
        for r in self.records:
            out += self.struct(r)
        return "\n".join(out + ["#endif", ""])

    # --- the tables

    def flags(self, r, f, v):
        t, kind = f.types[v], self.kind(f)
        out = []
        present = not f.optional[v]
        out += ["REQUIRED"] * present + ["LIST"] * bool(t.many) + ["LAX"] * t.lax
        out += ["SECRET"] * (t.base == "secret") + ["ID"] * (t.base == "id") + ["WIDE"] * (t.base == "int64")
        out += ["NAME"] * (t.base in ("ci", "id") and not t.lax) + ["POINTER"] * self.by_pointer(f)
        out += ["HAS"] * self.has_bit(f) + ["WHOLE"] * (kind == "DEC" and t.base == "int")
        out += ["TENTHS"] * (t.base == "dec1") + ["WORDS"] * (kind == "TEXT" and t.base in self.p.enums)
        out += ["LOW"] * (t.low is not None) + ["HIGH"] * (t.high is not None) + ["DEFAULT"] * bool(f.preset)
        return " | ".join("AMP_F_" + flag for flag in out) or "0"

    def row(self, r, f, v, bits):
        t, kind, tag = f.types[v], self.kind(f), self.tag(r.name)
        low, high = t.low or 0, t.high or 0
        if kind == "TEXT":
            high = t.limit or INT32[1]
        if not (INT32[0] <= low <= INT32[1] and INT32[0] <= high <= INT32[1]):
            self.p.wrong(f.line, f"{f.name}: bounds beyond 32 bits")
        ref = self.index.get(t.base, 0) if kind == "RECORD" else self.enum_index.get(t.base, 0)
        least, most = t.many or (0, 0)
        c = snake(f.name)
        return (f"    {{ {self.names.add(f.name)}, offsetof(struct {tag}, {c}), sizeof({self.c_type(f)}), "
                f"{self.flags(r, f, v)}, {low}, {high}, {most}, {ref}, {least}, AMP_K_{kind}, {len(f.name)}, "
                f"{bits.index(f.name) if f.name in bits else 0} }}, /* {f.name} */")

    def rows(self, r, v):
        bits = [f.name for f in r.fields if self.has_bit(f)]
        fields = [f for f in r.fields if v or not f.added]
        if v < r.since:
            return [], 0
        out = [self.row(r, f, v, bits) for f in fields]
        required = sum(1 << n for n, f in enumerate(fields) if not f.optional[v])
        if self.p.custom:
            out.append(f"    {{ {self.names.add('customData')}, offsetof(struct {self.tag(r.name)}, custom_data), "
                       f"sizeof(struct amp_text), 0, 0, 0, 0, 0, 0, AMP_K_CUSTOM, 10, 0 }}, /* customData */")
        return out, required

    def record_table(self, r):
        tag, out, versions = self.tag(r.name), [], []
        for v in (0, 1):
            rows, required = self.rows(r, v)
            name = f"{tag}_fields{'_21' if v else ''}"
            if v and rows == first:
                versions.append(versions[0])
            elif rows:
                out += [f"static const struct amp_field {name}[] = {{"] + rows + ["};"]
                versions.append((name, required, len(rows)))
            else:
                versions.append(("NULL", 0, 0))
            first = rows
        check = f"{tag}_check" if r.checked else "NULL"
        if r.checked:
            out.append(f"int {tag}_check(const void *in, struct amp_fault *fault);")
        (a, ra, ca), (b, rb, cb) = versions
        return out + [f"const struct amp_record {tag}_record = {{ &home, {{ {a}, {b} }}, {{ 0x{ra:x}u, 0x{rb:x}u }}, "
                      f"{{ {ca}, {cb} }}, sizeof(struct {tag}), {check} }};", ""]

    def enum_table(self, e):
        tag = self.tag(e.name)
        mul, shift, slots = perfect(e.values)
        words = ", ".join(f"{{ {self.names.add(v)}, {len(v)} }}" for v in e.values)
        old = 0 if e.since else e.old
        return [f"static const struct amp_word {tag}_words[] = {{ {words} }};",
                f"static const uint8_t {tag}_slots[] = {{ {', '.join(map(str, slots))} }};",
                f"const struct amp_enum {tag}_names = {{ (const char *)&words, {tag}_words, {tag}_slots, 0x{mul:x}u, {shift}, "
                f"{{ {old}, {len(e.values)} }}, {'true' if e.open else 'false'} }};", ""]

    def message_table(self):
        bits = [1 << VERSIONS[n] for n in self.p.names if n in VERSIONS] or [7]
        out = [f"static const struct amp_message messages[] = {{"]
        for m in self.p.messages:
            versions = sum(bits[1:] if m.since else bits)
            request, reply = self.tag(m.request.name), m.reply and self.tag(m.reply.name)
            out.append(f'    {{ "{m.name}", "{snake(m.name)}", "{m.profile}", {self.up}_{snake(m.name).upper()}, '
                       f"{m.direction}, {versions}, &{request}_record, {f'&{reply}_record' if reply else 'NULL'}, "
                       f"sizeof(struct {request}), {f'sizeof(struct {reply})' if reply else 0} }},")
        slots = hash_slots([m.name for m in self.p.messages])
        return out + ["};", f"static const uint8_t slots[] = {{ {', '.join(map(str, slots))} }};",
                      f'const struct amp_protocol {self.low} = {{ "{self.p.names[0]}", messages, {len(self.p.messages)}, '
                      f"slots, {len(slots) - 1} }};", ""]

    def tables(self):
        body = []
        for e in self.p.enums.values():
            body += self.enum_table(e)
        for r in self.records:
            body += self.record_table(r)
        body += self.message_table()
        head = [f"/* messages/{self.low}.c - made from {os.path.basename(self.p.path)} by messages/generate.py. */",
                f'#include "messages/{self.low}.h"', '#include "ocpp/codec_table.h"', "",
                "static const struct {"] + [f"    char s{n}[{size}];" for n, (_, size) in enumerate(self.names.rows)]
        head += ["} words = {"] + [f'    "{name}",' for name, _ in self.names.rows] + ["};"]
        head += ["static const struct amp_record *const records[] = {"]
        head += [f"    &{self.tag(r.name)}_record," for r in self.records] + ["};"]
        head += ["static const struct amp_enum *const enums[] = {"]
        head += [f"    &{self.tag(e)}_names," for e in self.p.enums] + (["    NULL"] if not self.p.enums else [])
        head += ["};", "static const struct amp_home home = { (const char *)&words, records, enums };", ""]
        return "\n".join(head + body)


def word_mix(word):
    """amp_word_slot of ocpp/codec_table.h, up to the multiplication."""
    b = word.encode()
    first, last, middle = b[:8], b[-8:], b[-16:-8] if len(b) >= 16 else b""
    mix = len(b)
    for part, turn in ((first, 0), (last, 7), (middle, 23)):
        n = int.from_bytes(part, "little")
        mix ^= (n << turn | n >> (64 - turn)) & MASK64
    return mix


def perfect(words):
    """A multiplier under which all words fall into different slots, with as few slots as can be found quickly."""
    mixes = [word_mix(w) for w in words]
    if len(set(mixes)) < len(words):
        raise Wrong(f"two of these words have the same hash: {' '.join(words)}")
    size, mul = 2, 0x9e3779b97f4a7c15
    while size < len(words):
        size *= 2
    while True:
        shift = 64 - size.bit_length() + 1
        for _ in range(200):
            mul = (mul * 6364136223846793005 + 1442695040888963407) & MASK64 | 1
            at = [(m * mul & MASK64) >> shift for m in mixes]
            if len(set(at)) == len(at):
                slots = [0] * size
                for value, slot in enumerate(at, 1):
                    slots[slot] = value
                return mul, shift, slots
        size *= 2


def hash_slots(words):
    """Open addressing over FNV-1a as in amp_message_find: slot to index + 1."""
    size = 4
    while size < 2 * len(words):
        size *= 2
    slots = [0] * size
    for n, word in enumerate(words, 1):
        h = 0xcbf29ce484222325
        for c in word.encode():
            h = (h ^ c) * 0x100000001b3 & MASK64
        at = h & (size - 1)
        while slots[at]:
            at = (at + 1) & (size - 1)
        slots[at] = n
    return slots


def write(path, text):
    """Only when it changed, so that nothing is built again without need."""
    if os.path.exists(path) and open(path, encoding="utf-8").read() == text:
        os.utime(path)
        return
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def main(args):
    if len(args) not in (2, 3) or (len(args) == 3 and args[1] != "--schemas"):
        sys.exit(__doc__)
    prefix = re.sub(r"\.def$", "", os.path.basename(args[0]))
    try:
        p = load(args[0], prefix)
        os.makedirs(args[-1], exist_ok=True)
        if len(args) == 3:
            schemas.write(p, args[2])
            return
        g = Generator(p)
        write(os.path.join(args[1], prefix + ".h"), g.header())
        write(os.path.join(args[1], prefix + ".c"), g.tables())
    except Wrong as e:
        sys.exit(str(e))


if __name__ == "__main__":
    main(sys.argv[1:])
