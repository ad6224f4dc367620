"""What routes depend on runs in the event loop: what is not `async` would cost a thread's turn each time."""

import ast
from pathlib import Path

API = Path(__file__).parents[3] / "api"


def test_no_dependency_takes_a_thread() -> None:
    nodes = [node for file in API.rglob("*.py") for node in ast.walk(ast.parse(file.read_text()))]
    wanted = {
        call.args[0].id
        for call in nodes
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Depends"
        if isinstance(call.args[0], ast.Name)
    }
    assert len(wanted) > 5
    assert wanted <= {node.name for node in nodes if isinstance(node, ast.AsyncFunctionDef)}
