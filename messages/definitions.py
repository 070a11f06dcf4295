"""Reads a .def file (notation: README.md) into Python objects and checks it. Standard library only."""
import re
from dataclasses import dataclass, field as default

VERSIONS = {"ocpp1.6": 0, "ocpp2.0.1": 1, "ocpp2.1": 2}  # enum amp_version
SCALARS = {"int", "int64", "nat", "pos", "dec", "dec1", "bool", "time", "text", "uri", "any"}
TEXTS = {"ci", "str", "id", "secret"}
DIRECTIONS = {"up": 1, "down": 2, "both": 3}
KEYWORDS = set("""auto break case char const continue default do double else enum extern float for goto if inline int
    long register restrict return short signed sizeof static struct switch typedef union unsigned void volatile
    while bool true false""".split())


class Wrong(Exception):
    """A mistake in a definition; prints as file:line: what."""


@dataclass
class Type:
    """One type of the notation, in one version of the protocol."""
    base: str                     # a scalar, ci/str/id/secret, or the name of an enum or record
    limit: int = 0                # characters of ci/str/id/secret
    many: tuple = None            # (least, most) of a list; most 0: any number
    lax: bool = False             # ~
    low: int = None               # bounds of a number
    high: int = None


@dataclass
class Field:
    line: int
    name: str
    notation: str                 # as it is written, for comments
    types: list                   # [older version, newer version]
    optional: tuple               # the same
    added: bool = False           # '+': only in the newer version
    preset: str = None            # '= value'

    @property
    def may_be_absent(self):
        return any(self.optional) or self.added


@dataclass
class Record:
    line: int
    name: str
    fields: list = default(default_factory=list)
    since: int = 0                # 1: only in the newer version
    until: int = 1                # 0: only in the older one
    checked: bool = False         # messages/rules.c has a check for it


@dataclass
class Enum:
    line: int
    name: str
    values: list = default(default_factory=list)   # wire names
    old: int = 0                                   # how many of them the older version has
    open: bool = False
    since: int = 0
    until: int = 1


@dataclass
class Message:
    line: int
    name: str
    direction: int
    profile: str
    since: int
    request: Record
    reply: Record                 # None: never answered
    send: bool = False            # 2.1 SEND: has no reply


@dataclass
class Protocol:
    path: str
    prefix: str                   # ocpp16, ocpp2, api
    names: list = default(default_factory=list)
    aliases: dict = default(default_factory=dict)
    enums: dict = default(default_factory=dict)
    records: dict = default(default_factory=dict)
    messages: list = default(default_factory=list)

    def wrong(self, line, what):
        raise Wrong(f"{self.path}:{line}: {what}")

    @property
    def custom(self):
        """Whether every object may carry customData."""
        return self.prefix == "ocpp2"

    def all_records(self):
        """Records, requests and replies."""
        out = list(self.records.values())
        for m in self.messages:
            out += [m.request] + ([m.reply] if m.reply else [])
        return out


def snake(name):
    """evseId -> evse_id, limit_L2 -> limit_l2, SuspendedEVSE -> suspended_evse, kWh -> kwh, Energy.Net -> energy_net."""
    out = ""
    for i, c in enumerate(name):
        before, behind = name[i - 1] if i else "", name[i + 1] if i + 1 < len(name) else ""
        if c.isupper() and before and (
                (before.islower() and i > 1 and behind and name[i - 2].isalnum())
                or (before.isdigit() and behind.islower())
                or (before.isupper() and behind.islower())):
            out += "_"
        out += c.lower() if c.isalnum() else "_"
    return re.sub("_+", "_", out).strip("_")


class Parser:
    def __init__(self, path, prefix):
        self.p = Protocol(path, prefix)
        self.here = None          # the record whose fields follow
        self.message = None

    def wrong(self, what):
        self.p.wrong(self.line, what)

    def parse(self, text):
        lines = [(n, re.sub(r"(^|\s)#.*$", "", s).rstrip()) for n, s in enumerate(text.splitlines(), 1)]
        lines = [(n, s) for n, s in lines if s]
        while lines:
            self.line, head = lines.pop(0)
            if head.startswith("enum "):          # wrapped freely
                while lines and lines[0][1][0].isspace():
                    head += " " + lines.pop(0)[1].strip()
            if head[0].isspace():
                self.field(head.strip())
                continue
            word, _, rest = head.partition(" ")
            handler = getattr(self, "on_" + word, None)
            if not handler:
                self.wrong(f"cannot read '{head}'")
            handler(rest.strip())
        Checker(self.p).check()
        return self.p

    def on_protocol(self, rest):
        self.p.names = rest.split()
        if any(n.startswith("ocpp") and n not in VERSIONS for n in self.p.names) or not 1 <= len(self.p.names) <= 2:
            self.wrong(f"unknown protocol '{rest}'")

    def on_type(self, rest):
        name, _, meaning = (s.strip() for s in rest.partition("="))
        self.unused(name)
        self.p.aliases[name] = self.type_of(meaning)

    def on_enum(self, rest):
        head, colon, values = rest.partition(":")
        name, *marks = head.split()
        e = Enum(self.line, name)
        e.since, e.until = self.versions(marks)
        e.open = "open" in marks
        old, plus, new = values.partition(" + ")
        if values.strip().startswith("+") or values.rstrip().endswith(" +"):
            self.wrong("'+' stands between values")
        e.values = old.split() + new.split()
        e.old = len(old.split())
        if set(marks) - {"open", "2.0.1", "2.1"} or not colon or not e.values or "+" in e.values:
            self.wrong(f"cannot read enum {name}")
        if len(set(e.values)) < len(e.values):
            self.wrong(f"enum {name} has a value twice")
        self.unused(name)
        self.p.enums[name] = e

    def on_record(self, rest):
        name, *marks = rest.split()
        if set(marks) - {"checked", "2.0.1", "2.1"}:
            self.wrong(f"cannot read record {name}")
        self.unused(name)
        since, until = self.versions(marks)
        self.here = self.p.records[name] = Record(self.line, name, since=since, until=until, checked="checked" in marks)
        self.message = None

    def on_message(self, rest):
        name, direction, *marks = rest.split() + [""]
        marks = [m for m in marks if m]
        if direction not in DIRECTIONS:
            self.wrong(f"message {name} goes up, down or both ways, not '{direction}'")
        profile = [m for m in marks if m not in ("2.1", "send")]
        if len(profile) > 1:
            self.wrong(f"message {name} has several profiles")
        if any(m.name == name for m in self.p.messages):
            self.wrong(f"message {name} stands twice")
        since, _ = self.versions(marks)
        self.here = Record(self.line, name, since=since)
        self.message = Message(self.line, name, DIRECTIONS[direction], profile[0] if profile else "", since, self.here,
                               None, "send" in marks)
        self.p.messages.append(self.message)

    def on_reply(self, rest):
        if not self.message or self.message.reply or self.message.send:
            self.wrong("a reply without a message")
        m = self.message
        self.here = m.reply = Record(self.line, m.name + "Reply", since=m.since)
        if rest:
            self.field(rest)

    def versions(self, marks):
        return (1 if "2.1" in marks else 0), (0 if "2.0.1" in marks else 1)

    def unused(self, name):
        if name in self.p.aliases or name in self.p.enums or name in self.p.records or name in SCALARS | TEXTS:
            self.wrong(f"the name {name} is taken")

    def field(self, text):
        m = re.fullmatch(r"(\+\s*)?(\w+)(/?\?)?\s+(.+?)(?:\s+=\s+(.+))?", text)
        if not self.here or not m:
            self.wrong(f"cannot read '{text}'")
        plus, name, mark, notation, preset = m.groups()
        types = [self.type_of(t) for t in notation.split(" / ")]
        if len(types) > 2:
            self.wrong(f"{name} has more than two types")
        if len(types) == 1:                       # 'str512/1024' is short for 'str512 / str1024'
            newer = re.sub(r"\b((?:ci|str|id|secret))\d+/(\d+)", r"\1\2", notation)
            types = [self.type_of(re.sub(r"(\d)/\d+", r"\1", notation)), self.type_of(newer)]
        optional = {None: (False, False), "?": (True, True), "/?": (False, True)}[mark]
        if any(f.name == name for f in self.here.fields):
            self.wrong(f"field {name} stands twice")
        self.here.fields.append(Field(self.line, name, re.sub(r"\s+", " ", notation), types, optional, bool(plus), preset))

    def type_of(self, text):
        m = re.fullmatch(r"(?:(ci|str|id|secret)(\d+)(?:/\d+)?|([A-Za-z]\w*))(\[(?:(\d+)\.\.(\d*))?\])?(~)?"
                         r"(?:\s+(-?\d+)?\.\.(-?\d+)?)?", text.strip())
        if not m:
            self.wrong(f"cannot read the type '{text}'")
        sort, limit, name, many, least, most, lax, low, high = m.groups()
        t = Type(sort or name, int(limit or 0), None, bool(lax), *(int(s) if s else None for s in (low, high)))
        if name in self.p.aliases:
            alias = self.p.aliases[name]
            t.base, t.limit = alias.base, alias.limit
        if many:
            t.many = (int(least or 0), int(most or 0))
        if t.base in ("nat", "pos"):
            t.base, t.low = "int", 0 if t.base == "nat" else 1
        return t


class Checker:
    """What the parser cannot see line by line."""

    def __init__(self, p):
        self.p = p
        self.used = set()

    def check(self):
        if not self.p.names:
            self.p.wrong(1, "no protocol line")
        for r in self.p.all_records():
            for f in r.fields:
                for v, t in enumerate(f.types):
                    self.check_type(r, f, v, t)
        for m in self.p.messages:
            if not m.reply and not m.send:
                self.p.wrong(m.line, f"message {m.name} has no reply")
        self.check_used()
        self.check_names()

    def check_type(self, r, f, v, t):
        kinds = (self.p.enums, self.p.records)
        if t.base not in SCALARS | TEXTS and not any(t.base in k for k in kinds):
            self.p.wrong(f.line, f"unknown type {t.base}")
        if t.base in SCALARS and t.limit or t.base in TEXTS and not 1 <= t.limit <= 1 << 20:
            self.p.wrong(f.line, f"{f.name}: no such limit")
        if t.many and t.many[1] and t.many[0] > t.many[1] or t.low is not None and t.high is not None and t.low > t.high:
            self.p.wrong(f.line, f"{f.name}: nothing is between these bounds")
        if (t.low is not None or t.high is not None) and t.base not in ("int", "int64", "dec", "dec1"):
            self.p.wrong(f.line, f"{f.name}: bounds are for numbers")
        for k in kinds:
            if t.base in k and (v or len(self.p.names) == 1 or not (f.added or r.since)):
                used = k[t.base]
                self.used.add(t.base)
                if used.since > v and not (f.added or r.since):
                    self.p.wrong(f.line, f"{f.name}: {t.base} is of the newer version only")
                if used.until < v and f.types[0] == t and r.until >= v:
                    self.p.wrong(f.line, f"{f.name}: {t.base} is of the older version only")

    def check_used(self):
        if self.p.prefix == "api":
            return                # describes answers that hand-written code produces, and the documents made of it
        for k in (self.p.enums, self.p.records):
            for name, it in k.items():
                if name not in self.used:
                    self.p.wrong(it.line, f"nothing uses {name}")

    def check_names(self):
        tags, constants = {}, {}

        def claim(table, name, line, what):
            if name in table:
                self.p.wrong(line, f"{what} and {table[name]} are both {name} in C")
            table[name] = what

        for r in self.p.all_records():
            claim(tags, snake(r.name), r.line, f"record {r.name}")
            members = {}
            if len(r.fields) > 63:
                self.p.wrong(r.line, f"{r.name} has more than 63 fields")
            for f in r.fields:
                claim(members, snake(f.name), f.line, f"field {f.name}")
                if snake(f.name) in KEYWORDS | {"has", "custom_data"}:
                    self.p.wrong(f.line, f"field {f.name} cannot be named so in C")
        for e in self.p.enums.values():
            claim(tags, snake(e.name), e.line, f"enum {e.name}")
            for value in e.values:
                claim(constants, snake(e.name + "_" + snake(value)), e.line, f"value {value} of {e.name}")
            if len(e.values) > 250:
                self.p.wrong(e.line, f"enum {e.name} has more than 250 values")
        for m in self.p.messages:
            claim(constants, snake(m.name), m.line, f"message {m.name}")
        if len(self.p.messages) > 250:
            self.p.wrong(1, "more than 250 messages")


def load(path, prefix):
    with open(path, encoding="utf-8") as f:
        return Parser(path, prefix).parse(f.read())
