"""Which experiment `mt train` runs when none is named."""

from pathlib import Path

from mt.corpora import multi30k

MULTI30K = Path("configs/multi30k.yaml")
GNT = Path("configs/gnt.yaml")


def default_config(runs: Path, run: Path | None) -> tuple[Path, str]:
    """Return a config, and in one line why: that of `run`, if it is one; of an unfinished run; Multi30k's; or gnt's.

    Multi30k's, if it can be had. Takes a few seconds at most, also without a network.
    """
    from mt.runs.run import CONFIG, Run

    if run is not None and Run(run).exists:
        return run / CONFIG, f"training as {run / CONFIG} says"
    for config in (MULTI30K, GNT):
        if run is None and Run(runs / config.stem).is_unfinished:
            return config, f"{runs / config.stem} is unfinished: going on with it"
    place = multi30k.available()
    if place == "hub":
        return MULTI30K, "training on Multi30k, from the Hub"
    if place is not None:
        return MULTI30K, f"training on Multi30k, from {place}"
    return GNT, "Multi30k is not here (data/multi30k) and the Hub cannot be reached: training on gnt instead"
