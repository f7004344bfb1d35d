"""`mt` for torchrun: dying_rank.py SIGNAL COUNT ARGUMENTS. At its start process 1 is sent the signal at that step.

Where COUNT is 0, process 0 is, while it reads the corpus.
"""

import os
import signal
import sys

import torch
from killer import send_at

from mt import cli
from mt.training import experiment

if __name__ == "__main__":
    name, number, *arguments = sys.argv[1:]
    by, count = signal.Signals[name], int(number)
    if os.environ["RANK"] == ("1" if count else "0") and os.environ["TORCHELASTIC_RESTART_COUNT"] == "0":
        if count:
            torch.optim.Adam.step = send_at(torch.optim.Adam.step, count, after=True, by=by)
        else:
            experiment.load_splits = send_at(experiment.load_splits, 1, by=by)
    sys.argv = ["mt", *arguments]
    cli.main()
