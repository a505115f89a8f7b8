"""Faults in Python: another operator, another bound, the other branch."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

_COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_BINARY: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult, ast.BitXor: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
_CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}


class Fault(NamedTuple):
    """A file with one fault in it; `code` is the line as it was."""

    file: str
    line: int
    code: str
    was: str
    now: str
    text: str


def faults(file: str, text: str) -> Iterator[Fault]:
    """Every fault that can be put into this text, one by one."""
    lines = text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line.encode()))
    raw = text.encode()
    for node, other in _others(ast.parse(text)):
        begin = starts[node.lineno - 1] + node.col_offset
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        end = starts[node.end_lineno - 1] + node.end_col_offset
        was, now = raw[begin:end].decode(), ast.unparse(other)
        new = now if isinstance(other, ast.stmt) else f"({now})"
        whole = (raw[:begin] + new.encode() + raw[end:]).decode()
        code = lines[node.lineno - 1].strip()
        yield Fault(file, node.lineno, code, " ".join(was.split()), now, whole)


Positioned = ast.expr | ast.stmt


def _others(tree: ast.AST) -> Iterator[tuple[Positioned, Positioned]]:
    for node in _code(tree):
        match node:
            case ast.Compare(ops=[op]) if type(op) in _COMPARE:
                yield node, ast.Compare(node.left, [_COMPARE[type(op)]()], node.comparators)
            case ast.BinOp(op=op) if type(op) in _BINARY:
                yield node, ast.BinOp(node.left, _BINARY[type(op)](), node.right)
            case ast.BoolOp(op=ast.And()):
                yield node, ast.BoolOp(ast.Or(), node.values)
            case ast.BoolOp(op=ast.Or()):
                yield node, ast.BoolOp(ast.And(), node.values)
            case ast.UnaryOp(op=ast.Not()):
                yield node, node.operand
            case ast.UnaryOp(op=ast.USub()):
                yield node, node.operand
            case ast.Constant(value=bool() as value):
                yield node, ast.Constant(not value)
            case ast.Constant(value=int() as value):
                yield node, ast.Constant(value + 1)
            case ast.IfExp():
                yield node, ast.IfExp(node.test, node.orelse, node.body)
            case ast.Call(func=ast.Name(id=name)) if name in _CALLS:
                yield node, ast.Call(ast.Name(_CALLS[name]), node.args, node.keywords)
            case ast.AugAssign(op=op) if type(op) in _BINARY:
                yield node, ast.AugAssign(node.target, _BINARY[type(op)](), node.value)
            case ast.Return(value=ast.expr()) if not isinstance(node.value, ast.Constant):
                yield node, ast.Return(ast.Constant(None))


def _code(node: ast.AST) -> Iterator[ast.AST]:
    """What is run: no annotation, no decorator, no docstring, no text."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params"):
            continue
        children = value if isinstance(value, list) else [value]
        for child in children:
            if not isinstance(child, ast.AST) or isinstance(child, ast.JoinedStr):
                continue
            if isinstance(child, ast.Subscript) and _is_type(child):
                continue
            yield child
            yield from _code(child)


def _is_type(node: ast.Subscript) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id in ("Literal", "Final", "Annotated")
