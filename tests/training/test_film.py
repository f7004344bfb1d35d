"""The film of a training: its matrices are those of the weights, and a kill neither repeats nor loses a frame."""

import re
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from conftest import NUMBERS, mt, write_numbers
from killer import Started
from test_resume import hashes
from test_train import config

from mt.config import Config
from mt.config.files import read_config
from mt.config.shipped import locate
from mt.core.errors import UserError
from mt.core.special import BOS, EOS
from mt.corpora import load_splits
from mt.corpora.pairs import Split
from mt.inference.aligner import View, load_aligner
from mt.inference.load import load
from mt.models.contract import Look
from mt.runs.film import Film, Frame, Seen, Sentence
from mt.runs.run import Run
from mt.text.tokenizer import train_tokenizers
from mt.training.materials import Materials
from mt.training.trainer import Trainer

SHORT = ["train.epochs=3", "train.validate_every=7", "train.save_every=4", "train.average=0.9"]
SAVE_OF_THE_SECOND_VALIDATION = 7
"""Of update 14: saved are every fourth update, the end of each epoch of 6, and validations."""
HALF = 0.5001
"""Of a thousandth, which rounding may change, and what adding in another order does."""


def train(run: Path, *arguments: object, place: str = "never", count: int = 0) -> tuple[int | None, str]:
    return Started(place, count, "train", *arguments, "--run", run).end()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a config, and a run of it that has a film."""
    folder = tmp_path_factory.mktemp("film")
    config = write_numbers(folder, 260)
    code, errors = train(folder / "run", config, *SHORT, "train.film=3")
    assert code == 0, errors
    return config, folder / "run"


def begin(path: Path, tree: Config, split: Split) -> Trainer:
    tokenizers = train_tokenizers(split.sources, split.targets, tree.vocabulary)
    trainer = Trainer(Run(path), Materials(tree, {"train": split, "validation": split}, tokenizers))
    trainer.restore()
    return trainer


@pytest.fixture
def numbers_trainer(tmp_path: Path) -> Callable[..., Trainer]:
    """Return what begins a tiny training on single number words."""

    def build(**changes: object) -> Trainer:
        split = Split(sorted(NUMBERS), [NUMBERS[word] for word in sorted(NUMBERS)])
        return begin(tmp_path, config(**changes), split)

    return build


def best_frame(run: Run) -> Frame:
    assert run.best_validation is not None
    (frame,) = [one for one in run.film.frames if one.update == run.best_validation["update"]]
    return frame


def step_through(run: Run, sentence: Sentence) -> torch.Tensor:
    """Return the attention of a sentence alone, [T, S], from one step of the decoder after another."""
    source_BS = torch.tensor([[*run.tokenizers.source.encode(sentence.source), EOS]])
    look = Look(load_aligner(run).site)
    memory, state = run.model.encode(source_BS, source_BS > 0)
    rows = []
    for piece in [BOS, *run.tokenizers.target.encode(sentence.target)]:
        output, state = run.model.step(torch.tensor([[piece]]), state, memory, look)
        rows.append(output.attention[0, 0])
    return torch.stack(rows)


@torch.inference_mode()
def test_the_frame_of_the_best_validation_is_what_the_saved_weights_see(trained: tuple[Path, Path]) -> None:
    run = Run(trained[1])
    film, frame, aligner = run.film, best_frame(run), load_aligner(run)
    pairs = Split([one.source for one in film.sentences], [one.target for one in film.sentences])
    view = View(aligner.site)
    texts = [one.text for one in load(run.path, changes=["search.beam=1"]).translate(pairs.sources)]
    for sentence, seen, read, text in zip(
        film.sentences, frame.sentences, aligner.forced(pairs, [view])[view], texts, strict=True
    ):
        found = torch.tensor(seen.attention)
        assert found.sum(1).sub(1000).abs().max() <= len(sentence.source_pieces) / 2
        assert (found - 1000 * torch.tensor(read.matrix_TS)).abs().max() <= HALF
        assert (found - 1000 * step_through(run, sentence)).abs().max() <= HALF
        shown = read.alignment()
        assert (shown.source_pieces, shown.target_pieces) == (sentence.source_pieces, sentence.target_pieces)
        assert (shown.source_words, shown.target_words) == (sentence.source_words, sentence.target_words)
        assert seen.translation == text
    first, last = (torch.tensor(one.sentences[0].attention) for one in (film.frames[0], film.frames[-1]))
    assert not torch.equal(first, last)


def test_it_has_a_frame_for_each_validation_of_the_first_sentences_that_suit(trained: tuple[Path, Path]) -> None:
    run = Run(trained[1])
    told = [(record["update"], record["epoch"]) for record in run.validations]
    assert [(frame.update, frame.epoch) for frame in run.film.frames] == told
    assert len(told) > 2
    split = run.splits["validation"]
    pairs = [*zip(split.sources, split.targets, strict=True)]
    suiting = [pair for pair in pairs if min(len(side.split()) for side in pair) > 3]
    assert [(one.source, one.target) for one in run.film.sentences] == suiting[:3] != pairs[:3]


def test_where_few_sentences_suit_they_are_the_first(numbers_trainer: Callable[..., Trainer]) -> None:
    trainer = numbers_trainer(film=50)
    assert [one.source for one in trainer.camera.film.sentences] == sorted(NUMBERS)


def test_a_source_without_pieces_is_not_filmed(tmp_path: Path) -> None:
    split = Split(["\u200b", *sorted(NUMBERS)], ["nought", *(NUMBERS[word] for word in sorted(NUMBERS))])
    trainer = begin(tmp_path, config(film=2), split)
    trainer.train()
    assert [one.source for one in Run(tmp_path).film.sentences] == sorted(NUMBERS)[:2]


@pytest.mark.parametrize(
    ("place", "count", "frames"), [("save", SAVE_OF_THE_SECOND_VALIDATION, 2), ("validation", 4, 1)]
)
def test_killed_and_resumed_it_is_the_same(
    trained: tuple[Path, Path], tmp_path: Path, place: str, count: int, frames: int
) -> None:
    config, whole = trained
    run, settings = tmp_path / "run", [config, *SHORT, "train.film=3"]
    code, errors = train(run, *settings, place=place, count=count)
    assert code == -signal.SIGKILL, errors
    assert len(Run(run).film.frames) == frames
    assert (Run(run).film.frames[-1].update > Run(run).record["update"]) == (place == "save")
    code, errors = train(run, *settings, "--resume")
    assert code == 0, errors
    assert (run / "film.jsonl").read_bytes() == (whole / "film.jsonl").read_bytes()


def test_it_changes_no_weights(trained: tuple[Path, Path], tmp_path: Path) -> None:
    config, filmed = trained
    code, errors = train(tmp_path / "run", config, *SHORT)
    assert code == 0, errors
    without, with_film = hashes(tmp_path / "run"), hashes(filmed)
    assert without.pop("film") != with_film.pop("film")
    assert without == with_film
    assert not (tmp_path / "run/film.jsonl").exists()
    assert Run(tmp_path / "run").film == Film()


def test_a_model_without_attention_keeps_its_translations(tmp_path: Path) -> None:
    tree = config(film=2).model_dump()
    tree["model"]["attention"] = {"score": "none"}
    split = Split(sorted(NUMBERS), [NUMBERS[word] for word in sorted(NUMBERS)])
    trainer = begin(tmp_path, Config.model_validate(tree), split)
    trainer.train()
    film = Run(tmp_path).film
    assert len(film.frames) == len(Run(tmp_path).validations) > 0
    assert {seen.attention for frame in film.frames for seen in frame.sentences} == {None}
    made = trainer.validator.greedy(trainer.model.eval(), sorted(NUMBERS)[:2])
    assert [seen.translation for seen in film.frames[-1].sentences] == made


def test_of_processes_that_train_together_the_first_writes(
    numbers_trainer: Callable[..., Trainer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    camera = numbers_trainer(film=2).camera
    camera.add(3, 1, None)  # what it would look at is not asked
    assert camera.film == Film()
    assert not camera.path.exists()


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-20],
        lambda text: "",
        lambda text: text.replace("[[", "[[7,", 1),
        lambda text: text.replace('"epoch"', '"era"', 1),
        lambda text: text.replace('{"attention"', '{"translation":"a","attention":null},{"attention"', 1),
    ],
)
def test_what_is_damaged_is_said(trained: tuple[Path, Path], tmp_path: Path, damage: Callable[[str], str]) -> None:
    text = (trained[1] / "film.jsonl").read_text()
    assert damage(text) != text
    (tmp_path / "film.jsonl").write_text(damage(text))
    with pytest.raises(UserError) as caught:
        _ = Run(tmp_path).film
    said = f"{tmp_path}/film.jsonl is damaged; restore it, or delete it, and go without the frames it had ("
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("damage", "lost"),
    [
        (lambda lines: [*lines[:2], lines[2][: len(lines[2]) // 2]], [1, 2]),
        (lambda lines: [lines[0][:-9], *lines[1:]], []),
        (lambda lines: [lines[0], lines[1].replace("[[", "[[7,", 1), *lines[2:]], [0]),
        (lambda lines: [], [0, 1, 2]),
    ],
)
def test_a_resume_goes_on_without_the_damaged_frames(
    trained: tuple[Path, Path], tmp_path: Path, damage: Callable[[list[str]], list[str]], lost: list[int]
) -> None:
    config, whole = trained
    run = shutil.copytree(whole, tmp_path / "run")
    lines = (run / "film.jsonl").read_text().splitlines()
    assert len(lines) == 4
    (run / "film.jsonl").write_text("\n".join(damage(lines)))
    done = mt("train", config, *SHORT, "train.film=3", "--run", run, "--resume")
    said = "film.jsonl is damaged; training goes on with what can be read of it ("
    assert (done.returncode, done.stderr.count(said), done.stderr.count("film.jsonl")) == (0, 1, 1), done.stderr
    assert f"): {3 - len(lost)} of 3 frames" in done.stderr
    kept = [frame for number, frame in enumerate(Run(whole).film.frames) if number not in lost]
    assert Run(run).film == Film(Run(whole).film.sentences, kept)
    assert hashes(run) | {"film": ""} == hashes(whole) | {"film": ""}


def test_a_film_of_other_sentences_is_not_gone_on_with(numbers_trainer: Callable[..., Trainer]) -> None:
    camera = numbers_trainer(film=2).camera
    other = Sentence("a", "b", ["a", "</s>"], ["b", "</s>"], ["a"], ["b"])
    Film([other], [Frame(3, 1, [Seen([[400, 600], [0, 1000]], "b")])]).write(camera.path)
    with pytest.raises(UserError, match="is of other sentences than those of this training"):
        camera.go_on({3})


def test_a_frame_is_as_small_as_the_docs_say(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/howto/aligning.md").read_text()
    (kilobytes,) = re.findall(r"A validation adds at most (\d+) kB here", page)
    tree = read_config(locate(Path("toy")), ["train.film=4", "model.hidden=8"])
    split = load_splits(tree.corpus)["validation"]
    trainer = begin(tmp_path, tree, split)
    trainer.camera.add(3, 1, trainer.model.eval())  # no weight is zero yet, and no translation ends by itself
    _, frame = trainer.camera.path.read_bytes().splitlines()
    assert len(trainer.camera.film.sentences) == 4
    assert 700 * int(kilobytes) < len(frame) <= 1000 * int(kilobytes)
