"""Error texts for wrong arguments: the name and type of the argument, in the caller's own words.

The extension's functions check the types of their arguments and raise a TypeError that lists all of their signatures
with the types of C++. Here it becomes one sentence, about the argument of the public function that the caller knows.
"""
from __future__ import annotations

import functools
import os
import re
import sys
from collections.abc import Callable
from typing import Any

_PACKAGE = os.path.dirname(os.path.abspath(__file__))
_SIGNATURE = re.compile(r"^    1\. (?:[\w.]+)?\((.*)\)(?: -> .*)?$", re.MULTILINE)
_WORDS = {"str": "text (str)", "int": "a whole number (int)", "float": "a number", "bool": "True or False",
          "dict": "a dict",
          "bytes": "bytes", "list": "a list", "tuple": "a tuple"}


def _split(text: str) -> list[str]:
    """Splits the text at the commas outside of brackets."""
    parts, depth, start = [], 0, 0
    for index, letter in enumerate(text):
        depth += (letter in "[(") - (letter in "])")
        if letter == "," and depth == 0:
            parts.append(text[start:index].strip())
            start = index + 1
    return [one for one in [*parts, text[start:].strip()] if one]


def _inner(kind: str) -> list[str]:
    return _split(kind[kind.index("[") + 1:-1])


def _parameters(signature: str) -> list[tuple[str, str]]:
    named = (one.split(" = ")[0].partition(":") for one in _split(signature) if ":" in one)
    return [(name.strip(),
             kind.strip().replace("typing.", "").replace("collections.abc.", "")) for name, _, kind in named]


def _words_for(kind: str) -> str:
    if kind.startswith(("Optional[", "Union[")):
        return " or ".join(_words_for(one) for one in _inner(kind)) + (" or None" if kind.startswith("O") else "")
    if kind.startswith(("List[", "list[", "Sequence[")):
        return "a list of " + _words_for(_inner(kind)[0])
    last = kind.rpartition(".")[2]
    return _WORDS.get(last, "a " + last if last != kind else kind)


def _misfit(kind: str, value: Any, name: str) -> tuple[str, str, Any] | None:
    """The name, kind and value of the part that does not fit, which may lie deep in the value."""
    if kind.startswith("Optional["):
        return None if value is None else _misfit(_inner(kind)[0], value, name)
    if kind.startswith(("List[", "list[", "Sequence[")):
        if isinstance(value, (str, bytes)) or not hasattr(value, "__len__"):
            return name, kind, value
        found = (_misfit(_inner(kind)[0], one, f"{name}[{index}]") for index, one in enumerate(value))
        return next((one for one in found if one), None)
    if kind.startswith(("Tuple[", "tuple[")):
        if not isinstance(value, (tuple, list)) or len(value) != len(_inner(kind)):
            return name, kind, value
        found = (_misfit(one_kind, one, f"{name}[{index}]") for index, (one_kind,
                                                                        one) in enumerate(zip(_inner(kind), value)))
        return next((one for one in found if one), None)
    fits: Callable[[], bool] | None = {
            "str": lambda: isinstance(value, (str, bytes)), "bool": lambda: isinstance(value, bool),
            "int": lambda: hasattr(value, "__index__"), "float": lambda: hasattr(value, "__float__"),
            "dict": lambda: isinstance(value, dict)}.get(kind)
    if fits is not None:
        return None if fits() else (name, kind, value)
    last = kind.rpartition(".")[2]
    if last != kind and last not in ("object",):
        return None if any(one.__name__ == last for one in type(value).__mro__) else (name, kind, value)
    return None


def _shortened(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _sentence(function: str, text: str, values: tuple[Any, ...], keywords: dict[str, Any], caller: Any) -> str:
    found = _SIGNATURE.search(text)
    parameters = _parameters(found.group(1)) if found else []
    required = [name for name, kind in parameters if f"{name}: {kind} =" not in text.replace("typing.", "")]
    if found and "constructor" in text:  # its signature leaves out what is made
        values = values[1:]
    given = [(name, kind, keywords.get(name, values[index] if index < len(values) else None))
             for index, (name, kind) in enumerate(parameters) if index < len(values) or name in keywords]
    # The public function of this package that was called, and what it calls this argument.
    is_ours = os.path.dirname(os.path.abspath(caller.f_code.co_filename)) == _PACKAGE
    names: dict[int, str] = {}
    if is_ours:
        code = caller.f_code
        owner = caller.f_locals.get("self")
        function = type(owner).__name__ if code.co_name == "__init__" else code.co_name.lstrip("_")
        for name in code.co_varnames[:code.co_argcount + code.co_kwonlyargcount]:
            value = caller.f_locals.get(name)
            names.setdefault(id(value), name)
            if isinstance(value, (list, tuple)):
                names.update((id(one), f"{name}[{index}]") for index, one in enumerate(value))
        names.pop(id(owner), None)
    for name, kind, value in given:
        misfit = None if name == "self" else _misfit(kind, value, names.get(id(value), name))
        if misfit:
            where, wanted, what = misfit
            where = names.get(id(what), where)
            return f"{function}(): {where} must be {_words_for(wanted)}, not {type(what).__name__} ({_shortened(what)})"
    missing = [name for name in required if name not in (one[0] for one in given)]
    if missing:
        return f"{function}(): the argument {missing[0]} is missing"
    for name, kind, value in given:
        if kind.startswith(("int", "Optional[int", "List[int", "list[int")) and name != "self":
            where = names.get(id(value), name)
            return f"{function}(): {where} is out of range: {_shortened(value)}"
    wanted = ", ".join(f"{name}: {_words_for(kind)}" for name, kind in parameters if name != "self") or "none"
    got = ", ".join([*(type(one).__name__ for (name, _), one in zip(parameters, values) if name != "self"),
                     *(f"{name}={type(one).__name__}" for name, one in keywords.items())])
    return f"{function}(): takes the arguments ({wanted}), not ({got})"


def _naming(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*values: Any, **keywords: Any) -> Any:
        try:
            return function(*values, **keywords)
        except TypeError as error:
            text = str(error)
            if "incompatible function arguments" not in text and "incompatible constructor arguments" not in text:
                raise
            sentence = _sentence(name, text, values, keywords, sys._getframe(1))
        raise TypeError(sentence)

    return call


def name_arguments(*classes: type) -> None:
    """Makes the methods of these classes of the extension report wrong arguments in the words of this module."""
    for one in classes:
        for name, method in list(vars(one).items()):
            if isinstance(method, staticmethod):
                setattr(one, name, staticmethod(_naming(method.__func__, f"{one.__name__}.{name}")))
            elif callable(method) and (not name.startswith("__") or name == "__init__"):
                setattr(one, name, _naming(method, one.__name__ if name == "__init__" else f"{one.__name__}.{name}"))
