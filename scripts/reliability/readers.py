"""All that `mt` reads from outside, each as a function of bytes, with inputs that it takes."""

import asyncio
import gzip
import io
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow
import safetensors.torch
import torch
from material import PAIRS, Material
from pyarrow import parquet

from mt.alignment.files import read_npz, read_pharaoh
from mt.alignment.gold import FORMATS, read_gold
from mt.config.corpora import Columns, FilesCorpus
from mt.config.files import read_config
from mt.config.overrides import change, parse_changes
from mt.config.study import read_study
from mt.core import manifest
from mt.core.errors import UserError
from mt.core.text import decode_sentences, read_sentences
from mt.corpora import files
from mt.corpora.pairs import Split
from mt.data.reading import SURVEY, kept_survey
from mt.evaluation.choice import of_run
from mt.lab.diagnosis.distributions import read_expected
from mt.lab.report.report import report, to_json
from mt.lab.study.difference import read_differences
from mt.runs.card import write_card
from mt.runs.names import CHOICE, CONFIDENCE, CONFIG, DIAGNOSIS, FILM, METRICS, PACKED, STATE, UPDATES, WEIGHTS
from mt.runs.packed import pack
from mt.runs.run import Run
from mt.runs.scores import FILE
from mt.runs.updates import read_updates
from mt.text.tokenizer import load_tokenizers
from mt.web.app import create_app


@dataclass(frozen=True)
class Reader:
    """A reader, and valid inputs. It raises UserError for what it refuses; whatever else it raises is a mistake."""

    name: str
    read: Callable[[bytes], object]
    valid: Sequence[bytes]
    share: float = 1.0
    """Of the inputs, beside 1 for most readers: what takes long gets fewer."""


def readers(material: Material) -> list[Reader]:
    """Return all readers, which may write into the folder of the material."""
    return [*_configs(material), *_corpora(material), *_links(material), *_run(material), *_web()]


def _file(path: Path, read: Callable[[Path], object]) -> Callable[[bytes], object]:
    """Return a reader of bytes that stand in a file."""

    def from_bytes(data: bytes) -> object:
        path.write_bytes(data)
        return read(path)

    return from_bytes


def _configs(at: Material) -> list[Reader]:
    toy = at.write("toy.yaml", b"corpus: {name: toy}\n")
    config = at.run.config
    overrides = [b"search.beam=3", b"metrics.tokenize=char", b"alignment.unit=pieces", b"search.nearest={count: 0}"]
    trained = [b"model.hidden=8", b"train.betas=[0.9, 0.99]", b"corpus={name: gnt}", b"model={kind: transformer}"]
    study = (
        b"config: toy.yaml\ncommon: [train.warmup=2]\naxes:\n  model.layers: [1, 2]\n  a: {x: [], y: [train.clip=2]}\n"
    )
    extended = b"extends: toy.yaml\nseed: &a 3\nthreads: *a\n"
    return [
        Reader(
            "a config",
            _file(at / "x.yaml", read_config),
            [*at.configs, extended],
        ),
        Reader(
            "the config of a run", _file(at / "y.yaml", lambda path: read_config(path, of_run=True)), at.configs, 0.3
        ),
        Reader(
            "changes on the command line",
            lambda data: change(config, parse_changes([os.fsdecode(data)])),
            overrides,
        ),
        Reader(
            "overrides of a config", lambda data: read_config(toy, [os.fsdecode(data)]), [*overrides, *trained], 0.5
        ),
        Reader("a study", _file(at / "study.yaml", read_study), [study], 0.02),
    ]


def _corpora(at: Material) -> list[Reader]:
    plain = "".join(f"{source} {target}\n" for source, target in PAIRS).encode()
    rows = {
        "tsv": "".join(f"{source}\t{target}\n" for source, target in PAIRS),
        "csv": "de,en\n" + "".join(f'"{source}","{target}"\n' for source, target in PAIRS),
        "jsonl": "".join(json.dumps({"de": source, "en": target}) + "\n" for source, target in PAIRS),
    }
    objects = [{"de": source, "en": target} for source, target in PAIRS]
    units = "".join(
        f'<tu><tuv xml:lang="de"><seg>{source}</seg></tuv><tuv xml:lang="en-US"><seg>{target}</seg></tuv></tu>\n'
        for source, target in PAIRS
    )
    memory = f'<?xml version="1.0"?>\n<!DOCTYPE tmx SYSTEM "x.dtd">\n<tmx><body>\n{units}</body></tmx>\n'
    table = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(objects), table)
    rows |= {"json": json.dumps(objects), "tmx": memory}
    zstd = bytes(pyarrow.Codec("zstd").compress(rows["csv"].encode(), asbytes=True))
    config = FilesCorpus(name="files", source="de", target="en", train="x.tsv", copies="allow")

    named = config.model_copy(update={"columns": Columns(source="de", target="en")})
    counted = config.model_copy(update={"columns": Columns(source=3, target=1)})
    old = config.model_copy(update={"encoding": "windows-1252"})
    wide = "".join(f"{target}\t7\t{source}\n" for source, target in PAIRS)

    def split(name: str, config: FilesCorpus = config) -> Callable[[bytes], object]:
        return _file(at / name, lambda path: files.read(str(path), config))

    def stream(path: Path) -> object:
        given = {"train": str(path), "validation": "x", "test": "x", "streaming": True}
        return files.stream(config.model_copy(update=given)).head()

    two = _file(at / "plain", lambda path: files.read((str(path), str(path)), config))
    return [
        Reader("two plain files", two, [plain, plain.decode().encode("utf-16"), plain.replace(b"\n", b"\r\n")]),
        *(Reader(f"a .{kind} file", split(f"x.{kind}"), [text.encode()]) for kind, text in rows.items()),
        Reader("a .tsv.gz file", split("x.tsv.gz"), [gzip.compress(rows["tsv"].encode(), mtime=0)]),
        Reader("a .csv.zst file", split("x.csv.zst"), [zstd]),
        Reader("a .parquet file", split("x.parquet"), [table.getvalue()]),
        Reader("named columns, .csv", split("n.csv", named), [rows["csv"].encode()]),
        Reader("named columns, .tsv", split("n.tsv", named), [b"id\ten\tde\n" + wide.encode()]),
        Reader("counted columns, .tsv", split("c.tsv", counted), [wide.encode()]),
        Reader("columns in windows-1252", split("o.csv", old), [rows["csv"].encode("windows-1252")]),
        *(
            Reader(f"a stream of .{kind}", _file(at / f"y.{kind}", stream), [rows[kind].encode()])
            for kind in ("tsv", "csv", "jsonl", "tmx")
        ),
        Reader("a stream of .parquet", _file(at / "y.parquet", stream), [table.getvalue()]),
        Reader("sentences in a file", _file(at / "lines", read_sentences), [plain]),
        Reader("standard input", lambda data: decode_sentences(data, "standard input"), [plain]),
    ]


def _links(at: Material) -> list[Reader]:
    pairs = Split([source for source, _ in PAIRS], [target for _, target in PAIRS])
    gold = {
        "pharaoh0": b"0-0 1?1\n" * len(PAIRS),
        "pharaoh1": b"1-1 2p2\n" * len(PAIRS),
        "naacl": b"".join(b"%d 1 1 S\n%d 2 1 P\n" % (row, row) for row in range(1, len(PAIRS) + 1)),
    }

    def of(form: str) -> Callable[[bytes], object]:
        return _file(at / form, lambda path: read_gold(path, form, pairs))

    return [
        *(Reader(f"gold links, {form}", of(form), [gold[form]]) for form in FORMATS),
        Reader("links of a guide", _file(at / "links", read_pharaoh), [b"0-0 1-1\n2-3\n\n"]),
        Reader("alignments, .npz", _file(at / "x.npz", read_npz), [at.alignments.read_bytes()], 0.2),
    ]


def _run(at: Material) -> list[Reader]:
    run = at.run

    def of(name: str, read: Callable[[Run], object], share: float = 0.02) -> Reader:
        path = run / name
        valid = path.read_bytes()

        def from_bytes(data: bytes) -> object:
            path.write_bytes(data)
            try:
                return read(Run(run.path))
            finally:
                path.write_bytes(valid)

        return Reader(f"a run's {name}", from_bytes, [valid], share)

    def reported(fresh: Run) -> object:
        return to_json(report([fresh]))

    def tensors(fresh: Run) -> object:
        return fresh.model if fresh.fingerprint else None

    packed = pack(run, at / "packed")
    (packed / manifest.NAME).unlink()  # by which every change would be noticed
    state = safetensors.torch.save({"a": torch.zeros(1)}, {"record": json.dumps(run.record)})
    differences = _file(at / "study.json", read_differences)
    return [
        of(f"eval/test/{FILE}", lambda one: (write_card(one, "x"), reported(one))),
        of(CONFIDENCE, reported),
        of(CHOICE, of_run, 0.5),
        of(DIAGNOSIS, lambda one: (read_expected(one), reported(one))),
        of(UPDATES, lambda one: read_updates(one / UPDATES), 0.5),
        of(METRICS, lambda one: (write_card(one, "x"), one.best_validation, reported(one))),
        of(FILM, lambda one: one.film, 0.5),
        of("eval/test/alignments.jsonl", reported),
        Reader(f"a run's {STATE}", of(STATE, lambda one: (one.is_trained, write_card(one, "x"))).read, [state], 0.05),
        Reader(
            f"a packed run's {PACKED}",
            _file(packed / PACKED, lambda path: (Run(path.parent).is_trained, write_card(Run(path.parent), "x"))),
            [(packed / PACKED).read_bytes()],
            0.2,
        ),
        of(WEIGHTS, tensors),
        of("tokenizer.model", lambda one: load_tokenizers(one.path, one.config.vocabulary), 0.05),
        Reader("a run's survey", _file(at / SURVEY, lambda path: kept_survey(path.parent)), [at.survey]),
        Reader("a study's differences", differences, [at.differences]),
        of(CONFIG, lambda one: (one.config, one.tokenizers), 0.05),
    ]


class _Nobody:
    """A run that is served and never translates: a request that gets as far as this was understood."""

    name = "run"

    def load(self) -> Any:
        raise UserError(UNDERSTOOD)


UNDERSTOOD = "this was understood"


def _web() -> list[Reader]:
    app = create_app([_Nobody()])  # type: ignore[list-item]
    asked = {"texts": ["Ein Hund."], "beam": 2, "n_best": 2, "unit": "words", "layer": 1, "head": 1, "trace": True}
    going_on = {"text": "Ein Hund.", "prefix": "A", "weights": {"0": [0.5, 0.5]}, "uniform": False}
    numbers = going_on | {"prefix": [5, 6, 7]}

    def at(path: str) -> Callable[[bytes], object]:
        return lambda data: asyncio.run(_post(app, path, data))

    return [
        Reader("a request to translate", at("/api/translate"), [json.dumps(asked).encode()], 0.5),
        Reader(
            "a request to go on", at("/api/continue"), [json.dumps(one).encode() for one in (going_on, numbers)], 0.5
        ),
    ]


async def _post(app: Any, path: str, body: bytes) -> None:
    """Send a request. Raises UserError where it is refused, RuntimeError where it fails."""
    sent: list[Any] = []
    given = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        return given.pop() if given else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b""}
    scope |= {
        "headers": [(b"content-type", b"application/json")],
        "http_version": "1.1",
        "scheme": "http",
        "root_path": "",
    }
    scope |= {"server": ("localhost", 80), "client": ("localhost", 1), "app": app}
    await app(scope, receive, send)
    answer = b"".join(message.get("body", b"") for message in sent[1:])
    if sent[0]["status"] >= 500:
        raise RuntimeError(answer)
    if UNDERSTOOD.encode() not in answer:
        raise UserError(json.loads(answer)["error"])
