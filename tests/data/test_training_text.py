from __future__ import annotations

import ast

import pytest

from flextune.data.training_text import as_comments, normalize, pose_as_docstring

SOLVE = "def solve(values: list[int]) -> int:\n    return sum(v for v in values if v % 2 == 0)\n"


def test_the_prompt_ends_with_signature_and_description() -> None:
    posed = pose_as_docstring(
        SOLVE, description="Keep the even numbers, then sum them.", tests="assert solve([2]) == 2"
    )
    assert posed == (
        'def solve(values: list[int]) -> int:\n    """Keep the even numbers, then sum them.\n    """\n',
        "    return sum(v for v in values if v % 2 == 0)\n",
    )


@pytest.mark.parametrize(
    ("code", "prompt", "completion"),
    [
        # one line
        ("def f(x): return x", 'def f(x):\n    """D.\n    """\n', "    return x\n"),
        ("def f(x): y = 'ä: b'; return y", 'def f(x):\n    """D.\n    """\n', "    y = 'ä: b'; return y\n"),
        ("def f(x): return x\nz = 1", 'def f(x):\n    """D.\n    """\n', "    return x\nz = 1\n"),
        # colons and brackets in the signature
        (
            "def f(x: dict = {1: 2},\n      y=lambda: 3) -> int:  # why\n  return x",
            'def f(x: dict = {1: 2},\n      y=lambda: 3) -> int:  # why\n  """D.\n  """\n',
            "  return x\n",
        ),
        # what stands before and after
        (
            "import math\n@cache\ndef f(x):\n\n    # note\n    return g(x)\n\ndef g(x):\n    return x\n",
            'import math\n@cache\ndef f(x):\n    """D.\n    """\n',
            "    # note\n    return g(x)\n\ndef g(x):\n    return x\n",
        ),
        # a docstring of its own gives way
        (
            'def f(x):\n    """Old\n    one."""\n    return x\n',
            'def f(x):\n    """D.\n    """\n',
            "    return x\n",
        ),
        ("async def f(x):\n  return x", 'async def f(x):\n  """D.\n  """\n', "  return x\n"),
        # a form feed is no line end to Python
        (
            "x = 'a\x0cb'\ndef f(x):\n  return x",
            'x = \'a\x0cb\'\ndef f(x):\n  """D.\n  """\n',
            "  return x\n",
        ),
    ],
)
def test_every_shape_of_function_is_divided(code: str, prompt: str, completion: str) -> None:
    posed = pose_as_docstring(code, description="D.", tests="assert f(1) == 1")
    assert posed == (prompt, completion)
    ast.parse("".join(posed))


@pytest.mark.parametrize(
    "code",
    [
        "f = lambda x: x",
        "class F:\n    pass",
        "def other(x):\n    return x",
        "def f(x):\n    'only a docstring'",
        "def f(x):\n    'shares a line'; return x",
        "def f(x): 'shares a line'; return x",
        "print 'Python 2'",
    ],
)
def test_a_program_without_a_function_to_pose_is_left_out(code: str) -> None:
    assert pose_as_docstring(code, description="D.", tests="assert f(1) == 1") is None


def test_the_tested_function_is_posed_not_its_helper() -> None:
    code = "def g(x):\n    return x\ndef f(x):\n    return g(x)\n"
    posed = pose_as_docstring(code, description="D.", tests="assert set(f(g(1))) == {1}")
    assert posed is not None
    assert posed[0] == 'def g(x):\n    return x\ndef f(x):\n    """D.\n    """\n'


@pytest.mark.parametrize("description", ['say """hi"""', "a \\ b \\n", '"quoted"', "two\nlines", "\\"])
def test_any_description_survives_as_the_docstring(description: str) -> None:
    posed = pose_as_docstring(SOLVE, description=description, tests="assert solve([]) == 0")
    assert posed is not None
    function = ast.parse("".join(posed)).body[0]
    assert isinstance(function, ast.FunctionDef)
    assert (ast.get_docstring(function) or "").rstrip() == description


def test_tabs_become_four_spaces_and_line_ends_lf() -> None:
    assert normalize("if a:\r\n\tb\r\n\t\tc\rd") == "if a:\n    b\n        c\nd"


def test_mixed_indentation_keeps_its_meaning() -> None:
    # Python reads the tab as eight columns here, so x = 2 belongs to the inner block.
    code = "if a:\n    if b:\n        x = 1\n\tx = 2\n"
    with pytest.raises(TabError):
        ast.parse(code)
    accepted = "def f():\n        if b:\n        \tx = 1\n        return x\n"
    assert ast.dump(ast.parse(normalize(accepted))) == ast.dump(ast.parse(accepted))
    odd = "if a:\n  if b:\n  \tx = 1\n  else:\n  \tx = 2\n"
    assert ast.dump(ast.parse(normalize(odd))) == ast.dump(ast.parse(odd))


def test_a_tab_inside_a_text_is_kept_where_it_has_meaning() -> None:
    code = 'def f():\n\tx = """a\n\tb"""\n\treturn x, \'a\tb\'\n'
    assert normalize(code) == 'def f():\n    x = """a\n\tb"""\n    return x, \'a\tb\'\n'


def test_every_line_is_commented() -> None:
    assert as_comments("a\n\n  b\n") == "# a\n# \n#   b"
