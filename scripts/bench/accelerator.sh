#!/bin/sh
# On a machine with a GPU: the tests of devices, the toy task on it, and a table of what it gives. Meant for eight minutes.
#
#     scripts/bench/accelerator.sh table.md
set -e
cd "$(dirname "$0")/../.."
python -m pytest -q tests/training/test_gpu.py tests/training/test_real_gpu.py
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python -m mt train toy train.epochs=2 --run "$work/toy"
python -m mt eval "$work/toy"
python scripts/bench/accelerator.py --output "${1:-/dev/stdout}"
