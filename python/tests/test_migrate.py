"""Does a bridge that is rewritten do what it did, and look as its author wrote it?"""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from caduceus import Bridge, BridgeError
from caduceus._migrate import Migration, MigrationError, describe, migrate

SEED = Path(__file__).parents[2] / "test" / "fixtures" / "seed"

HEAD = """\
from base_bridge import BaseBridge

class Mine(BaseBridge):
    def _register_handlers(self):
        self._handlers['op'] = self._handle_op
    def _initialize_framework(self):
        self.log = []
    def get_framework_info(self):
        return {"name": "mine", "version": "1", "capabilities": []}
"""


def handler(*lines: str) -> Migration:
    body = "\n".join(f"        {line}" for line in lines)
    return migrate(f"{HEAD}    def _handle_op(self, args):\n{body}\n")


def made(text: str) -> Any:  # noqa: ANN401 - a bridge of the text
    names: dict[str, Any] = {}
    exec(compile(text, "bridge", "exec"), names)
    bridge = names["Mine"]()
    assert isinstance(bridge, Bridge)
    return bridge


def signature_of(migration: Migration) -> str:
    lines = migration.text.splitlines()
    return lines[lines.index("    @operation") + 1].strip()


class TestParameters:
    @pytest.mark.parametrize(
        ("line", "head"),
        [
            ("return args['x']", "def op(self, x):"),
            ("return args.get('x')", "def op(self, x=None):"),
            ("return args.get('x', -1)", "def op(self, x=-1):"),
            ("return args['b'], args.get('a', 'é'), args['c']", "def op(self, b, c, a='é'):"),
            ("return f\"{args['x']}!\"", "def op(self, x):"),
            ("return [y for y in args['x']]", "def op(self, x):"),
        ],
    )
    def test_what_is_read_is_a_parameter(self, line: str, head: str) -> None:
        assert signature_of(handler(line)) == head

    def test_a_variable_of_the_same_name_is_the_parameter(self) -> None:
        found = handler("x = args['x']", "y: int = args['y']", "return x + y")
        assert "    def op(self, x, y: int):\n        return x + y\n" in found.text
        assert made(found.text).handle_command("op", {"x": 1, "y": 2}) == 3

    def test_a_default_that_can_be_changed_is_made_for_each_call(self) -> None:
        found = handler("xs = args.get('xs', [])", "xs.append(1)", "return xs")
        bridge = made(found.text)
        assert [bridge.handle_command("op", {}) for _ in range(2)] == [[1], [1]]
        assert found.notes == ["op: null for xs is taken as absent"]
        inline = made(handler("return args.get('xs', {})").text)
        assert inline.handle_command("op", {}) == {}
        assert inline.handle_command("op", {"xs": {"a": 1}}) == {"a": 1}

    def test_an_argument_that_nobody_takes_is_refused_from_now_on(self) -> None:
        bridge = made(handler("return args['x']").text)
        with pytest.raises(BridgeError) as refused:
            bridge.handle_command("op", {"x": 1, "y": 2})
        assert refused.value.code == "invalid_arguments"

    def test_comments_stay(self) -> None:
        found = handler("x = args['x']  # the number", "# twice", "return 2 * x  # as it was")
        for comment in ("# the number", "# twice", "# as it was"):
            assert comment in found.text

    def test_a_long_head_has_a_line_for_each(self) -> None:
        names = [f"an_argument_{number}" for number in range(8)]
        found = handler(f"return [{', '.join(f'args[{name!r}]' for name in names)}]")
        assert "    def op(\n        self,\n        an_argument_0,\n" in found.text
        numbers = {name: number for number, name in enumerate(names)}
        assert made(found.text).handle_command("op", numbers) == list(range(8))


class TestWhatIsNoParameter:
    @pytest.mark.parametrize(
        ("lines", "why"),
        [
            (["return len(args)"], "args is used in line 11 as a whole"),
            (["return 'x' in args and args['x']"], "args is used in line 11 as a whole"),
            (["return args[self.key]"], "args is used in line 11 as a whole"),
            (["return args['class']"], "'class' cannot be the name of a parameter"),
            (["return args['ctx']"], "'ctx' cannot be the name of a parameter"),
            (["return (args['x'], args.get('x'))"], "x is read in two ways"),
            (["return (args.get('x', 1), args.get('x', 2))"], "x is read in two ways"),
            (["return args.get('x', self.make())"], "the default of x is made anew at each call"),
            (["x = args['x'] + 1", "return x"], "x means something else there"),
            (["x = args['x']", "x += 1", "return x + args['x']"], "x is assigned there"),
            (["return id(args['id'])"], "id means something else there"),
            (["return [x for x in args['x']]"], "x means something else there"),
            (["if self.log: return args['x']", "return 1"], "x is not always read"),
            (["if self.log: return 1", "return args['x']"], "x is not always read"),
            (
                ["try:", "    return args['x']", "except KeyError:", "    return 0"],
                "x is not always read",
            ),
            (["return self.log and args['x']"], "x is not always read"),
            (["return (lambda: args['x'])()"], "x is not always read"),
            (["return (lambda args: args['x'])({'x': 1})"], "args means something else"),
        ],
    )
    def test_takes_a_dict_as_before(self, lines: list[str], why: str) -> None:
        found = handler(*lines)
        assert signature_of(found) == "def op(self, **args):"
        assert why in found.notes[0]
        assert found.operations == ["op"]

    def test_one_that_reads_nothing_takes_anything(self) -> None:
        bridge = made(handler("return 1").text)
        assert bridge.handle_command("op", {"data": "test"}) == 1


TABLE = '''\
"""A bridge."""
from __future__ import annotations
from caduceus import BaseBridge, batched, current_call


class Mine(BaseBridge):
    size = 2

    def _register_handlers(self):
        self._handlers.update({
            "size": self._handle_size,  # taken by the class
            "both": self._both,
            "again": self._both,
            "run": self._run_it,
            "many": self._many,
            "lent": lambda args: 5,
            "inner": self._inner,
            "public": self.public,
        })

    def _initialize_framework(self): pass

    def get_framework_info(self):
        return {"name": "mine", "version": "1", "capabilities": []}

    def _handle_size(self, args): return self.size
    def _both(self, args): return "both"
    def _run_it(self, args): return self._inner(args)
    @batched
    def _many(self, calls): return [1 for _ in calls]
    def _inner(self, args): return args["x"]
    async def public(self, args) -> str:
        pass
'''


class TestTable:
    def test_what_cannot_be_a_method_stays_a_row(self) -> None:
        found = migrate(TABLE)
        assert found.operations == ["size", "run", "public"]
        assert found.left == ["both", "again", "many", "lent", "inner"]
        assert found.notes == [
            "size: takes any arguments, as before, and reads none: **args",
            "both stays in the table: its handler has several operations",
            "again stays in the table: its handler has several operations",
            "run: takes **args as before: args is used in line 28 as a whole",
            "many stays in the table: _many has a decorator",
            "lent stays in the table: its handler is no method",
            "inner stays in the table: _inner is used elsewhere too",
            "public: takes any arguments, as before, and reads none: **args",
            "public: gives nothing, though it promises str: that is gone",
        ]
        bridge = made(found.text)
        asked = {"x": 7}
        commands = ("size", "both", "again", "run", "lent", "inner")
        given = [bridge.handle_command(name, asked) for name in commands]
        assert given == [2, "both", "both", 7, 5, 7]
        assert bridge.handle_batch("many", [asked, asked]) == [1, 1]
        assert "public" in bridge.supported_operations()

    def test_imports_are_those_that_are_needed(self) -> None:
        assert (
            "from __future__ import annotations\n"
            "from caduceus import Bridge, batched, current_call, operation\n"
        ) in migrate(TABLE).text
        by_module = HEAD.replace("from base_bridge import BaseBridge", "import base_bridge")
        by_module = by_module.replace("(BaseBridge)", "(base_bridge.BaseBridge)")
        found = migrate(f'"""Doc."""\n{by_module}    def _handle_op(self, args): return 1\n')
        assert found.text.startswith('"""Doc."""\nfrom caduceus import Bridge, operation\n')
        assert "class Mine(Bridge):" in found.text

    def test_rows_without_a_written_name_stay(self) -> None:
        text = HEAD.replace(
            "        self._handlers['op']",
            "        self._handlers.update({k: v for k, v in ()})\n        self._handlers['op']",
        )
        found = migrate(f"{text}    def _handle_op(self, args): return 1\n")
        assert "super()._register_handlers()\n        self._handlers.update({k: v" in found.text
        assert made(found.text).handle_command("op", {}) == 1

    def test_rows_go_one_by_one_and_what_is_registered_otherwise_stays(self) -> None:
        rows = [
            "        self._handlers['op'] = self._handle_op",
            '        self._handlers.update({"b": self._b, "c": len,  # stays',
            '            "d": self._d})',
            "        if True:",
            "            self._handlers['e'] = self._e",
        ]
        text = HEAD.replace(rows[0], "\n".join(rows))
        for name in ("_handle_op", "_b", "_d", "_e"):
            text += f"    def {name}(self, args): return args['x']\n"
        found = migrate(text)
        assert (found.operations, found.left) == (["op", "b", "d"], ["c"])
        assert "        super()._register_handlers()\n        self._handlers.update" in found.text
        assert '({"c": len,  # stays\n' in found.text
        bridge = made(found.text)
        given = [bridge.handle_command(name, {"x": 1}) for name in ("op", "b", "c", "d", "e")]
        assert given == [1, 1, 1, 1, 1]

    def test_lines_end_as_they_did(self) -> None:
        text = f"{HEAD}    def _handle_op(self, args):\n        return args['x']\n"
        found = migrate(text.replace("\n", "\r\n"))
        assert found.text.count("\r\n") == found.text.count("\n")


class TestRefusals:
    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("def broken(:", "it is no Python"),
            ("import json\n", "no class in it derives from BaseBridge"),
            (f"{HEAD}    _handle_op = len\n", "op stays in the table: _handle_op is not defined"),
            (
                HEAD.replace("self._handle_op", "self._handle_op; self._handlers['c'] = len")
                + "    def _handle_op(self, args): pass\n",
                "line 5 has more than one statement",
            ),
            (
                f"operation = 1\n{HEAD}    def _handle_op(self, args): return 1\n",
                "operation is some",
            ),
        ],
    )
    def test_say_why(self, text: str, why: str) -> None:
        with pytest.raises(MigrationError, match=why):
            migrate(text)
        assert why in describe("bridge.py", text)["problem"]

    def test_what_has_been_rewritten_is_not_again(self) -> None:
        with pytest.raises(MigrationError, match="no class in it"):
            migrate(handler("return args['x']").text)


class TestSeed:
    @pytest.mark.parametrize("name", ["my_ml", "dspy", "langchain", "custom_ml"])
    def test_its_bridges_are_methods_altogether(self, name: str) -> None:
        text = (SEED / f"{name}_bridge.py").read_text()
        found = describe(f"{name}_bridge.py", text)
        assert found["left"] == []
        assert "_register_handlers" not in found["text"]
        assert "@operation(" not in found["text"]
        assert found["diff"].startswith(f"--- a/{name}_bridge.py\n+++ b/{name}_bridge.py\n@@")

    def test_the_first_of_them_is_what_a_person_would_have_written(self) -> None:
        text = (SEED / "my_ml_bridge.py").read_text()
        assert migrate(text).text.startswith(
            dedent("""\
                # priv/python/my_ml_bridge.py
                from caduceus import Bridge, operation

                class MyMLBridge(Bridge):
                    def setup(self):
                        # Initialize your ML framework
                        pass
            """)
        )
