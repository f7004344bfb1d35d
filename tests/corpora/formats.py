"""A few pairs in each kind of file, and what reads them: whole, and as a stream."""

import bz2
import csv
import gzip
import io
import json
import lzma
from collections.abc import Callable
from typing import Any

import pyarrow
from corpus_files import elsewhere as elsewhere
from pyarrow import parquet

from mt.config.corpora import FilesCorpus
from mt.corpora import files, open_stream

PAIRS = [("Die Ritter wachen nicht auf.", "The knights do not wake up."), ("Wo sind sie, im Winter?", "Where? & <so>")]
PAIRS += [(f'Satz "{number}"', f"sentence; {number}") for number in range(7)]
NOTE = "licence (names of two contributors)"
PACK: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".XZ": lzma.compress,
    ".zst": lambda data: bytes(pyarrow.Codec("zstd").compress(data, asbytes=True)),
}


def config_of(place: str, **keys: Any) -> FilesCorpus:
    given = {"name": "files", "source": "de", "target": "en", "train": place}
    return FilesCorpus.model_validate(given | keys)


def read(place: str, **keys: Any) -> list[tuple[str, str]]:
    split = files.read(place, config_of(place, **keys))
    return list(zip(split.sources, split.targets, strict=True))


def streamed(place: str, size: int = 3, **keys: Any) -> list[tuple[str, str]]:
    """Read a stream some rows at a time, each time anew from the state that is left."""
    config = config_of(place, validation="x.tsv", test="x.tsv", streaming=True, **keys)
    found, state = list[tuple[str, str]](), None
    for _ in range(100):
        stream = open_stream(config)
        assert stream is not None
        split, state = next(stream.chunks(size, state), (None, None))
        if split is None:
            return found
        found += zip(split.sources, split.targets, strict=True)
        state = json.loads(json.dumps(state))
    raise AssertionError("the stream does not end")


def tsv(rows: list[tuple[str, ...]]) -> bytes:
    return "".join("\t".join(row) + "\n" for row in rows).encode()


def comma(rows: list[tuple[str, ...]]) -> bytes:
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue().encode()


def tmx(units: list[tuple[str, str]], head: str = '<!DOCTYPE tmx SYSTEM "tmx14.dtd">', other: str = "en") -> bytes:
    def escape(text: str) -> str:
        return text.replace("&", "&amp;").replace("<", "&lt;")

    body = "".join(
        f'<tu><prop>x</prop><tuv xml:lang="{other}"><seg>{escape(target)}</seg></tuv>\n'
        f'<tuv xml:lang="DE"><note>y</note><seg>{escape(source)}</seg></tuv></tu>\n'
        for source, target in units
    )
    start = f'<?xml version="1.0" encoding="UTF-8"?>\n{head}\n<tmx version="1.4"><header srclang="de"/><body>\n'
    return (start + body + "</body></tmx>\n").encode()


def table(rows: dict[str, list[Any]], **options: Any) -> bytes:
    file = io.BytesIO()
    parquet.write_table(pyarrow.table(rows), file, **options)
    return file.getvalue()
