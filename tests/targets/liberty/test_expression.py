# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Liberty's expressions, beside Python's."""

import itertools

import pytest

from accel.errors import QCLIFError
from targets.liberty.expression import HIGH, parse_expression


@pytest.mark.parametrize(("text", "same"), [
    ("A B' + !C", "(A & (!B)) | (!C)"),
    ("A ^ B C", "(A ^ B) & C"),
    ("A + B * C ^ A", "A | (B & (C ^ A))"),
    ("!(A&B)'", "A & B"),
    ("(A)(B)", "A & B"),
    ("A 1 + 0", "A"),
])
def test_operators_bind_as_in_liberty(text, same):
    for row in itertools.product((False, True), repeat=3):
        values = dict(zip("ABC", row, strict=True))
        assert parse_expression(text).holds(values) == parse_expression(same).holds(values)


def test_expressions_equal_python(pdk):
    for cell in pdk.corner("typ").library.cells.values():
        for pin in cell.outputs.values():
            if not pin.function or cell.is_sequential:
                continue
            function = parse_expression(pin.function)
            for row in itertools.product((0, 1), repeat=len(function.pins())):
                values = dict(zip(sorted(function.pins()), row, strict=True))
                # Of Python's numbers only the lowest bit counts.
                assert function.holds(values) == bool(eval(pin.function.replace("!", "~"), dict(values)) & 1), cell.name


def test_tables_and_replaced_pins():
    function = parse_expression("A & !B + 0")
    assert function.table("AB") == (False, False, True, False) and function.table("BA") == (False, True, False, False)
    assert function.replaced({"B": parse_expression("A ^ C")}) == parse_expression("A & !(A ^ C) + 0")
    assert function.replaced({"A": HIGH}).table("B") == (True, False)


@pytest.mark.parametrize("text", ["", "A &", "(A", "A)", "A | | B", "A % B"])
def test_no_expression(text):
    with pytest.raises(QCLIFError, match="is no Liberty expression"):
        parse_expression(text)
