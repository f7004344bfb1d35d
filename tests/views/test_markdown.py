"""Tables as Markdown."""

from mt.views.markdown import tabulate


def test_a_cell_cannot_end_its_table() -> None:
    lines = tabulate(("a", "b"), [("x\n| y", "z")]).splitlines()
    assert lines == ["| a | b |", "| --- | --- |", r"| x \| y | z |"]
