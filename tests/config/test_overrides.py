"""Settings that can change after training: what is taken, what is refused in which words, what has no effect."""

import pytest

from mt.config import MACHINE, Config, Nearest, Search
from mt.config.alignment import AlignmentConfig
from mt.config.corpora import ToyCorpus
from mt.config.models import AttentionConfig, RNNModel
from mt.config.overrides import CHANGEABLE, KEYS, change, describe_settings, parse_changes
from mt.config.tree import flatten
from mt.core.errors import UsageError


def config(settings: Search | None = None) -> Config:
    return Config(corpus=ToyCorpus(name="toy"), search=settings or Search())


def changed(*overrides: str, settings: Search | None = None, n_best: int = 1) -> Search:
    return change(config(settings), parse_changes(overrides), n_best).search


def refused(*overrides: str, settings: Search | None = None) -> str:
    with pytest.raises(UsageError) as caught:
        changed(*overrides, settings=settings)
    return str(caught.value)


def test_nothing_asked_changes_nothing() -> None:
    settings = Search(beam=3, nearest=Nearest(count=4, weight=0.3))
    assert changed(settings=settings) == settings


def test_what_is_asked_lies_over_the_settings_of_the_run() -> None:
    settings = Search(beam=3, no_repeat=2, nearest=Nearest(count=4, weight=0.3))
    found = changed("search.beam=10", "search.nearest.weight=0.5", "search.beam=7", settings=settings)
    assert found == Search(beam=7, no_repeat=2, nearest=Nearest(count=4, weight=0.5))
    assert changed("search={beam: 2, nearest: {count: 9}}") == Search(beam=2, nearest=Nearest(count=9))
    assert changed("search.length_penalty=2", "search.precision=bfloat16").length_penalty == 2.0


def test_every_key_can_be_given_and_is_described() -> None:
    defaults = {node: tree().model_dump() for node, tree in CHANGEABLE.items()}
    assert list(flatten(defaults)) == KEYS
    described = describe_settings().split("\n\n")
    assert [one.partition("=")[0] for one in described] == KEYS
    assert all(one.partition(": ")[2] for one in described)
    assert described[0].startswith("search.beam=5: Hypotheses")
    assert "search.sample=false: " in describe_settings()
    assert "search.precision=float32: float32 or bfloat16 or float16 or int8. " in describe_settings()
    sampled = {"search.temperature", "search.top_k", "search.top_p", "search.sample_seed"}
    for key, value in flatten(defaults).items():
        rest = ["search.sample=true"] if key in sampled else ["search.nearest.count=3"]
        rest += ["search.nearest.index=faiss"] if key == "search.nearest.probes" else []
        assert changed(f"{key}={value}", *rest)


def test_any_node_that_can_change_is_changed_and_the_rest_stays() -> None:
    old = config(Search(beam=3))
    new = change(old, parse_changes(["alignment.unit=pieces", "search.no_repeat=2"]))
    assert new == old.model_copy(
        update={"alignment": AlignmentConfig(unit="pieces"), "search": Search(beam=3, no_repeat=2)}
    )
    assert change(old, {}) == old
    blind = old.model_copy(update={"model": RNNModel(attention=AttentionConfig(score="none"))})
    with pytest.raises(UsageError, match=r"^alignment\.unit has no effect on a model without attention$"):
        change(blind, parse_changes(["alignment.unit=pieces"]))


@pytest.mark.parametrize(
    "key", [key for key in flatten(Config.model_construct().model_dump()) if key.split(".")[0] not in CHANGEABLE]
)
def test_a_key_of_training_is_refused_by_name(key: str) -> None:
    if key in MACHINE:
        assert refused(f"{key}=2").startswith(f"{key} is a property of this machine: set ")
    else:
        assert refused(f"{key}=1").startswith(
            f"{key} is fixed once a run is trained: only keys of search, alignment, metrics can"
        )


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("search.baem=2", "unknown key search.baem in the command line: did you mean search.beam?"),
        (
            "search.nearest.cuont=2",
            "unknown key search.nearest.cuont in the command line: did you mean search.nearest.count?",
        ),
        ("searhc.beam=2", "unknown key searhc.beam: did you mean search.beam?"),
        ("beam=2", "unknown key beam: did you mean search.beam?"),
        ("count=2", "unknown key count: did you mean search.nearest.count?"),
        ("zzz=2", f"unknown key zzz: known here: {', '.join(KEYS)}"),
        ("beam", "override 'beam' on the command line: write key=value"),
        ("search.beam=[", "override 'search.beam=[' on the command line, line 1: not YAML"),
        ("alignment=3", "alignment has keys of its own: write one of them, such as alignment.unit"),
        ("alignment.unit=letters", "alignment.unit in the command line is 'letters': input should be 'words', 'tok"),
        ("unti=words", "unknown key unti: did you mean alignment.unit?"),
        ("search=3", "search has keys of its own: write one of them, such as search.beam"),
        ("search.nearest=3", "search.nearest in the command line is 3: it has keys of its own: count, weight, temp"),
        ("search.beam=0", "search.beam in the command line is 0: input should be greater than or equal to 1"),
        ("search.beam=many", "search.beam in the command line is 'many': input should be a valid integer"),
        ("search.beam=yes", "search.beam in the command line is True, not a number; YAML reads a bare yes"),
        ("search.length_penalty=400", "search.length_penalty in the command line is 400: input should be less than or"),
        ("search.length_penalty=.nan", "search.length_penalty in the command line is nan: input should be a finite"),
        (
            "search.precision=bf16",
            "search.precision in the command line is 'bf16': input should be 'float32', 'bfloat",
        ),
        ("search.nearest.weight=1", "search.nearest.weight in the command line is 1: input should be less than 1"),
    ],
)
def test_what_cannot_be_is_refused_in_the_words_of_the_config(override: str, complaint: str) -> None:
    assert refused(override).startswith(complaint)


@pytest.mark.parametrize(
    ("overrides", "complaint"),
    [
        ("temperature=0.5", "temperature has no effect without search.sample=true"),
        ("top_k=5 sample=false", "top_k has no effect without search.sample=true"),
        ("top_p=0.5", "top_p has no effect without search.sample=true"),
        ("sample_seed=1", "sample_seed has no effect without search.sample=true"),
        ("beam=5 sample=true", "beam has no effect with search.sample=true"),
        ("coverage_penalty=0.1 sample=true", "coverage_penalty has no effect with search.sample=true"),
        ("beam=1 length_penalty=0.5", "length_penalty has no effect with search.beam=1"),
        ("beam=1 coverage_penalty=0.5", "coverage_penalty has no effect with search.beam=1"),
        ("nearest.weight=0.5", "nearest.weight has no effect without search.nearest.count"),
        ("nearest.index=faiss", "nearest.index has no effect without search.nearest.count"),
        ("nearest.count=2 nearest.probes=3", "nearest.probes has no effect without search.nearest.index=faiss"),
    ],
)
def test_what_has_no_effect_is_refused(overrides: str, complaint: str) -> None:
    assert refused(*(f"search.{override}" for override in overrides.split())) == f"search.{complaint}"


def test_what_the_run_says_and_how_many_are_printed_count() -> None:
    assert changed("search.temperature=0.5", settings=Search(sample=True)).temperature == 0.5
    assert changed("search.beam=3", "search.sample=false", settings=Search(sample=True)).beam == 3
    assert refused("search.beam=3", settings=Search(sample=True)) == "search.beam has no effect with search.sample=true"
    assert changed("search.length_penalty=0.5", settings=Search(beam=1), n_best=2).length_penalty == 0.5
