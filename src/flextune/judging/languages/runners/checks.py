"""Whether tests have checked anything: tests whose assertions were never reached have shown nothing."""

from __future__ import annotations

import ast
from typing import Any

#: The name under which tests find what counts; no program has it by accident.
_COUNT = "__flextune_check__"


class Checks(ast.NodeTransformer):
    """Has tests count the assertions that they reach.

    Attributes:
        found: Assertions about values in the source; one that always fails marks a place not to be reached.
        reached: Assertions reached.
    """

    def __init__(self) -> None:
        self.found = self.reached = 0

    def add_to(self, tree: ast.Module, names: dict[str, Any]) -> None:
        """Put what counts into the tests; ``names`` gets it."""

        def count() -> None:
            self.reached += 1

        names[_COUNT] = count
        ast.fix_missing_locations(self.visit(tree))

    @property
    def nothing_checked(self) -> bool:
        """Whether there are assertions, and none was reached."""
        return self.found > 0 and self.reached == 0

    def visit_Assert(self, node: ast.Assert) -> Any:
        """An assertion about anything but a constant."""
        return node if isinstance(node.test, ast.Constant) else self._counted(node)

    def visit_Expr(self, node: ast.Expr) -> Any:
        """A call such as ``self.assertEqual(...)``."""
        return self._counted(node) if _is_assertion(node.value) else node

    def visit_With(self, node: ast.With) -> Any:
        """A block such as ``with self.assertRaises(...)``."""
        self.generic_visit(node)
        return self._counted(node) if any(_is_assertion(item.context_expr) for item in node.items) else node

    def _counted(self, node: ast.stmt) -> list[ast.stmt]:
        self.found += 1
        call = ast.Expr(ast.Call(ast.Name(_COUNT, ast.Load()), [], []))
        return [ast.copy_location(call, node), node]


def _is_assertion(node: ast.expr) -> bool:
    if not isinstance(node, ast.Call):
        return False
    name = getattr(node.func, "attr", None) or getattr(node.func, "id", "")
    return str(name).lower().startswith("assert")
