"""Which experiment `mt train` runs when none is named."""

from pathlib import Path

from mt import config_file
from mt.corpora import multi30k

MULTI30K = Path("configs/multi30k.yaml")
GNT = Path("configs/gnt.yaml")


def default_config(runs: Path, run: Path | None) -> tuple[Path, str]:
    """Return a config, and in one line why: that of `run`, or of an unfinished run; else Multi30k, else gnt.

    Multi30k, if it can be had. Takes a few seconds at most, also without a network.
    """
    from mt.checkpoint import is_run, is_unfinished

    for config in (MULTI30K, GNT):
        if run is None and is_unfinished(runs / config.stem):
            return config, f"{runs / config.stem} is unfinished: going on with it"
        if run is not None and is_run(run) and config_file.load(run / "config.yaml").corpus.name == config.stem:
            return config, f"{run} was begun with {config}"
    place = multi30k.available()
    if place == "hub":
        return MULTI30K, "training on Multi30k, from the Hub"
    if place is not None:
        return MULTI30K, f"training on Multi30k, from {place}"
    return GNT, "Multi30k is not here (data/multi30k) and the Hub cannot be reached: training on gnt instead"
