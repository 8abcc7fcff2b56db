"""What to say when this Python can't load what Baton needs: which Python can, and what to run."""
import glob
import os
import sys

from . import _built_for

_HERE = os.path.dirname(os.path.abspath(__file__))


def _this_python() -> str:
    return f"{sys.executable or 'python3'} (Python {sys.version_info.major}.{sys.version_info.minor})"


def _built_python() -> str:
    return f"{_built_for.PROGRAM} (Python {_built_for.VERSION})"


def _is_built_for_this() -> bool:
    return _built_for.VERSION == f"{sys.version_info.major}.{sys.version_info.minor}"


def extension_missing(reason: ImportError) -> str:
    """The text of the error when the compiled part of the package can't be loaded."""
    if not _is_built_for_this():
        return (f"import baton: the module in {_HERE} was built for {_built_python()}, and this is {_this_python()}, "
                f"which can't load it ({reason}). Run the script with {_built_for.PROGRAM}, or build Baton for this "
                f"Python: cmake --preset release -D Python3_EXECUTABLE={sys.executable or 'python3'} && "
                "cmake --build --preset release")
    if not glob.glob(os.path.join(glob.escape(_HERE), "_baton.*.so")):
        return (f"import baton: {_HERE} has no compiled part (_baton.*.so) beside it, so this is a copy of the sources "
                "or of a part of the package. Build it with `./dev build` and take the folder that `./dev env` prints, "
                f"or install it with `./dev install`; it will be for {_built_python()}")
    return (f"import baton: the compiled part in {_HERE} can't be loaded by {_this_python()}, though it was built for "
            f"{_built_python()}: {reason}. If a library is missing, install the packages that packages.apt lists "
            f"(`./dev setup`); if the system was upgraded, build it again (`./dev build`)")


def numpy_missing(what: str, reason: str) -> str:
    """The text of the error when something needs NumPy and this Python has none."""
    if _is_built_for_this() and sys.executable == _built_for.PROGRAM:
        return f"{what} needs NumPy, which {_this_python()} can't import ({reason}): apt-get install python3-numpy"
    return (f"{what} needs NumPy, which {_this_python()} can't import ({reason}). Baton was built for "
            f"{_built_python()}: run the script with that one after `apt-get install python3-numpy`, or install NumPy "
            "for this one")
