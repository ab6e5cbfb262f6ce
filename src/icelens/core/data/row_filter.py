"""Choose rows of a table by an expression: `rlnDefocusU < 20000 and rlnClassNumber in (1, 4)`.

The expression is parsed, never run: numbers, texts in quotes, names of columns, comparisons, `in`,
`and`, `or`, `not`, + - * / %, `abs(x)` and `contains(column, "text")`, and nothing else.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

import numpy as np
import numpy.typing as npt

from icelens.core.errors import MetadataError

Column = npt.NDArray[Any]

_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
}
_ALLOWED = "columns, numbers, quoted texts, comparisons, in, and, or, not, + - * / %, abs, contains"
_LONGEST = 10_000


def filter_rows(expression: str, columns: Mapping[str, Column]) -> npt.NDArray[np.bool_]:
    """Which rows an expression is true for; missing values compare as false.

    Args:
        expression: See above.
        columns: Values of the table by name, all of one length.

    Raises:
        MetadataError: If the expression cannot be read, holds anything else than what is allowed,
            names an unknown column, compares text with numbers, or is not a condition.
    """
    try:
        if len(expression) > _LONGEST:
            raise ValueError("it is too long")
        tree = ast.parse(expression.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = getattr(error, "msg", None) or str(error) or "it is too deep"
        raise _refusal(expression, f"cannot be read ({reason})") from error
    num_rows = len(next(iter(columns.values()), ()))
    reader = _Reader(expression, columns)
    try:
        with np.errstate(all="ignore"):
            result = np.asarray(reader.value(tree.body))
    except RecursionError as error:
        raise _refusal(expression, "is too deep") from error
    except TypeError as error:
        raise _refusal(expression, "compares values that are missing in some rows") from error
    if result.dtype != np.bool_:
        raise _refusal(expression, "is no condition; compare its value with something")
    return np.array(np.broadcast_to(result, (num_rows,)))


class _Reader:
    """Works out one expression, node by node."""

    def __init__(self, expression: str, columns: Mapping[str, Column]) -> None:
        self._expression = expression
        self._columns = columns

    def value(self, node: ast.expr) -> Any:  # noqa: ANN401 - numbers, texts or columns
        """The value of a node: a number, a text, a tuple of them, or one value for each row."""
        handlers: dict[type[ast.expr], Callable[[Any], Any]] = {
            ast.Constant: self._constant,
            ast.Name: self._column,
            ast.Tuple: lambda node: tuple(self.value(item) for item in node.elts),
            ast.List: lambda node: tuple(self.value(item) for item in node.elts),
            ast.BoolOp: self._junction,
            ast.UnaryOp: self._sign,
            ast.BinOp: self._arithmetic,
            ast.Compare: self._comparison,
            ast.Call: self._call,
        }
        handler = handlers.get(type(node))
        if handler is None:
            raise self._refused(node)
        return handler(node)

    def _constant(self, node: ast.Constant) -> object:
        if isinstance(node.value, bool) or not isinstance(node.value, int | float | str):
            raise self._refused(node)
        if isinstance(node.value, str):
            return node.value
        try:
            return np.float64(node.value)
        except OverflowError as error:
            raise _refusal(self._expression, "holds a number with too many digits") from error

    def _column(self, node: ast.Name) -> Column:
        name = node.id.removeprefix("_")
        if name not in self._columns:
            near = get_close_matches(name, self._columns, n=2, cutoff=0.6)
            hint = (
                f"did you mean {' or '.join(near)}?"
                if near
                else (f"there are {', '.join(sorted(self._columns))}")
            )
            raise _refusal(self._expression, f"names the column {name}, which is not there; {hint}")
        return self._columns[name]

    def _junction(self, node: ast.BoolOp) -> npt.NDArray[np.bool_]:
        parts = [self._condition(part) for part in node.values]
        join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
        total = parts[0]
        for part in parts[1:]:
            total = join(total, part)
        return total

    def _sign(self, node: ast.UnaryOp) -> Any:  # noqa: ANN401
        if isinstance(node.op, ast.Not):
            return ~self._condition(node.operand)
        if isinstance(node.op, ast.USub):
            return -self._number(node.operand)
        raise self._refused(node)

    def _arithmetic(self, node: ast.BinOp) -> Any:  # noqa: ANN401
        act = _ARITHMETIC.get(type(node.op))
        if act is None:
            raise self._refused(node)
        return act(self._number(node.left), self._number(node.right))

    def _comparison(self, node: ast.Compare) -> npt.NDArray[np.bool_]:
        total: Any = np.True_
        left = self.value(node.left)
        for relation, item in zip(node.ops, node.comparators, strict=True):
            right = self.value(item)
            if isinstance(relation, ast.In | ast.NotIn):
                among = self._among(left, right)
                total = total & (among if isinstance(relation, ast.In) else ~among)
            elif type(relation) in _COMPARE:
                self._check_kinds(left, right)
                total = total & np.asarray(_COMPARE[type(relation)](left, right))
            else:
                raise self._refused(node)
            left = right
        return np.asarray(total, bool)

    def _among(self, value: Any, choices: Any) -> npt.NDArray[np.bool_]:  # noqa: ANN401
        if not isinstance(choices, tuple):
            raise _refusal(self._expression, "needs a list after `in`, such as (1, 4)")
        found = np.zeros(np.shape(value), bool)
        for choice in choices:
            self._check_kinds(value, choice)
            found = found | np.asarray(value == choice)
        return found

    def _call(self, node: ast.Call) -> Any:  # noqa: ANN401
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if node.keywords or (name, len(node.args)) not in {("abs", 1), ("contains", 2)}:
            raise self._refused(node)
        if name == "abs":
            return np.abs(self._number(node.args[0]))
        column, text = (self.value(item) for item in node.args)
        if not isinstance(text, str) or np.asarray(column).dtype.kind not in "OU":
            raise _refusal(self._expression, "needs a column of text and a quoted text in contains")
        return np.asarray([text in str(item) for item in np.atleast_1d(column)], bool)

    def _condition(self, node: ast.expr) -> npt.NDArray[np.bool_]:
        value = np.asarray(self.value(node))
        if value.dtype != np.bool_:
            raise _refusal(self._expression, "joins something that is no condition")
        return value

    def _number(self, node: ast.expr) -> Any:  # noqa: ANN401
        value = self.value(node)
        if isinstance(value, tuple) or np.asarray(value).dtype.kind not in "iuf":
            raise _refusal(self._expression, "calculates with something that is no number")
        return value

    def _check_kinds(self, left: Any, right: Any) -> None:  # noqa: ANN401
        kinds = [np.asarray(value).dtype.kind in "iuf" for value in (left, right)]
        if isinstance(left, tuple) or isinstance(right, tuple) or kinds[0] != kinds[1]:
            raise _refusal(
                self._expression,
                "compares text with numbers; put texts into quotes, and numbers not",
            )

    def _refused(self, node: ast.expr) -> MetadataError:
        part = ast.get_source_segment(self._expression.strip(), node) or type(node).__name__
        return _refusal(self._expression, f"holds {part!r}, expected only {_ALLOWED}")


def _refusal(expression: str, finding: str) -> MetadataError:
    shown = expression if len(expression) <= 80 else expression[:77] + "..."
    return MetadataError(f"the expression {shown!r} {finding}")
