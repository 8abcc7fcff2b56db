"""The outline of a C++ file: its functions and its classes, with what each class declares.

It reads tokens, without types and without expanding macros. That is enough to count the lines and members of code that
compiles. What comes before a brace tells a body from an initialiser.
"""
import bisect
import dataclasses
import re

TOKEN = re.compile(
    r"""(?P<raw>(?:u8|[uUL])?R"(?P<mark>[^()\s]*)\(.*?\)(?P=mark)")"""
    r"""|(?P<comment>//[^\n]*|/\*.*?\*/)"""
    r"""|(?P<directive>^[ \t]*\#(?:\\\n|[^\n])*)"""
    r"""|(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')"""
    r"""|(?P<word>[A-Za-z_]\w*)|(?P<number>\d(?:[\w.]|'\w)*)"""
    r"""|(?P<sign>::|->|<=>|==|!=|<=|>=|&&|\|\||\[\[|\]\]|[^\s\w])""",
    re.MULTILINE | re.DOTALL | re.VERBOSE)
OPENING, CLOSING = "([{", ")]}"
NO_MEMBER = {"using", "typedef", "friend", "static_assert", "enum", "class", "struct", "union"}


@dataclasses.dataclass
class Token:
    text: str
    line: int


@dataclasses.dataclass
class Function:
    name: str
    first_line: int
    last_line: int


@dataclasses.dataclass
class Class:
    name: str
    line: int
    functions: int = 0
    members: int = 0


def tokens_of(source):
    """Without comments and directives; a string is the token `""`."""
    starts = [0] + [match.end() for match in re.finditer("\n", source)]
    found = []
    is_in_attribute = False
    for match in TOKEN.finditer(source):
        if match.lastgroup in ("comment", "directive"):
            continue
        text = '""' if match.lastgroup in ("raw", "mark", "text") else match.group()
        line = bisect.bisect_right(starts, match.start())
        if text == "]]" and not is_in_attribute:  # the ends of one index within another
            found += [Token("]", line), Token("]", line)]
            continue
        is_in_attribute = text == "[[" or (is_in_attribute and text != "]]")
        found.append(Token(text, line))
    return found


def after_angles(words, start):
    """The place behind the `<...>` that begins at start, or start if it is not the list of a template."""
    depth = 0
    for place in range(start, len(words)):
        if words[place] == "<":
            depth += 1
        elif words[place] == ">":
            depth -= 1
            if depth == 0:
                return place + 1
        elif words[place] in (";", "{"):
            break
    return start


def outside_of_brackets(words):
    """The words of a declaration outside all brackets; of each pair of brackets the opening one is kept."""
    left, depth, place = [], 0, 0
    while place < len(words):
        word = words[place]
        if word == "<" and depth == 0 and (not left or left[-1] != "operator"):
            behind = after_angles(words, place)
            if behind != place:
                place = behind
                continue
        if word in ("(", "[", "{", "[["):
            if depth == 0:
                left.append(word)
            depth += 1
        elif word in (")", "]", "}", "]]"):
            depth -= 1
        elif depth == 0:
            left.append(word)
        place += 1
    return left


class Outline:
    def __init__(self, source):
        self.tokens = tokens_of(source)
        self.functions = []
        self.classes = []
        self.pairs = self.pair_up()
        self.read_scope(0, len(self.tokens), None)

    def pair_up(self):
        """The place of the closing bracket of each opening one; the end of the file if there is none."""
        pairs, open_ones = {}, []
        for place, token in enumerate(self.tokens):
            if token.text in OPENING:
                open_ones.append(place)
            elif token.text in CLOSING and open_ones:
                pairs[open_ones.pop()] = place
        for place in open_ones:
            pairs[place] = len(self.tokens) - 1
        return pairs

    def read_scope(self, place, end, owner):
        """The declarations of a namespace (owner is None) or a class."""
        begin = place
        while place < end:
            text = self.tokens[place].text
            if text in ("(", "["):
                place = self.pairs[place] + 1
            elif text == "{":
                kind = self.kind_of_brace(begin, place)
                last = self.pairs[place]
                if kind == "initialiser":
                    place = last + 1
                    continue
                self.read_braces(kind, begin, place, last, owner)
                place = last + 1
                begin = place
            elif text == ";" or (text == ":" and place == begin + 1 and self.is_access(begin)):
                if text == ";":
                    self.declare(begin, place, owner)
                place += 1
                begin = place
            else:
                place += 1

    def is_access(self, place):
        return self.tokens[place].text in ("public", "protected", "private")

    def words(self, begin, end):
        return [token.text for token in self.tokens[begin:end]]

    def kind_of_brace(self, begin, place):
        words = outside_of_brackets(self.words(begin, place))
        before = self.tokens[place - 1].text if place > begin else ""
        if "namespace" in words or (words[:1] == ["extern"] and words[1:] == ['""']):
            return "namespace"
        if any(word == "=" and words[i - 1] != "operator" for i, word in enumerate(words) if i > 0):
            return "initialiser"
        if before == "requires" or (before == ")" and self.opens_requires(begin, place - 1)):
            return "initialiser"
        if "enum" in words:
            return "enum"
        if "(" in words and not self.is_class_with_attribute(words):
            behind = words[len(words) - words[::-1].index("("):]
            in_list = ":" in words[words.index("("):]
            if in_list and re.match(r"[\w>]+$", before) and "->" not in behind:
                return "initialiser"
            return "function"
        if {"class", "struct", "union"} & set(words):
            return "class"
        return "initialiser"

    @staticmethod
    def is_class_with_attribute(words):
        return "alignas" in words and bool({"class", "struct", "union"} & set(words))

    def opens_requires(self, begin, closing):
        for place in range(begin, closing):
            if self.pairs.get(place) == closing:
                return place > begin and self.tokens[place - 1].text == "requires"
        return False

    def read_braces(self, kind, begin, place, last, owner):
        if kind == "namespace":
            self.read_scope(place + 1, last, None)
        elif kind == "class":
            found = Class(self.class_name(begin, place), self.tokens[begin].line)
            self.classes.append(found)
            self.read_scope(place + 1, last, found)
        elif kind == "function":
            name = self.function_name(begin, place)
            self.functions.append(Function(name, self.tokens[begin].line, self.tokens[last].line))
            if owner is not None:
                owner.functions += 1

    def class_name(self, begin, place):
        words = outside_of_brackets(self.words(begin, place))
        names = words[next(i for i, word in enumerate(words) if word in ("class", "struct", "union")) + 1:]
        names = [word for word in names if re.match(r"\w", word) and word != "alignas"]
        return names[0] if names else "(unnamed)"

    def function_name(self, begin, place):
        words = self.words(begin, place)
        if words[0] in ("TEST_CASE", "TEMPLATE_TEST_CASE", "SCENARIO"):
            return words[0]
        left = outside_of_brackets(words)
        if "operator" in left:
            return "operator"
        before = left[:left.index("(")] if "(" in left else left
        return "".join(before[-3:] if before[-2:-1] == ["::"] else before[-1:]) or "(unnamed)"

    def declare(self, begin, end, owner):
        """A declaration that ends with a semicolon, in a class."""
        words = outside_of_brackets(self.words(begin, end))
        words = [word for word in words if word not in ("[[", "inline", "mutable", "explicit", "virtual", "typename")]
        if owner is None or not words:
            return
        if words[0] == "template":
            words = words[1:]
        if not words or words[0] in NO_MEMBER or (words[0] == "static" and "constexpr" in words[:3]):
            return
        value = next((i for i, word in enumerate(words) if word in ("=", "{") and i > 0), len(words))
        if "(" in words[:value] or "operator" in words:
            if words[-2:] in (["=", "default"], ["=", "delete"]):
                return
            owner.functions += 1
        else:
            owner.members += 1 + words.count(",")


def names_in(source, namespace):
    """What is declared directly in a namespace: types, functions, concepts, variables. Operators have no name."""
    tokens = tokens_of(source)
    names, scopes, place = set(), [], 0
    while place < len(tokens):
        text = tokens[place].text
        if text == "}":
            if scopes:
                scopes.pop()
            place += 1
        elif text == "namespace" and tokens[place + 2].text == "{":
            scopes.append(tokens[place + 1].text)
            if scopes == [namespace, scopes[-1]]:
                names.add(scopes[-1])
            place += 3
        else:
            words, place = statement_at(tokens, place)
            if scopes == [namespace]:
                name = declared_name(words)
                if name:
                    names.add(name)
    return names


def statement_at(tokens, place):
    """The words of a declaration, and the place behind its `;` or its body."""
    begin, depth = place, 0
    while place < len(tokens):
        text = tokens[place].text
        depth += (text in OPENING) - (text in CLOSING)
        place += 1
        is_at_end = place == len(tokens) or text == ";"
        if depth == 0 and (is_at_end or text == "}" and tokens[place].text not in (";", ",", ")")):
            break
    return [token.text for token in tokens[begin:place]], place


def declared_name(words):
    if words and words[0] == "template":
        words = words[after_angles(words, 1):]
        if words and words[0] == "requires":
            return None  # of a template that is named elsewhere, too
    while words and words[0] == "[[":
        words = words[words.index("]]") + 1:]
    if not words or words[0] in (";", "static_assert") or "operator" in outside_of_brackets(words):
        return None
    if words[0] in ("class", "struct", "concept"):
        return next(word for word in words[1:] if re.fullmatch(r"[A-Za-z_]\w*", word) and word != "nodiscard")
    if words[0] == "enum":
        return words[2] if words[1] in ("class", "struct") else words[1]
    if words[0] == "using":
        return words[1] if len(words) > 2 and words[2] == "=" else None
    outside = outside_of_brackets(words)
    for sign in ("(", "=", "{", ";"):
        if sign in outside[1:]:
            *_, in_front, name = ["", *outside[:outside.index(sign, 1)]]
            return name if re.fullmatch(r"[A-Za-z_]\w*", name) and in_front != "::" else None
    return None
