#!/usr/bin/python3
"""Prints the tables of docs/wire/ from the headers that define the wire.

    tools/wire_tables.py             prints every block to stdout
    tools/wire_tables.py --write     puts them into docs/wire/*.md
    tools/wire_tables.py --check     fails if a page says something else than the headers, and shows what

A block in a page begins with a line `<!-- printed: NAME -->` and ends with `<!-- end -->`. What stands between is
replaced: commands, notices and structs with their fields; offsets and bits of the ledger; the values of limits. In a
table the first two columns come from the headers. The others are written by hand and stay, row by row; a row that the
headers have and the page lacks is added without them, and --check then asks for a description.
"""

import argparse
import difflib
import pathlib
import re
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs" / "wire"
NOTICES = "runtime/wire/notices.hpp"
LIMITS = "runtime/include/baton/limits.hpp"
UNWRITTEN = "(to be described)"
WIDTH = 120

SCALARS = {"AnyRef": "ref", "ActorId": "ref", "std::string": "string", "bool": "bool", "Duration": "duration",
           "std::monostate": "nothing", "void": "nothing", "Timestamp": "timestamp", "float": "float32",
           "double": "float64", "std::vector<std::byte>": "bytes"}
SCALARS.update({f"std::{sign}int{bits}_t": f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)})


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def without_comments(text):
    return re.sub(r"//[^\n]*", "", text)


def matching_brace(text, start):
    depth = 0
    for at in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return at
    raise SystemExit("wire_tables.py: a struct without an end")


# ---- commands, notices, structs

class Struct:
    """A struct of the wire: its fields as (name, C++ type), and its Reply, if it has one."""

    def __init__(self, name, body):
        self.name = name
        self.reply = next(iter(re.findall(r"using Reply = ([^;]+);", body)), None)
        body = re.sub(r"\[\[nodiscard\]\][^{;]*(?:\{[^}]*\}|;)|using [^;]+;|bool operator[^;]+;", "", body)
        self.fields = [(name, type_.strip()) for type_, name in
                       re.findall(r"([\w:<>, ]+?)\s+(\w+)\s*(?:=\s*[^;]*|\{[^;]*\})?;", body)]


def structs_of(text, namespace=None):
    text = without_comments(text)
    if namespace:
        start = text.index("{", text.index(f"namespace {namespace} "))
        text = text[start:matching_brace(text, start)]
    out = []
    for match in re.finditer(r"\bstruct (\w+) \{", text):
        body = text[match.end():matching_brace(text, match.end() - 1)]
        out.append(Struct(match[1], body))
    return {struct.name: struct for struct in out}


def wire_type(cpp, enums):
    cpp = cpp.strip()
    if cpp in SCALARS:
        return SCALARS[cpp]
    for pattern, shape in ((r"std::vector<(.+)>", "[{}]"), (r"std::optional<(.+)>", "optional {}")):
        if match := re.fullmatch(pattern, cpp):
            return shape.format(wire_type(match[1], enums))
    if match := re.fullmatch(r"std::map<std::string, (.+)>", cpp):
        return f"{{string: {wire_type(match[1], enums)}}}"
    if cpp.split("::")[-1] in enums:
        return "enum"
    return SCALARS.get(cpp, cpp.split("::")[-1])


def spelled(struct, enums):
    return "{" + ", ".join(f"{name}: {wire_type(type_, enums)}" for name, type_ in struct.fields) + "}"


def wrapped(name, text, column):
    """`name` in a column, `text` beside it, broken within the width of a page."""
    text = re.sub(r": (?=\w)|optional (?=\w)", lambda match: match[0].replace(" ", "\0"), text)  # a field is not broken
    lines = textwrap.wrap(text, WIDTH - column, break_long_words=False, break_on_hyphens=False)
    lines = [line.replace("\0", " ") for line in lines]
    return "\n".join([f"{name:<{column}}{lines[0]}"] + [" " * (column + 1) + line for line in lines[1:]])


class Wire:
    def __init__(self):
        notices = read(NOTICES)
        exits = read("runtime/include/baton/exit.hpp") + read("runtime/include/baton/spawn.hpp")
        description = read("runtime/include/baton/detail/description.hpp")
        self.enums = set(re.findall(r"enum class (\w+)", exits + notices))
        self.commands = structs_of(notices, "coordinator")
        self.notices = structs_of(notices, "notice")
        self.shared = {**structs_of(exits), **structs_of(description)}
        listed = re.search(r"using Protocol = baton::Protocol<([^;]+)>;", without_comments(notices))[1]
        self.protocol = [name.strip() for name in listed.split(",")]

    def command_block(self):
        lines = []
        for name in self.protocol:
            command = self.commands[name]
            reply = f" -> {wire_type(command.reply, self.enums)}" if command.reply else ""
            lines.append(wrapped(name, spelled(command, self.enums) + reply, 14))
        return code("\n".join(lines))

    def struct_block(self):
        """What stands in the fields and replies of commands, and has a name."""
        text = "\n".join(spelled(struct, self.enums) + (struct.reply or "") for struct in self.commands.values())
        text += "\n".join(spelled(struct, self.enums) for struct in self.notices.values())
        every = {**self.shared, **{name: one for name, one in self.commands.items() if name not in self.protocol}}
        wanted, before = set(), None
        while wanted != before:
            before = set(wanted)
            said = text + "".join(spelled(every[name], self.enums) for name in wanted)
            wanted |= {name for name in every if re.search(rf"\b{name}\b", said) and not name.endswith("Description")}
        return code("\n".join(wrapped(name, spelled(every[name], self.enums), 14) for name in every if name in wanted))

    def description_block(self):
        names = [name for name in self.shared if name.endswith("Description")]
        return code("\n".join(wrapped(name, spelled(self.shared[name], self.enums), 21) for name in names))

    def notice_block(self):
        return code("\n".join(wrapped(name, spelled(notice, self.enums), 14) for name, notice in self.notices.items()))


def code(text):
    return f"```text\n{text}\n```"


# ---- numbers

class Numbers:
    """The constants of limits.hpp, rows.hpp, layout.hpp and words.hpp, worked out."""

    def __init__(self):
        self.values, self.types = {}, {}
        sources = (LIMITS, "runtime/ledger/words.hpp", "runtime/ledger/rows.hpp", "runtime/ledger/layout.hpp")
        text = "\n".join(without_comments(read(name)) for name in sources)
        self.rows = {match[1]: text[match.end():matching_brace(text, match.end() - 1)]
                     for match in re.finditer(r"\bstruct ([\w:]+) \{", text)}
        for match in re.finditer(r"inline constexpr ([\w:]+) (\w+)(?: = |\{)([^;]+?)\}?;", text):
            expression = match[3] + ("}" if match[3].count("{") > match[3].count("}") else "")
            try:
                self.values[match[2]] = self.work_out(expression)
                self.types[match[2]] = match[1]
            except (NameError, SyntaxError, TypeError):
                pass  # not a number, or one of a type that has not been laid out yet
        structs = ("LedgerHeader", "SegmentRow", "LeaseRow", "NameRow", "ActorRow", "MarkRow",
                   "WillRow", "WillPlace")
        self.offsets = {name: self.lay_out(name) for name in structs}

    def work_out(self, expression):
        expression = expression.replace("'", "")
        expression = re.sub(r"std::u?\w+\{(\d+)\}|std::size_t\{(\d+)\}|Epoch\{(\d+)\}",
                            lambda match: next(group for group in match.groups() if group), expression)
        expression = re.sub(r"\b(0x[0-9a-fA-F]+|\d+)[uUlL]+\b", r"\1", expression)
        expression = re.sub(r"sizeof\((\w+)\)", lambda match: str(self.row_bytes(match[1])), expression)
        expression = re.sub(r"(\w+)::bytes\b", lambda match: str(self.row_bytes(match[1])), expression)
        expression = re.sub(r"\b(?:limits|layout|words)::", "", expression).replace("/", "//")
        return int(eval(expression, {"__builtins__": {}}, self.values))  # of our own headers, numbers only

    def row_bytes(self, name):
        if match := re.search(r"std::size_t bytes = (\d+);", self.rows[name]):
            return int(match[1])
        return self.lay_out(name)["end"]

    def lay_out(self, struct):
        """The offset of each field of a struct whose fields are 64 bits each."""
        at, out = 0, {}
        for type_, name, length in re.findall(r"([\w:<>]+) (\w+)(?:\[([^\]]+)\])?;", self.rows[struct]):
            if type_ == "bytes" or name == "bytes" and "=" in type_:
                continue
            bytes_ = self.lay_out(type_)["end"] if type_ in ("RingEntry", "WillPlace") else 8
            out[name] = at
            at += bytes_ * (self.work_out(length) if length else 1)
        out["end"] = at
        return out

    def region(self):
        page = self.values["page"]
        at = (self.offsets["LedgerHeader"]["end"] + page - 1) // page * page
        out = {"header": 0}
        for part in ("actors", "segments", "leases", "names", "marks", "wills"):
            out[part] = at
            at += self.values[f"{part}_bytes"]
        out["end"] = at
        return out

    def text(self, name):
        """A limit as people read it."""
        value = self.values[name]
        if "chrono" in self.types[name]:
            return f"{value // 1000} s" if value % 1000 == 0 else f"{value} ms"
        if "bytes" in name:
            for unit, size in (("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
                if value >= 4 * size and value % size == 0 or value == size:
                    return f"{value // size} {unit}"
            return f"{value:,} bytes"
        return f"{value:,}"

    def bits_block(self):
        number, shift = self.values["number_bits"], self.values["epoch_shift"]
        phase = self.values["phase_bits"]
        words = read("runtime/ledger/words.hpp")

        def phases(name):
            listed = re.search(rf"enum class {name} : \S+ \{{([^}}]+)\}}", words)[1]
            return ", ".join(" ".join(reversed(one.replace(" ", "").split("="))) for one in listed.split(","))

        slot = int(re.search(r"slot_bits = (\d+);", words)[1])
        spans = [(0, phase - 1), (phase, phase + number - 1), (phase + number, phase + 2 * number - 1), (shift, 63)]
        name_spans = [(phase + number, phase + number + slot - 1), (phase + number + slot, 63)]

        def span(pair):
            return f"{pair[0]} to {pair[1]}"

        return "\n".join([
            "| bits of the word | of a segment | of a lease |",
            "| --- | --- | --- |",
            f"| {span(spans[0])} | phase: {phases('Phase')} | phase: {phases('LeasePhase')} |",
            f"| {span(spans[1])} | number of the owner; 0 while free | number of the lender; 0 while free |",
            f"| {span(spans[2])} | number of the heir while offered; otherwise 0 | "
            "number of the borrower; 0 while free |",
            f"| {span(spans[3])} | epoch: one more with every change, modulo 2^{64 - shift} | the same |",
            "",
            "| bits of the word | of a name |",
            "| --- | --- |",
            f"| {span(spans[0])} | phase: {phases('NamePhase')} |",
            f"| {span(spans[1])} | number of the owner; 0 while free |",
            f"| {span(name_spans[0])} | slot of the segment; 0 while free |",
            f"| {span(name_spans[1])} | epoch: one more with every change |"])


# ---- pages

def rows_of(block):
    """The hand-written columns of a table in a page, by the name in its first column."""
    out = {}
    for line in block.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) > 2 and cells[0].startswith("`"):
            out[cells[0].strip("`")] = cells[2:]
    return out


def head_of(block):
    return block.strip().splitlines()[:2]


def table(block, values):
    head, written = head_of(block), rows_of(block)
    columns = head[0].count("|") - 3
    lines = [f"| `{name}` | {value} | " + " | ".join(written.get(name, [UNWRITTEN] * columns)) + " |"
             for name, value in values.items()]
    return "\n".join([*head, *lines])


def printed(name, block, wire, numbers):
    """What a page should say in the block of that name, where it says `block` now."""
    kind, _, rest = name.partition(" ")
    if kind == "file":
        return f"```python\n{read(rest)}```"
    blocks = {"commands": wire.command_block, "structs": wire.struct_block, "notices": wire.notice_block,
              "descriptions": wire.description_block, "bits": numbers.bits_block}
    if kind in blocks:
        return blocks[kind]()
    if kind == "limits":
        unknown = [limit for limit in rows_of(block) if limit not in numbers.values]
        if unknown:
            raise SystemExit(f"{LIMITS} has no {', '.join(unknown)}: rename or remove these rows in docs/wire")
        return table(block, {limit: numbers.text(limit) for limit in rows_of(block)})
    if kind == "region":
        return table(block, numbers.region())
    if kind == "row":
        fields = {field: at for field, at in numbers.offsets[rest].items() if field not in ("end", "reserved")}
        return table(block, fields)
    raise SystemExit(f"docs/wire has a block '{name}' that tools/wire_tables.py does not know")


def page_as_printed(page, wire, numbers):
    def replaced(match):
        return f"<!-- printed: {match[1]} -->\n{printed(match[1], match[2], wire, numbers)}\n<!-- end -->"

    return re.sub(r"<!-- printed: ([^\n]+?) -->\n(.*?)\n?<!-- end -->", replaced, page, flags=re.DOTALL)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--write", action="store_true", help="put the tables into docs/wire/*.md")
    parser.add_argument("--check", action="store_true", help="fail if a page differs from the headers")
    options = parser.parse_args()

    wire, numbers = Wire(), Numbers()
    differences = 0
    for path in sorted(PAGES.glob("*.md")):
        now = path.read_text(encoding="utf-8")
        then = page_as_printed(now, wire, numbers)
        if options.write:
            path.write_text(then, encoding="utf-8")
        elif options.check:
            name = str(path.relative_to(ROOT))
            for line in difflib.unified_diff(now.splitlines(), then.splitlines(), name, "headers", lineterm=""):
                differences += 1
                print(line)
            for number, line in enumerate(now.splitlines(), start=1):
                if UNWRITTEN in line:
                    differences += 1
                    print(f"{name}:{number}: describe what this field is")
        else:
            for match in re.finditer(r"<!-- printed: ([^\n]+?) -->\n(.*?)\n?<!-- end -->", then, re.DOTALL):
                print(f"{path.name}: {match[1]}\n{match[2]}\n")
    if differences:
        print("docs/wire differs from the headers: run tools/wire_tables.py --write and look at the result")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
