# ruff: noqa: E501 - a program reads better unbroken
"""Tests that end the program themselves, and solutions that would; judged in one process."""

from __future__ import annotations

from tests.judging.kinds import Kind

ENDING_KINDS = {
    "unittest.main()": Kind(
        "def add(a, b):\n",
        "    return a+b\n",
        "import unittest\nclass T(unittest.TestCase):\n    def test(self):\n        self.assertEqual(add(1, 2), 3)\nif __name__ == '__main__':\n    unittest.main()",
    ),
    "unittest.main(), and a wrong solution": Kind(
        "def add(a, b):\n",
        "    return a-b\n",
        "import unittest\nclass T(unittest.TestCase):\n    def test(self):\n        self.assertEqual(add(1, 2), 3)\nif __name__ == '__main__':\n    unittest.main()",
        "wrong_answer",
    ),
    "unittest, and a solution that raises SystemExit": Kind(
        "def add(a, b):\n",
        "    raise SystemExit(0)\n",
        "import unittest\nclass T(unittest.TestCase):\n    def test(self):\n        self.assertEqual(add(1, 2), 3)\nif __name__ == '__main__':\n    unittest.main()",
        "wrong_answer",
    ),
    "unittest.main with arguments": Kind(
        "def add(a, b):\n",
        "    return a+b\n",
        "import unittest\nclass T(unittest.TestCase):\n    def test(self):\n        self.assertEqual(add(1, 2), 3)\nif __name__ == '__main__':\n    unittest.main(verbosity=2)",
    ),
    "unittest, and a solution that really exits": Kind(
        "def add(a, b):\n",
        "    import os; os._exit(0)\n",
        "import unittest\nclass T(unittest.TestCase):\n    def test(self):\n        self.assertEqual(add(1, 2), 3)\nif __name__ == '__main__':\n    unittest.main()",
        "ended_early",
    ),
    "unittest, and a solution that skips a test": Kind(
        "def add(a, b):\n",
        "    import unittest; raise unittest.SkipTest('later')\n",
        "import unittest\nclass T(unittest.TestCase):\n    def test(self):\n        self.assertEqual(add(1, 2), 3)\nunittest.main()",
        "wrong_answer",
    ),
    "unittest, and tests that skip themselves": Kind(
        "def add(a, b):\n",
        "    return a+b\n",
        "import unittest\nclass T(unittest.TestCase):\n    def test(self):\n        self.assertEqual(add(1, 2), 3)\n    @unittest.skip('later')\n    def test_more(self):\n        self.fail()\nunittest.main()",
    ),
    "unittest without an exit": Kind(
        "def add(a, b):\n",
        "    return a+b\n",
        "import unittest\nclass T(unittest.TestCase):\n    def test(self):\n        def test_inner(): pass\n        self.assertEqual(add(1, 2), 3)\nclass Tester:\n    def test_nothing(self): pass\nassert unittest.main(exit=False).result.wasSuccessful()",
    ),
    "unittest with a suite of its own": Kind(
        "def add(a, b):\n",
        "    return a+b\n",
        "import unittest\nclass T(unittest.TestCase):\n    def test(self):\n        self.assertEqual(add(1, 2), 3)\n    def test_more(self):\n        self.fail()\nsuite = unittest.TestSuite()\nsuite.addTest(T('test'))\nassert unittest.TextTestRunner().run(suite).wasSuccessful()",
    ),
    "unittest tests that are called by hand": Kind(
        "def add(a, b):\n",
        "    return a+b\n",
        "import unittest\nclass T(unittest.TestCase):\n    def test(self):\n        self.assertEqual(add(1, 2), 3)\n    def test_more(self):\n        self.fail()\ntests = T('test')\ntests.setUp()\ntests.test()",
    ),
    "unittest tests that are debugged": Kind(
        "def add(a, b):\n",
        "    return a+b\n",
        "import unittest\nclass T(unittest.TestCase):\n    def test(self):\n        self.assertEqual(add(1, 2), 3)\n    def test_more(self):\n        self.fail()\nunittest.defaultTestLoader.loadTestsFromName('test', T).debug()",
    ),
    "sys.exit(main())": Kind(
        "def add(a, b):\n",
        "    return a+b\n",
        "import sys\ndef main():\n    assert add(1,2)==3\n    return 0\nsys.exit(main())",
    ),
    "sys.exit(main()), and a solution that exits in it": Kind(
        "def add(a, b):\n",
        "    import sys; sys.exit(0)\n",
        "import sys\ndef main():\n    assert add(1,2)==3\n    return 0\nsys.exit(main())",
        "ended_early",
    ),
    "an exit at the end of a function": Kind(
        "def add(a, b):\n",
        "    return a+b\n",
        "import sys\ndef main():\n    assert add(1,2)==3\n    sys.exit(0)\nmain()",
    ),
    "exit()": Kind(
        "def add(a, b):\n",
        "    return a+b\n",
        "assert add(1,2)==3\nexit()",
    ),
    "quit()": Kind(
        "def add(a, b):\n",
        "    return a+b\n",
        "assert add(1,2)==3\nquit()",
    ),
    "raise SystemExit(0)": Kind(
        "def add(a, b):\n",
        "    return a+b\n",
        "assert add(1,2)==3\nraise SystemExit(0)",
    ),
    "raise SystemExit": Kind(
        "def add(a, b):\n",
        "    return a+b\n",
        "assert add(1,2)==3\nraise SystemExit",
    ),
    "an exit that says failed": Kind(
        "def add(a, b):\n",
        "    return a+b\n",
        "import sys\nif add(1,2)!=4: sys.exit(1)",
        "wrong_answer",
    ),
    "a solution that is sys.exit": Kind(
        "def f(x):\n",
        "    pass\nimport sys\nf = sys.exit\n",
        "assert f(0) == 3",
        "ended_early",
    ),
    "a solution that is exit": Kind(
        "def f(x):\n",
        "    pass\nf = exit\n",
        "assert f(0) == 3",
        "ended_early",
    ),
    "a solution that is unittest.main": Kind(
        "def f(x):\n",
        "    pass\nimport unittest\nclass Own(unittest.TestCase):\n    def test(self): pass\nf = unittest.main\n",
        "assert f('__main__') == 3",
        "ended_early",
    ),
    "a solution that is sys.exit, inside an exit": Kind(
        "def f(x):\n",
        "    pass\nimport sys\nf = sys.exit\n",
        "import sys\nsys.exit(0 if f(0) == 3 else 1)",
        "ended_early",
    ),
    "a solution that exits before the tests": Kind(
        "def add(a, b):\n",
        "    return a\nimport sys\nsys.exit(0)\n",
        "assert add(1,2)==3\nimport sys\nsys.exit(0)",
        "ended_early",
    ),
    "code with the place of the tests' exit": Kind(
        "def add(a, b):\n",
        "    exec(compile('\\n'*11+'import sys; sys.exit(0)', __file__, 'exec'))\n",
        "\n\n\n\nimport sys\nassert add(1,2)==3\nsys.exit(0)",
        "ended_early",
    ),
    "recursion that is well inside the limit": Kind(
        "def f(n):\n",
        "    return 0 if n == 0 else 1 + f(n - 1)\n",
        "def check(c): assert c(985)==985\ncheck(f)",
    ),
    "recursion at the limit": Kind(
        "def f(n):\n",
        "    return 0 if n == 0 else 1 + f(n - 1)\n",
        "def check(c):\n    assert c(997)==997\ncheck(f)",
    ),
    "recursion that is one too deep": Kind(
        "def f(n):\n",
        "    return 0 if n == 0 else 1 + f(n - 1)\n",
        "def check(c):\n    assert c(998)==998\ncheck(f)",
        "exception",
    ),
    "the limit on recursion": Kind(
        "def f(n):\n",
        "    import sys\n    return sys.getrecursionlimit()\n",
        "assert f(1)==1000",
    ),
}
