"""Write docs/reference/ from the code: commands, keys of configs and studies, files of a run, what attention there is.

    python scripts/reference.py

A test fails while the pages in docs/reference/ differ from what this program writes.
"""

import inspect
import types
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
import yaml
from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo
from typer.models import ArgumentInfo, ParamMeta
from typer.utils import get_params_from_function

from mt import cli
from mt.attention import CoverageAttention, FixedVector, MultiHead
from mt.attention.scores import SCORES
from mt.attention.windows import WINDOWS
from mt.config import Config
from mt.config.mistakes import TAGS
from mt.config.study import Study
from mt.config.tree import Tree
from mt.core.files import write_text
from mt.runs.names import FILES, FOLDERS, LOCK, OWNER
from mt.views.markdown import tabulate

NOTE = "\nThis page is written by `python scripts/reference.py`: change the code, not the page.\n"
KINDS = {int: "whole number", float: "number", str: "text", Path: "path", bool: "true or false", Any: "values"}
SIGNS = {Ge: ("ge", "at least"), Gt: ("gt", "above"), Le: ("le", "at most"), Lt: ("lt", "below")}
SCORED = {
    "scores.json": "BLEU, chrF, TER and what else was asked for, each with its signature and 95 % interval; AER where "
    "gold links are known; the settings of the search; a fingerprint of the weights",
    "sources.txt": "the split's source sentences, one a line",
    "references.txt": "their translations by people; those of further translators in references.2.txt, and so on",
    "hypotheses.txt": "their translations by the model",
    "alignments.npz": "the attention matrices of each sentence, by pieces and by words (float16)",
    "alignments.jsonl": "the same and the pieces, words and links of each sentence, a line of JSON each",
    "alignments.pharaoh": "the links of each sentence: `i-j`, source-target, counted from 0",
}
"""What eval/SPLIT/ holds."""
Row = tuple[str, ...]


def reference(
    output: Annotated[Path, typer.Option(help="Folder of the pages.")] = Path("docs/reference"),
) -> None:
    """Write the pages."""
    for name, page in PAGES.items():
        write_text(output / name, page())


def paragraphs(documented: Any) -> str:
    """Return a docstring, without the indentation of the code."""
    return inspect.cleandoc(documented.__doc__ or "")


# Commands -------------------------------------------------------------------------------------------------------------


def commands() -> str:
    """Return the page of all commands."""
    body = "\n\n".join(command(name, called) for name, called in cli.COMMANDS.items())
    return f"""# Commands
{NOTE}
`mt COMMAND --help` says the same in the terminal. Exit codes: 0, it worked; 1, it failed, and the reason is on standard
error; 2, the command was written wrongly; 130, it was interrupted by Ctrl-C. The keys that change how a run searches
are those of [`search`](config.md#search).

{body}
"""


def command(name: str, callback: Callable[..., Any]) -> str:
    """Return the section of one command."""
    params = get_params_from_function(callback).values()
    given = [param for param in params if isinstance(param.default, ArgumentInfo) and not param.default.hidden]
    rest = [param for param in params if not isinstance(param.default, ArgumentInfo)]
    usage = " ".join(["mt", name, *map(placeholder, given), *(["[OPTIONS]"] if rest else [])])
    parts = [f"## mt {name}", paragraphs(callback), f"**{usage}**"]
    if given:
        parts.append(tabulate(("argument", "value", "meaning"), [argument(param) for param in given]))
    if rest:
        parts.append(tabulate(("option", "value", "default", "meaning"), [option(param) for param in rest]))
    return "\n\n".join(parts)


def placeholder(param: ParamMeta) -> str:
    """Return how the usage line has an argument."""
    name = (param.default.metavar or param.name).upper() + ("..." if list in origins(param.annotation) else "")
    return name if param.default.default is ... else f"[{name}]"


def argument(param: ParamMeta) -> Row:
    """Return the row of an argument."""
    return f"`{placeholder(param).strip('[]')}`", value(param.annotation), param.default.help or ""


def option(param: ParamMeta) -> Row:
    """Return the row of an option."""
    info = param.default
    names = info.param_decls or ("--" + param.name.replace("_", "-"),)
    bounds = [f"{words} {end}" for words, end in (("at least", info.min), ("at most", info.max)) if end is not None]
    if bool in (param.annotation, *get_args(param.annotation)):
        said = ""
    else:
        said = ", ".join([value(param.annotation), *bounds]).replace("list of ", "any number of times: ")
    default = "" if info.default in (None, False) else f"`{info.default}`"
    return ", ".join(f"`{name}`" for name in names), said, default, info.help or ""


# Kinds of values ------------------------------------------------------------------------------------------------------


def origins(annotation: Any) -> set[Any]:
    """Return the generic types in a type and in the members of its union."""
    return {get_origin(part) for part in (annotation, *get_args(annotation))}


def value(annotation: Any) -> str:
    """Return in words what may be written for a value of this type."""
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return ", ".join([value(inside[0]), *bounded(inside[1:])])
    if origin is Literal:
        return ", ".join(f"`{choice}`" for choice in inside)
    if origin in {Union, types.UnionType}:
        return ", or ".join(value(part) for part in inside if part is not type(None))
    if origin is list or (origin is tuple and inside[-1] is ...):
        return f"list of {value(inside[0])}"
    if origin is tuple:
        return f"list of {len(inside)}: {value(inside[0])}"
    if origin is dict:
        return f"by name, a {value(inside[1])}"
    return KINDS[annotation]


def bounded(metadata: typing.Iterable[Any]) -> Iterator[str]:
    """Yield the bounds of a number in words."""
    for one in metadata:
        if isinstance(one, FieldInfo):
            yield from bounded(one.metadata)
        elif type(one) in SIGNS:
            name, words = SIGNS[type(one)]
            yield f"{words} {getattr(one, name):,}"


# Config keys ----------------------------------------------------------------------------------------------------------


def keys() -> str:
    """Return the page of all keys of a config."""
    head = f"""# Config keys
{NOTE}
A config is a YAML file. It says only what differs from the defaults, or from the config that it `extends`.
`mt config NAME` prints the whole of one. A key of this page is written as a tree in a file, and with dots in a command:
`train: {{epochs: 3}}` is `train.epochs=3`. Where a default is "unset", the meaning says what happens then. A key that
does not exist, a value that does not fit, and two values that exclude each other are refused with the reason.
"""
    return "\n\n".join([head.rstrip(), *subtree(Config, "", "An experiment")]) + "\n"


def study() -> str:
    """Return the page of the keys of a study."""
    return f"""# Keys of a study
{NOTE}
A study is a YAML file that `mt study` runs; [studies](../howto/studies.md) shows one. A set of changes has lines as on
the command line: `train.epochs=3`. Besides [the keys of a config](config.md) a change may be `config=NAME`, which is
another config to begin with, and `teacher=POINT`: the runs of that point, all seeds, are trained first and teach this
one.

{"".join(subtree(Study, "", "A study"))}
"""


def subtree(tree: type[Tree], prefix: str, title: str) -> Iterator[str]:
    """Yield the section of a subtree, and then those of the subtrees in it."""
    below: list[tuple[type[Tree], str, str]] = []
    rows: list[Row] = []
    for name, field in tree.model_fields.items():
        if not (nodes := trees(field.annotation)):
            rows.append((f"`{prefix}{name}`", allowed(field), default(field), field.description or ""))
        for node in nodes:
            tag = TAGS.get(name) if not prefix else None
            kind = f": {get_args(node.model_fields[tag].annotation)[0]}" if tag else ""
            below.append((node, f"{prefix}{name}.", f"{prefix}{name}{kind}"))
    parts = [f"## {title}", paragraphs(tree)] if prefix else []
    yield "\n\n".join([*parts, tabulate(("key", "value", "default", "meaning"), rows)])
    for node, inner, called in below:
        yield from subtree(node, inner, called if not title.startswith("model: ") else f"{called} ({title[7:]})")


def trees(annotation: Any) -> list[type[Tree]]:
    """Return the subtrees that a field may hold."""
    return [part for part in (annotation, *get_args(annotation)) if inspect.isclass(part) and issubclass(part, Tree)]


def allowed(field: FieldInfo) -> str:
    """Return in words what a key may be."""
    return ", ".join([value(field.annotation), *bounded(field.metadata)])


def default(field: FieldInfo) -> str:
    """Return what a key is when nobody sets it, as YAML has it."""
    if field.is_required():
        return "needed"
    plain = field.get_default(call_default_factory=True)
    if plain is None:
        return "unset"
    plain = list(plain) if isinstance(plain, tuple) else plain
    said = yaml.safe_dump(plain, default_flow_style=True).removesuffix("...\n").strip()
    return f"`{said}`"


# Attention ------------------------------------------------------------------------------------------------------------


def attention() -> str:
    """Return the page of scores, windows, and what goes around them."""
    around = {"`score: none`": FixedVector, "`coverage: true`": CoverageAttention, "`heads: 2` and more": MultiHead}
    return f"""# Attention
{NOTE}
The weights of a query are the softmax of a *score* over the pieces that a *window* allows; the context is the sum of
the values, weighted so. `model.attention` of a [config](config.md) chooses both. q is the query, k a key; W, U and v
are learned; S is the number of source pieces.

## Scores

{classes("model.attention.score", SCORES)}

## Windows

{classes("model.attention.window", WINDOWS)}

## Around them

{classes("model.attention", around)}
"""


def classes(key: str, entries: dict[str, Any]) -> str:
    """Return a table of names, classes, and what these say of themselves."""
    rows = [
        (name if "`" in name else f"`{name}`", f"`{entry.__name__}`", entry.__doc__) for name, entry in entries.items()
    ]
    return tabulate((f"`{key}`", "class", "formula and paper"), rows)


# A run directory ------------------------------------------------------------------------------------------------------


def run_directory() -> str:
    """Return the page of what a run directory holds."""
    folders = {f"{name}/": meaning for name, meaning in FOLDERS.items()}
    locks = {LOCK: "held by the process that writes the run, and freed with it", OWNER: "which process that is"}
    return f"""# A run directory
{NOTE}
A run is a directory, `runs/NAME` unless you say otherwise. It explains itself: its config is resolved, so that no other
file is needed to read it, and nothing in it is pickled. `config.yaml`, the vocabularies and `model.safetensors` are all
that translating needs. Every file is written beside its final name and then renamed. So a run that is killed at any
moment goes on where it was saved, and ends with the same weights, bit for bit, as a run that was never killed (on the
same machine, with the same number of threads).

`manifest.json` has the checksums of the others, so what is damaged is named when it is read, with what to do; cache,
lessons, datastore and `metrics.jsonl` are written again, and so are the weights by `mt train --resume`. You may edit
`config.yaml`; it is whole where it ends with the line `...`. If you change another file, delete `manifest.json`, and
nothing is checked any more, as in a run of an older version. A run may be copied without its state.

{files(FILES | folders | locks)}

Files of `eval/SPLIT/` (of your own files: `eval/NAME/`; with other runs: `SPLIT+OTHER/`; in a study: `SPLIT@HASH/`):

{files(SCORED)}

`eval/SPLIT/others/` has what `mt eval --hypotheses` found of another system: `FILE.txt`, and in `FILE.json` its scores
and their differences from the run's. `align/` holds the three files of an alignment, under the name of the split.
"""


def files(named: dict[str, str]) -> str:
    """Return a table of files and what they hold."""
    return tabulate(("file", "what it holds"), [(f"`{name}`", meaning) for name, meaning in named.items()])


PAGES = {
    "commands.md": commands,
    "config.md": keys,
    "study.md": study,
    "run-directory.md": run_directory,
    "attention.md": attention,
}

if __name__ == "__main__":
    cli.main(reference)
