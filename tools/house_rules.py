#!/usr/bin/python3
"""Checks the sources against the rules of this house, described in CONTRIBUTING.md.

    tools/house_rules.py [--rule NAME]... [FOLDER]     check all rules, or only these
    tools/house_rules.py --list                        print the rules
    tools/house_rules.py --write-baseline              accept the findings of today

Each finding is a line `file:line: rule: what is wrong; what to do`. Exceptions are listed in tools/house_rules.toml,
each with its reason. tools/house_rules_baseline.txt counts what was wrong when a rule was added, as lines `rule file
count`: a file with more findings than that fails, and all of its findings are listed.
"""
import argparse
import ast
import collections
import fnmatch
import functools
import os
import re
import subprocess
import sys
import tomllib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cpp_outline  # noqa: E402  (beside this file)

BASELINE = "tools/house_rules_baseline.txt"
SETTINGS = "tools/house_rules.toml"
NOT_OURS = ("build", ".git", ".cache", "__pycache__")
CODE_WITHOUT_SUFFIX = ("dev", ".ci/run", "tools/on-debian", "CMakeLists.txt", "debian/rules")
Finding = collections.namedtuple("Finding", "file line rule text")
RULES = {}


def rule(function):
    RULES[function.__name__.replace("_", "-")] = function
    return function


class Tree:
    """The files of the project: tracked and untracked ones that git does not ignore or, without git, all but build/."""

    def __init__(self, folder):
        self.folder = folder
        self.files = sorted(file for file in self.listed() if os.path.isfile(os.path.join(folder, file)))
        self.known = set(self.files)
        self.settings = tomllib.loads(self.text(SETTINGS)) if SETTINGS in self.known else {}

    def git(self, *arguments):
        """The output of git, or None if it fails."""
        try:
            done = subprocess.run(["git", "-c", "safe.directory=*", "-C", self.folder, *arguments], capture_output=True,
                                  encoding="utf-8", timeout=60)
        except OSError:
            return None
        return done.stdout if done.returncode == 0 else None

    def has_git(self):
        return os.path.exists(os.path.join(self.folder, ".git"))

    def listed(self):
        said = self.git("ls-files", "-z", "--cached", "--others", "--exclude-standard") if self.has_git() else None
        if said is not None:
            return {file for file in said.split("\0") if file}
        found = set()
        for folder, folders, files in os.walk(self.folder):
            folders[:] = [name for name in folders if name not in NOT_OURS]
            found |= {os.path.relpath(os.path.join(folder, name), self.folder) for name in files}
        return found

    @functools.lru_cache(maxsize=None)
    def text(self, file):
        with open(os.path.join(self.folder, file), encoding="utf-8", errors="replace") as opened:
            return opened.read()

    def lines(self, file):
        """(number, line), from 1."""
        return enumerate(self.text(file).split("\n"), 1)

    def ending(self, *suffixes):
        return [file for file in self.files if file.endswith(suffixes)]

    def code(self):
        return [file for file in self.files
                if file.endswith((".cpp", ".hpp", ".py", ".pyi", ".cmake", ".cmake.in", ".sh", ".toml"))
                or file in CODE_WITHOUT_SUFFIX or file.endswith("/CMakeLists.txt")]

    def pages(self):
        return self.ending(".md")

    @functools.lru_cache(maxsize=None)
    def outline(self, file):
        return cpp_outline.Outline(self.text(file))

    def setting(self, name, default):
        return self.settings.get(name, default)

    def excepted(self, name):
        """The entries of a list of exceptions, each of which needs a reason."""
        for entry in self.setting(name, []):
            if not entry.get("reason", "").strip():
                raise SystemExit(f"{SETTINGS}: an entry of {name} has no reason: {entry}")
        return self.setting(name, [])


def is_one_of(file, patterns):
    return any(fnmatch.fnmatch(file, pattern) for pattern in patterns)


@rule
def line_length(tree):
    """Lines have at most 120 columns; in pages, only prose is checked."""
    longest = tree.setting("line_columns", 120)
    for file in tree.code():
        for number, line in tree.lines(file):
            if len(line) > longest and "://" not in line:
                yield Finding(file, number, "line-length",
                              f"{len(line)} columns; wrap it at {longest} (tools/wrap_lines.py)")
    for file in tree.pages():
        for number, line in prose(tree, file):
            if len(line) > longest and not line.lstrip().startswith("|") and "](" not in line and "://" not in line:
                yield Finding(file, number, "line-length", f"{len(line)} columns; wrap it at {longest}")


def prose(tree, file):
    """The lines of a page outside its code blocks."""
    is_code = False
    for number, line in tree.lines(file):
        if line.lstrip().startswith(("```", "~~~")):
            is_code = not is_code
        elif not is_code and not line.startswith("    "):
            yield number, line


def python_functions(tree, file):
    try:
        parsed = ast.parse(tree.text(file))
    except SyntaxError:
        return
    for node in ast.walk(parsed):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, node.end_lineno


@rule
def function_length(tree):
    """A function has at most 70 lines, from its signature to its closing brace."""
    longest = tree.setting("function_lines", 70)
    functions = [(file, found.name, found.first_line, found.last_line)
                 for file in tree.ending(".cpp", ".hpp") for found in tree.outline(file).functions]
    functions += [(file, *found) for file in tree.ending(".py") for found in python_functions(tree, file)]
    for file, name, first, last in functions:
        if last - first + 1 > longest:
            yield Finding(file, first, "function-length",
                          f"{name} has {last - first + 1} lines; split it into functions of at most {longest}")


def python_classes(tree, file):
    """Test cases are not counted as functions."""
    try:
        parsed = ast.parse(tree.text(file))
    except SyntaxError:
        return
    for node in ast.walk(parsed):
        if not isinstance(node, ast.ClassDef):
            continue
        functions = [child for child in node.body if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef))]
        overloads = [child for child in functions
                     if any(getattr(by, "id", getattr(by, "attr", "")) == "overload" for by in child.decorator_list)]
        members = {target.attr for inner in ast.walk(node) if isinstance(inner, ast.Attribute)
                   and isinstance(inner.ctx, ast.Store) for target in [inner]
                   if isinstance(target.value, ast.Name) and target.value.id == "self"}
        counted = {child.name for child in functions if child not in overloads and not child.name.startswith("test")}
        yield cpp_outline.Class(node.name, node.lineno, len(counted), len(members))


@rule
def class_size(tree):
    """A class has at most 25 functions and 12 data members, or is listed with a reason."""
    functions_max, members_max = tree.setting("class_functions", 25), tree.setting("class_members", 12)
    listed = {(entry["file"], entry["class"]) for entry in tree.excepted("large_class")}
    large = set()
    for file in tree.ending(".cpp", ".hpp", ".py"):
        for found in tree.outline(file).classes if not file.endswith(".py") else python_classes(tree, file):
            if found.functions <= functions_max and found.members <= members_max:
                continue
            large.add((file, found.name))
            if (file, found.name) not in listed:
                yield Finding(file, found.line, "class-size",
                              f"{found.name} has {found.functions} functions and {found.members} data members, over "
                              f"{functions_max} or {members_max}; split it, or list it with a reason in {SETTINGS}")
    for file, name in sorted(listed - large):
        yield Finding(SETTINGS, line_of(tree, SETTINGS, name), "class-size",
                      f"{name} of {file} is within the limits; remove it from the list")


def line_of(tree, file, text):
    return next((number for number, line in tree.lines(file) if text in line), 1)


class Layers:
    """The table of docs/layers.md: which folder may include which others."""

    PAGE = "docs/layers.md"

    def __init__(self, tree):
        self.may = {}
        rows = [[cell.strip() for cell in line.strip().strip("|").split("|")]
                for _, line in tree.lines(self.PAGE) if line.startswith("|")] if self.PAGE in tree.known else []
        for row in rows:
            if len(row) >= 3 and row[0].startswith("`"):
                for folder in re.findall(r"`([^`]+)`", row[0]):
                    self.may[folder.rstrip("/")] = row[2]

    def layers(self):
        return [folder for folder in self.may if re.fullmatch(r"runtime/\w+", folder)]

    def layer_of(self, path):
        return next((folder for folder in self.layers() if path.startswith(folder + "/")), None)

    @functools.lru_cache(maxsize=None)
    def below(self, layer):
        """What a layer may include, directly or through others. Only the first clause of a row is read."""
        found = {layer}
        for word in re.findall(r"\w+", self.may[layer].split(";")[0]):
            if f"runtime/{word}" in self.may and f"runtime/{word}" not in found:
                found |= self.below(f"runtime/{word}")
        return frozenset(found)


def includes(tree, file):
    for number, line in tree.lines(file):
        match = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
        if match:
            yield number, match.group(1), match.group(2)


@rule
def include_layers(tree):
    """Includes follow docs/layers.md, and a library is included in one place."""
    layers = Layers(tree)
    exceptions = tree.excepted("include")
    if not layers.layers():
        yield Finding(Layers.PAGE, 1, "include-layers",
                      "there is no table of layers; add rows like | `runtime/NAME` | ... | base |")

    def is_excepted(file, path):
        return any(is_one_of(file, [entry["from"]]) and is_one_of(path, [entry["to"]]) for entry in exceptions)

    for file in tree.ending(".cpp", ".hpp"):
        for number, mark, path in includes(tree, file):
            wrong = wrong_include(tree, layers, file, mark, path)
            if wrong and not is_excepted(file, path):
                yield Finding(file, number, "include-layers", f"{path}: {wrong}")
        for number, name in names_of_the_inside(tree, file):
            if not is_excepted(file, f"baton/detail/{name}/") and not is_excepted(file, "runtime/"):
                yield Finding(file, number, "include-layers",
                              f"detail::{name}: baton::detail is internal; use what the public headers offer")


def names_of_the_inside(tree, file):
    """(line, name) of what a file of a user takes from baton::detail, which an include may have brought along."""
    own = re.match(r"actors/\w+/", file)
    has_public_headers = own is not None and any(other.startswith(own.group() + "include/") for other in tree.files)
    if file.startswith("runtime/") or has_public_headers:
        return
    for number, line in tree.lines(file):
        code = line.split("//")[0]
        for match in re.finditer(r"(?<![\w:])(?:baton::)?detail::(\w+)|using namespace (?:baton::)?detail\b", code):
            yield number, match.group(1) or "*"


def wrong_include(tree, layers, file, mark, path):
    """What is wrong with an include, or None."""
    for library, doors in tree.setting("doors", {}).items():
        if mark == "<" and path.startswith(library) and file not in doors:
            return f"only {' and '.join(doors)} may include this library; use what they offer"
    is_public = re.match(r"(runtime|actors/\w+)/include/baton/", file) is not None
    if path.startswith("baton/"):
        own = re.match(r"actors/(\w+)/", file)
        is_own = own is not None and path.startswith(f"baton/detail/{own.group(1)}/")  # the inside of its own headers
        if path.startswith("baton/detail/") and not is_public and not is_own and not file.startswith("runtime/"):
            return "baton/detail is for public headers and runtime/; include a public header instead"
        return None if mark == "<" else "a public header is included with angle brackets: <" + path + ">"
    if is_public and mark == '"':
        return "a public header may include only <baton/...>; move what it needs into baton/detail"
    if path.startswith("runtime/"):
        layer, own = layers.layer_of(path), layers.layer_of(file)
        if own is None and not file.startswith("runtime/"):
            return "only runtime/ may include this; use the public headers <baton/...>"
        if own is not None and layer is not None and layer not in layers.below(own):
            return f"{own} may not include {layer} ({Layers.PAGE}); move what both need to a lower layer"
    match = re.match(r"actors/(\w+)/", path)
    if match and not file.startswith(f"actors/{match.group(1)}/"):
        if file.startswith("runtime/"):
            return "runtime/ does not depend on actors; move what it needs into runtime/"
        if path != f"actors/{match.group(1)}/{match.group(1)}.hpp":
            return f"of another actor, include only its protocol: actors/{match.group(1)}/{match.group(1)}.hpp"
    return None


def public_headers_of(tree, header, found):
    """Adds to `found` the header and all public headers that it includes, directly or through others."""
    if header in found or header not in tree.known:
        return
    found.append(header)
    for _, _, path in includes(tree, header):
        if path.startswith("baton/"):
            public_headers_of(tree, header[:header.index("/include/") + len("/include/")] + path, found)


@rule
def public_face(tree):
    """The first header that a user includes brings in few headers and few names."""
    bound = tree.setting("public_face", {})
    header = bound.get("header", "")
    if header not in tree.known:
        return
    headers = []
    public_headers_of(tree, header, headers)
    names = sorted({name for file in headers for name in cpp_outline.names_in(tree.text(file), "baton")})
    for what, found, most in (("headers", headers, bound["headers_max"]),
                              ("names in baton", names, bound["names_max"])):
        if len(found) > most:
            yield Finding(header, 1, "public-face", f"it brings in {len(found)} {what}, over {most}; move into "
                                                    f"baton::detail what users do not need: {', '.join(found)}")


@functools.lru_cache(maxsize=None)
def words_of_sources(tree):
    """Every word in the sources and in the names of files, but not in pages."""
    words = set()
    for file in tree.files:
        words |= set(re.split(r"[/.]", file))
        if not file.endswith(".md") and not file.startswith(("tests/fuzz/corpus", "tools/house_rules")):
            words |= set(re.findall(r"[A-Za-z_]\w*", tree.text(file)))
    return words


# In the head of a table: the column has names that the sources need not have.
OTHERS = re.compile(r"(?i)\b(former|was|elsewhere|others|multiprocessing)\b")


def code_spans(tree, file):
    """(line, text) of each code span, except in table columns about former names or other projects' names."""
    skipped = []
    for number, line in prose(tree, file):
        if not line.lstrip().startswith("|"):
            skipped = []
            cells = [line]
        else:
            cells = line.strip().strip("|").split("|")
            if not skipped:
                skipped = [OTHERS.search(cell) is not None for cell in cells]
            cells = [cell for place, cell in enumerate(cells) if place >= len(skipped) or not skipped[place]]
        for cell in cells:
            for span in re.findall(r"(?<!`)`([^`]+)`(?!`)", cell):
                yield number, span


def missing_word(tree, span):
    """The part of a code span that looks like an identifier and does not occur in the sources, or None."""
    match = re.fullmatch(r"(?:baton::)?([A-Za-z_]\w*(?:(?:::|\.)[A-Za-z_]\w*)*)(?:<[\w:, ]*>)?(?:\(.*\))?", span)
    known, made = set(tree.setting("words_of_others", [])), tree.setting("words_made", [])
    if match is None or span in known:
        return None
    for word in re.split(r"::|\.", match.group(1)):
        is_short = len(word) < 3 or word.isupper() or re.search(r"(?<![A-Za-z])[A-Z]{3,}(?![a-z])", word)
        is_hex = re.fullmatch(r"[0-9a-f]{8,}", word)
        if not is_short and not is_hex and word not in words_of_sources(tree) and word not in known \
                and not is_one_of(word, made):
            return word
    return None


def is_file_there(tree, page, path):
    """True for a path from the top or from the page, the end of a path, and one with a placeholder like NAME."""
    if re.search(r"(?<![A-Za-z])[A-Z]{3,}(?![a-z])", os.path.splitext(path)[0]) or path.startswith("build/"):
        return True
    beside = os.path.normpath(os.path.join(os.path.dirname(page), path))
    return bool({path, beside} & tree.known) or any(file.endswith("/" + path) for file in tree.files)


@rule
def page_identifiers(tree):
    """Identifiers and files that a page names in backticks exist."""
    for page in tree.pages():
        for number, span in code_spans(tree, page):
            if re.fullmatch(r"[\w.-]+(/[\w.-]+)+\.(cpp|hpp|py|md|cmake|pml|toml)", span):
                if not is_file_there(tree, page, span):
                    yield Finding(page, number, "page-identifiers", f"there is no file {span}; write its present name")
            elif missing_word(tree, span):
                yield Finding(page, number, "page-identifiers",
                              f"`{span}`: {missing_word(tree, span)} does not occur in "
                              f"the sources; write its present name, or add it to words_of_others in {SETTINGS}")


@rule
def test_labels(tree):
    """Every label of tests is described in docs/testing.md."""
    page = "docs/testing.md"
    documented = set(re.findall(r"^\| `(\w+)` \|", tree.text(page), re.MULTILINE)) if page in tree.known else set()
    for file in tree.files:
        if not re.match(r"(tests|tools|model)/(.*/)?CMakeLists.txt$", file):
            continue
        for number, line in tree.lines(file):
            for label in re.findall(r"\b(?:LABELS?\s+|baton_python_test\()([a-z]\w*)", line.split("#")[0]):
                if label not in documented and label != "label":
                    yield Finding(file, number, "test-labels",
                                  f"the label {label} is not in the table of {page}; add it")


@rule
def commit_subjects(tree):
    """The subject of a commit has at most 72 columns, is not `wip`, and does not name branches."""
    base = tree.setting("commits_after", None)
    if base is None or not tree.has_git():
        return
    # A copy of the project may have a part of its history only: what is not there is not checked.
    said = tree.git("log", "--format=%h%x09%s", f"{base}..HEAD")
    for line in (said or "").splitlines():
        commit, subject = line.split("\t", 1)
        wrong = None
        if len(subject) > 72:
            wrong = f"it has {len(subject)} columns; shorten it to 72"
        elif re.search(r"(?i)\bwip\b|^(fixup|squash)!", subject):
            wrong = "it is unfinished; squash it into the finished commit"
        elif re.match(r"Merge (remote-tracking )?branch", subject):
            wrong = "it names branches; say what the merge brings"
        if wrong:
            yield Finding(f"commit {commit}", 0, "commit-subjects", f"'{subject}': {wrong}")


# In parts, so that this file does not contain them.
LEFT_OVER = re.compile(r"\b(FIX" r"ME|X" r"XX|HA" r"CK)\b")
SLEEP = re.compile(r"\b(sleep_for|sleep_until|usleep|nanosleep|time\.sleep)\b|(?<![\w.\"'])sleep\("
                   r"|\basyncio\.sleep\b(?!\(0\))")  # sleep(0) lets other tasks take their turn
NO_TEST = re.compile(r"\b(REQUIRE|CHECK|STATIC_REQUIRE)\(\s*true\s*\)|\b(REQUIRE|CHECK)_FALSE\(\s*false\s*\)"
                     r"|assertTrue\(True\)")


@rule
def left_over(tree):
    """Unfinished work is marked TODO(class) and nothing else."""
    for file in tree.code() + tree.pages():
        for number, line in tree.lines(file):
            match = LEFT_OVER.search(line)
            if match:
                yield Finding(file, number, "left-over",
                              f"{match.group()}: fix it now, or write TODO(someday), TODO(perf) or TODO(cleanup)")


@rule
def test_sleeps(tree):
    """Tests wait for events, not for time to pass."""
    allowed = [entry["file"] for entry in tree.excepted("sleep")]
    for file in tree.code():
        if not file.startswith("tests/") or is_one_of(file, allowed):
            continue
        for number, line in tree.lines(file):
            if SLEEP.search(re.sub(r"(//|#).*", "", line)):
                yield Finding(file, number, "test-sleeps",
                              "tests do not sleep; wait for an event, a state or simulated time (docs/testing.md)")


@rule
def test_says_nothing(tree):
    """Assertions can fail."""
    for file in tree.code():
        if not file.startswith("tests/"):
            continue
        for number, line in tree.lines(file):
            if NO_TEST.search(line):
                yield Finding(file, number, "test-says-nothing", "this cannot fail; assert what the test is about")


def read_baseline(tree):
    known = {}
    for line in tree.text(BASELINE).splitlines() if BASELINE in tree.known else []:
        if line.strip() and not line.startswith("#"):
            name, file, count = line.split()
            known[name, file] = int(count)
    return known


def write_baseline(tree, findings):
    counts = collections.Counter((found.rule, found.file) for found in findings if not found.file.startswith("commit "))
    path = os.path.join(tree.folder, BASELINE)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write("# Findings of tools/house_rules.py that were there when their rule was added: rule, file, count.\n")
        file.writelines(f"{name} {found} {count}\n" for (name, found), count in sorted(counts.items()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    parser.add_argument("--rule", action="append", choices=sorted(RULES), help="only this rule; may be repeated")
    parser.add_argument("--all", action="store_true", help="also list what is in the baseline")
    parser.add_argument("--list", action="store_true", help="list the rules")
    parser.add_argument("--write-baseline", action="store_true", help="accept the findings of today")
    options = parser.parse_args()
    if options.list:
        for name, function in RULES.items():
            print(f"{name:20} {function.__doc__}")
        return 0
    tree = Tree(os.path.abspath(options.folder))
    names = options.rule or list(RULES)
    findings = [finding for name in names for finding in RULES[name](tree)]
    if options.write_baseline:
        write_baseline(tree, findings)
        return 0
    known = {} if options.all else read_baseline(tree)
    counts = collections.Counter((finding.rule, finding.file) for finding in findings)
    new = [finding for finding in findings
           if counts[finding.rule, finding.file] > known.get((finding.rule, finding.file), 0)]
    for finding in new:
        print(f"{finding.file}:{finding.line}: {finding.rule}: {finding.text}")
    fewer = sum(1 for (name, file), count in known.items() if name in names and counts[name, file] < count)
    if fewer:
        print(f"{BASELINE} is too high in {fewer} lines; run tools/house_rules.py --write-baseline")
    print(f"{len(new)} findings, {len(findings) - len(new)} in the baseline, by {len(names)} rules in "
          f"{len(tree.files)} files")
    return 1 if new else 0


if __name__ == "__main__":
    sys.exit(main())
