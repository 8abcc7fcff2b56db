#!/usr/bin/python3
"""Wraps the lines over 120 columns of sources: statements of C++ by clang-format, calls of Python at a comma, of CMake
at a space, and paragraphs of comments and docstrings. What it cannot wrap, long strings above all, is left as it is.

    tools/wrap_lines.py FILE...
"""
import io
import re
import shutil
import subprocess
import sys
import textwrap
import tokenize

COLUMNS = 120
COMMENT = re.compile(r"(?P<prefix>\s*(?://|#)(?P<indent>\s+))(?P<text>\S.*)$")
# A line that begins something of its own: an item of a list, a row of a table, a command.
OWN = re.compile(r"[-*|$]\s|\d+[.)]?\s|[A-Z]\d+\s|```|\w+\s{2,}|Thread rule")
# A command, which a reader copies.
COMMANDS = re.compile(r"[A-Z_]+=|[\w.]*/\S+ |ctest |cmake ")
# A line of a paragraph that is shorter than this ends it.
FULL = 100
STRING = re.compile(r'"(?:\\.|[^"\\])*"')


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read().split("\n")


def write(path, lines):
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))


def is_long(line):
    return len(line) > COLUMNS and "://" not in line


def lift_comments(path):
    """Puts a comment behind a statement of C++ before it, where both are too long for one line."""
    lines = read(path)
    for place in range(len(lines) - 1, -1, -1):
        match = re.match(r"(\s*)(\S.*?)\s+(// .*)$", STRING.sub(lambda text: "x" * len(text.group()), lines[place]))
        goes_on = place + 1 < len(lines) and re.match(r"\s{20,}//", lines[place + 1])
        if is_long(lines[place]) and match and not match[2].startswith("//") and not goes_on:
            indent, code, comment = (lines[place][slice(*match.span(group))] for group in (1, 2, 3))
            if not code.startswith(("}", "{", ":", ",", "?")):
                lines[place:place + 1] = [indent + comment, indent + code]
    write(path, lines)


def break_lists(path):
    """Breaks a long line of many strings behind the last comma that fits; clang-format would put one on each line."""
    lines, place = read(path), 0
    while place < len(lines):
        line = lines[place]
        plain = STRING.sub(lambda text: '"' + "x" * (len(text.group()) - 2) + '"', line)
        commas = [match.end() for match in re.finditer(r'",(?= )', plain[:COLUMNS + 1])]
        if is_long(line) and len(commas) > 2 and "//" not in plain:
            opened = plain.rfind("{", 0, commas[-1])
            indent = opened + 1 if opened > plain.rfind("}", 0, commas[-1]) else len(line) - len(line.lstrip())
            lines[place:place + 1] = [line[:commas[-1]], " " * indent + line[commas[-1]:].lstrip()]
        place += 1
    write(path, lines)


def format_statements(path):
    for _ in range(3):  # formatting one line can make another one too long
        long = [number for number, line in enumerate(read(path), 1) if is_long(line)]
        if long:
            subprocess.run(["clang-format", "-i", *(f"--lines={number}:{number}" for number in long), path], check=True)


def refill(lines, first, last, prefix_first, prefix):
    """Replaces the lines from first to before last, without their prefixes, by as many as it takes."""
    words = " ".join([lines[first][len(prefix_first):]] + [line[len(prefix):] for line in lines[first + 1:last]])
    lines[first:last] = textwrap.wrap(words, COLUMNS, initial_indent=prefix_first, subsequent_indent=prefix,
                                      break_long_words=False, break_on_hyphens=False)


def wrap_comments(path):
    lines = read(path)
    for place in range(len(lines) - 1, -1, -1):
        match = COMMENT.match(lines[place])
        if not is_long(lines[place]) or not match:
            continue
        prefix = match["prefix"]
        last = place + 1
        while last < len(lines):
            after = COMMENT.match(lines[last])
            if not after or after["prefix"] != prefix or OWN.match(after["text"]) or len(lines[last - 1]) < FULL:
                break
            last += 1
        refill(lines, place, last, prefix, prefix)
    write(path, lines)


def docstrings(lines):
    """(first, last) of each string that is a statement, as places of lines."""
    before = tokenize.NEWLINE
    for token in tokenize.generate_tokens(io.StringIO("\n".join(lines)).readline):
        if token.type == tokenize.STRING and before in (tokenize.NEWLINE, tokenize.INDENT):
            yield token.start[0] - 1, token.end[0] - 1
        if token.type not in (tokenize.NL, tokenize.COMMENT, tokenize.ENCODING, tokenize.DEDENT):
            before = token.type


def wrap_docstrings(path):
    lines = read(path)
    for first, end in reversed(list(docstrings(lines))):
        for place in range(end, first - 1, -1):
            if not is_long(lines[place]) or COMMANDS.match(lines[place].lstrip()):
                continue
            prefix = re.match(r"\s*", lines[place]).group()
            last = place + 1
            while last <= end:
                after = re.match(r"(\s*)(\S.*)", lines[last])
                if not after or after[1] != prefix or OWN.match(after[2]) or after[2].startswith('"""') \
                        or len(lines[last - 1]) < FULL:
                    break
                last += 1
            refill(lines, place, last, prefix, prefix)
    write(path, lines)


def own_text(text):
    """What is in a bracket itself, not in brackets within it, from behind its opening on."""
    left, depth = "", 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        if depth < 0:
            break
        left += character if depth == 0 else ""
    return left


def break_calls(path):
    """Breaks each long line behind the last comma that fits in the outermost brackets, and aligns what follows."""
    for _ in range(200):
        lines = read(path)
        tokens = list(tokenize.generate_tokens(io.StringIO("\n".join(lines)).readline))
        opened, breaks = [], {}
        for token in tokens:
            row, column = token.end
            if token.type != tokenize.OP:
                continue
            if token.string in "([{":
                opened.append(token.end)
            elif token.string in ")]}" and opened:
                opened.pop()
            elif token.string == "," and opened and column <= COLUMNS and is_long(lines[row - 1]):
                rest = lines[row - 1][column:].lstrip()
                is_comprehension = opened[-1][0] == row and " for " in own_text(lines[row - 1][opened[-1][1]:])
                if rest and not rest.startswith("#") and not is_comprehension:
                    indent = opened[-1][1] if lines[opened[-1][0] - 1][opened[-1][1]:].strip() else \
                        len(lines[row - 1]) - len(lines[row - 1].lstrip())
                    breaks.setdefault(row, []).append((len(opened), -column, indent, rest))
        usable = [(row, min(found)) for row, found in breaks.items()]
        usable = [(row, one) for row, one in usable if one[2] + len(one[3]) < len(lines[row - 1])]
        if not usable:
            return
        row, (_, column, indent, rest) = usable[0]
        lines[row - 1:row] = [lines[row - 1][:-column], " " * indent + rest]
        write(path, lines)


def break_commands(path):
    """Breaks each long line of CMake at the last space that fits, neither in a string nor behind a keyword."""
    lines, place = read(path), 0
    while place < len(lines):
        line = lines[place]
        match = re.match(r'(\s*)([^#"]*(?:"[^"]*"[^#"]*)*?)\s+(#.*)$', line)
        if is_long(line) and match and match[2]:
            lines[place:place + 1] = [match[1] + match[3], match[1] + match[2].rstrip()]
            continue
        indent = " " * (len(line) - len(line.lstrip()) + 2)
        spaces = [match.start() for match in re.finditer(" ", line[:COLUMNS + 1])
                  if match.start() >= len(indent) and line[:match.start()].count('"') % 2 == 0
                  and not re.search(r"(^|\s)([A-Z_]+|-D)$", line[:match.start()])]
        if is_long(line) and spaces and not line.lstrip().startswith("#"):
            lines[place:place + 1] = [line[:spaces[-1]], indent + line[spaces[-1] + 1:]]
        place += 1
    write(path, lines)


def main():
    if any(path.endswith((".cpp", ".hpp")) for path in sys.argv[1:]) and shutil.which("clang-format") is None:
        return "tools/wrap_lines.py: clang-format is not here: apt-get install clang-format"
    for path in sys.argv[1:]:
        if path.endswith((".cpp", ".hpp")):
            lift_comments(path)
            break_lists(path)
            format_statements(path)
        wrap_comments(path)
        if path.endswith(("CMakeLists.txt", ".cmake")):
            break_commands(path)
        if path.endswith((".py", ".pyi")):
            wrap_docstrings(path)
            break_calls(path)
    return 0


if __name__ == "__main__":
    sys.exit(main() if len(sys.argv) > 1 else __doc__)
