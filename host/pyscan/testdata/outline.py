"""Prints the outline of Python files as Outline of export_test.go does.

Reads names of files from standard input; writes a JSON line for each:
the list of lines, or null where Python refuses the file.
"""

import ast
import json
import sys
import unicodedata
import warnings

FORMS = {ast.List: 7, ast.Tuple: 8, ast.Set: 9, ast.Dict: 10}


def quote(text):
    """Like Go's strconv.QuoteToASCII."""
    out = []
    for c in text:
        n = ord(c)
        short = {7: "\\a", 8: "\\b", 12: "\\f", 10: "\\n", 13: "\\r", 9: "\\t", 11: "\\v", 92: "\\\\", 34: '\\"'}.get(n)
        if short:
            out.append(short)
        elif 32 <= n < 127:
            out.append(c)
        elif n < 32 or n == 127:
            out.append(f"\\x{n:02x}")
        elif n < 0x10000:
            out.append(f"\\u{n:04x}")
        else:
            out.append(f"\\U{n:08x}")
    return '"' + "".join(out) + '"'


def constant(value):
    if value is Ellipsis:
        return "Ellipsis"
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        return "?" if any(0xD800 <= ord(c) < 0xE000 for c in value) else quote(value)
    if isinstance(value, bytes):
        return "b" + value.hex()
    if isinstance(value, complex):
        return "?"
    return str(value)


def arguments(items, keywords):
    return "(" + " ".join([show(i) for i in items] + [f"{k.arg or ''}={show(k.value)}" for k in keywords]) + ")"


def show(e):
    match e:
        case ast.Name():
            return e.id
        case ast.Attribute():
            return show(e.value) + "." + e.attr
        case ast.Constant():
            return constant(e.value)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=ast.Constant(value=int() | float() as n)) if not isinstance(n, bool):
            return constant(-n if isinstance(e.op, ast.USub) else n)
        case ast.Call():
            return show(e.func) + arguments(e.args, e.keywords)
        case ast.List() | ast.Tuple() | ast.Set():
            return f"{FORMS[type(e)]}{arguments(e.elts, [])}"
        case ast.Dict():
            items = []
            for k, v in zip(e.keys, e.values):
                items += ["*(" + show(v) + ")"] if k is None else [show(k), show(v)]
            return f"10({' '.join(items)})"
        case ast.Starred():
            return "*(" + show(e.value) + ")"
        case _:
            return "?"


def params(a):
    out = []
    plain = a.posonlyargs + a.args
    required = len(plain) - len(a.defaults)
    for i, arg in enumerate(plain):
        kind = "p" if i < len(a.posonlyargs) else " "
        out.append(f"{kind}{arg.arg}{str(i >= required).lower()}")
    if a.vararg:
        out.append(f"*{a.vararg.arg}false")
    for arg, default in zip(a.kwonlyargs, a.kw_defaults):
        out.append(f"k{arg.arg}{str(default is not None).lower()}")
    if a.kwarg:
        out.append(f"*{a.kwarg.arg}false")
    return ",".join(out)


def body(node, within, out):
    for n in ast.iter_child_nodes(node):
        match n:
            case ast.Import():
                names = ",".join(f"{a.name}={a.asname or ''}" for a in n.names)
                out.append(f"{n.lineno} import  {names}")
            case ast.ImportFrom():
                names = ",".join(f"{a.name}={a.asname or ''}" for a in n.names)
                out.append(f"{n.lineno} import {'.' * n.level}{n.module or ''} {names}")
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                for d in n.decorator_list:
                    out.append(f"{d.lineno} @ {show(d)}")
                if isinstance(n, ast.ClassDef):
                    out.append(f"{n.lineno} class {within}{n.name} {arguments(n.bases, n.keywords)}")
                else:
                    is_async = str(isinstance(n, ast.AsyncFunctionDef)).lower()
                    out.append(f"{n.lineno} def {within}{n.name} {is_async} {params(n.args)}")
                for s in n.body:
                    body(ast.Module([s], []), within + n.name + ".", out)
            case _:
                body(n, within, out)


def outline(name):
    with open(name, "rb") as f:
        source = f.read()
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    out = []
    body(tree, "", out)
    return out


warnings.simplefilter("ignore")
sys.setrecursionlimit(10000)
for line in sys.stdin:
    print(json.dumps(outline(line.rstrip("\n"))), flush=True)
