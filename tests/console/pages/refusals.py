"""Which codes a module of the registry refuses with, read from its source."""

import ast
import re
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[3]


def codes_of(module: str, refusing: Mapping[str, int]) -> set[str]:
    """`module` is a path below `registry/`; `refusing` says at which argument a call has its code."""
    found: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / "registry" / f"{module}.py").read_text())):
        name = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
        if name in refusing and len(node.args) > max(refusing[name], 0):
            code = node.args[refusing[name]]
            if isinstance(code, ast.Constant) and re.fullmatch(r"[a-z][a-z0-9_]*", str(code.value)):
                found.add(code.value)
    return found
