"""`mt` for torchrun: dying_rank.py SIGNAL COUNT ARGUMENTS. At its start process 1 is sent the signal at that step."""

import os
import signal
import sys

import torch
from killer import send_at

from mt import cli

if __name__ == "__main__":
    by, count, *arguments = sys.argv[1:]
    if os.environ["RANK"] == "1" and os.environ["TORCHELASTIC_RESTART_COUNT"] == "0":
        torch.optim.Adam.step = send_at(torch.optim.Adam.step, int(count), after=True, by=signal.Signals[by])
    sys.argv = ["mt", *arguments]
    cli.main()
