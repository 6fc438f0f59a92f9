"""The reference of the package: what autodoc says of each exported name, with the comments beside its arguments.

The notebooks document an argument by the comment on its line (`fs:float, # Hz`). fastcore reads those, autodoc does not; `arguments`
brings them together.
"""
import inspect, re
from fastcore.docments import docments


def plain(comment):
    "A comment in which reStructuredText finds no markup of its own, but for what stands in backticks."
    parts = comment.split("`")
    return "`".join(re.sub(r"([|*_])", r"\\\1", part) if i % 2 == 0 else part for i, part in enumerate(parts))


def arguments(app, what, name, obj, options, lines):
    "Add the arguments of a function and what it returns to its text."
    if what not in ("function", "class"): return
    try: found = docments(obj.__init__ if inspect.isclass(obj) else obj, full=False)
    except (TypeError, ValueError, OSError, SyntaxError): return
    told = {k: plain(" ".join(v.split())) if isinstance(v, str) else None for k, v in found.items() if k != "self"}
    if not any(told.values()): return
    lines.append("")
    for key, said in told.items():
        if key != "return": lines.append(f":param {key}: {said or ''}")
        elif said: lines.append(f":returns: {said}")
    lines.append("")


def code_in_text(app, what, name, obj, options, lines):
    "Names in single backticks are code."
    lines[:] = [re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", line) for line in lines]


def setup(app):
    app.connect("autodoc-process-docstring", arguments)
    app.connect("autodoc-process-docstring", code_in_text)
    return dict(version="1", parallel_read_safe=True, parallel_write_safe=True)
