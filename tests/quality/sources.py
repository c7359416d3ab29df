"""Reads the integration's own files, as Home Assistant's checks do."""

import ast
from functools import cache
import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
INTEGRATION = ROOT / "custom_components" / "climkit"
MODULES = sorted(INTEGRATION.rglob("*.py"))


@cache
def load(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((INTEGRATION / name).read_text("utf-8"))
    return content


@cache
def source(name: str) -> str:
    return (INTEGRATION / f"{name}.py").read_text("utf-8")


def tree(name: str) -> ast.Module:
    return ast.parse(source(name))


def functions(name: str) -> dict[str, ast.AsyncFunctionDef | ast.FunctionDef]:
    """Return the functions and methods of a module by name."""
    return {
        node.name: node
        for node in ast.walk(tree(name))
        if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef)
    }
