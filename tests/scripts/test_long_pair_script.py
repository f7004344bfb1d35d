"""The program that measures the memory of one long pair, over a short one."""

import re

from command_line import run_script


def test_a_short_pair_is_measured() -> None:
    small = "model.hidden=8", "model={kind: transformer, width: 8, heads: 2, feedforward: 8, layers: 1}"
    done = run_script("reliability/long_pair", "--pieces", 9, "--config", "toy", "--ask", small[0], "--ask", small[1])
    assert done.returncode == 0, done.stderr
    assert "toy, a pair of 9 pieces on either side:" in done.stdout
    rows = re.findall(r"^\| `(.*)` \| (\d+) \|$", done.stdout, re.MULTILINE)
    assert [name for name, _ in rows] == [*small]
    assert all(100 < int(megabytes) < 1000 for _, megabytes in rows)
