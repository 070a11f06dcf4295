"""JSON schemas made of a definition: a second reading of the same facts, to be compared with the published ones."""
import json
import os

DEFAULTS = {"true": True, "false": False}


class Schemas:
    """The schemas of one version; `v` 1 is the newer one of the two that a file may hold."""

    def __init__(self, p, v):
        self.p, self.v = p, v

    def scalar(self, t):
        if t.base in ("ci", "str", "id", "secret"):
            return {"type": "string", "maxLength": t.limit}
        if t.base in ("int", "int64"):
            out = {"type": "integer"}
        elif t.base in ("dec", "dec1"):
            out = {"type": "number"}
        else:
            return {"bool": {"type": "boolean"}, "text": {"type": "string"}, "any": {},
                    "uri": {"type": "string", "format": "uri"},
                    "time": {"type": "string", "format": "date-time"}}[t.base]
        if t.base == "dec1":
            out["multipleOf"] = 0.1
        if t.low is not None:
            out["minimum"] = t.low
        if t.high is not None:
            out["maximum"] = t.high
        return out

    def type(self, t):
        known = t.base in self.p.enums or t.base in self.p.records
        out = {"$ref": f"#/definitions/{t.base}"} if known else self.scalar(t)
        if t.many:
            least, most = t.many
            out = {"type": "array", "items": out}
            if least:
                out["minItems"] = least
            if most:
                out["maxItems"] = most
        return out

    def fields(self, r):
        return [f for f in r.fields if self.v or not f.added]

    def object(self, r):
        out = {"type": "object", "properties": {}, "additionalProperties": False}
        for f in self.fields(r):
            out["properties"][f.name] = self.type(f.types[self.v])
            if f.preset:
                value = DEFAULTS.get(f.preset, f.preset)
                if f.types[self.v].base in ("int", "int64"):
                    value = int(value)
                out["properties"][f.name]["default"] = value
        if self.p.custom:
            out["properties"]["customData"] = {"$ref": "#/definitions/CustomData"}
        required = [f.name for f in self.fields(r) if not f.optional[self.v]]
        if required:
            out["required"] = required
        return out

    def enum(self, e):
        return {"type": "string", "enum": e.values if self.v or e.since else e.values[:e.old]}

    def users(self, r, into):
        """All that a record refers to."""
        for f in self.fields(r):
            name = f.types[self.v].base
            if name in self.p.enums:
                into[name] = self.enum(self.p.enums[name])
            elif name in self.p.records and name not in into:
                into[name] = self.object(self.p.records[name])
                self.users(self.p.records[name], into)

    def message(self, r):
        definitions = {}
        if self.p.custom:
            definitions["CustomData"] = {"type": "object", "properties": {"vendorId": {"type": "string", "maxLength": 255}},
                                         "required": ["vendorId"]}
        self.users(r, definitions)
        return {"$schema": "http://json-schema.org/draft-06/schema#", "definitions": definitions, **self.object(r)}


def write(p, folder):
    """folder/2.1/ResetRequest.json and so on."""
    for n, name in enumerate(p.names):
        v = 1 if len(p.names) == 1 else n
        out = os.path.join(folder, name.removeprefix("ocpp"))
        os.makedirs(out, exist_ok=True)
        s = Schemas(p, v)
        for m in p.messages:
            if m.since > v:
                continue
            pieces = [(m.request, "Request"), (m.reply, "Response")] if m.reply else [(m.request, "")]
            for record, suffix in pieces:
                with open(os.path.join(out, m.name + suffix + ".json"), "w", encoding="utf-8") as f:
                    json.dump(s.message(record), f, indent=1)
