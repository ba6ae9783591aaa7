"""Answers questions about rules that pytest takes from elsewhere.

Reads JSON lines from standard input, writes a JSON line for each:
["fnmatch", pattern, name], ["ini", text] or ["repr", literal].
"""

import ast
import fnmatch
import json
import os
import sys
import tempfile

import iniconfig


def ini(text):
    with tempfile.NamedTemporaryFile("w", suffix=".ini", delete=False, newline="") as f:
        f.write(text)
    try:
        parsed = iniconfig.IniConfig(f.name)
        return {section.name: dict(section.items()) for section in parsed}
    except iniconfig.ParseError:
        return None
    finally:
        os.unlink(f.name)


ANSWERS = {
    "fnmatch": lambda pattern, name: fnmatch.fnmatchcase(name, pattern),
    "ini": ini,
    "repr": lambda literal: str(ast.literal_eval(literal)),
}

for line in sys.stdin:
    question, *arguments = json.loads(line)
    print(json.dumps(ANSWERS[question](*arguments)))
