"""A small linter of this workspace. It prints FILE:LINE:COLUMN: SEVERITY RULE MESSAGE,
which [lint.lines] in wr.toml reads; with --fix it mends what it can."""

import ast
import sys


def look(name):
    with open(name, encoding="utf-8") as file:
        text = file.read()
    for number, line in enumerate(text.split("\n"), 1):
        if line != line.rstrip():
            yield number, len(line.rstrip()) + 1, "warning", "trailing-space", "the line ends with spaces"
    try:
        tree = ast.parse(text, name)
    except SyntaxError as error:
        yield error.lineno or 1, error.offset or 1, "error", "syntax", error.msg
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            yield node.lineno, node.col_offset + 1, "error", "bare-except", "say which exceptions are meant"


def mend(name):
    with open(name, encoding="utf-8") as file:
        text = file.read()
    mended = "\n".join(line.rstrip() for line in text.split("\n"))
    if mended != text:
        with open(name, "w", encoding="utf-8") as file:
            file.write(mended)


def main(args):
    if args[:1] == ["--fix"]:
        for name in args[1:]:
            mend(name)
        return 0
    found = [(name, *what) for name in args for what in look(name)]
    for name, line, column, severity, rule, message in found:
        print(f"{name}:{line}:{column}: {severity} {rule} {message}")
    return 1 if found else 0


sys.exit(main(sys.argv[1:]))
