"""A search on a shortlist is the full search where other pieces have no probability; and the list of a run."""

import copy
import shutil
from pathlib import Path

import pytest
import torch
from command_line import mt
from tiny_models import RARE, SOURCES, TRANSFORMERS, batch, close, config, model, transformer
from torch import Tensor, nn

from mt.config import Search
from mt.config.files import read_config
from mt.config.models import RNNModel, TransformerModel
from mt.core.errors import UserError
from mt.core.special import EOS, PAD
from mt.inference import shortlist
from mt.inference.load import load
from mt.inference.shortlist import Shortlist, has_shortlist, read_shortlist, write_shortlist
from mt.inference.wording import Wording
from mt.models.bfloat16 import Rounded
from mt.models.contract import NOTHING, Look, Memory, Output, Seq2Seq, Site, State
from mt.models.ensemble import Ensemble
from mt.models.packed import pack
from mt.models.shortlist import narrow
from mt.runs import checkpoint
from mt.runs.config_file import write_config
from mt.runs.names import SHORTLIST
from mt.runs.run import Run
from mt.search import SEARCHES, Found, Sources
from mt.search.rules import Automaton, Rules
from mt.training.experiment import complete

KINDS = RARE | TRANSFORMERS
TARGET_IN = torch.tensor([[2, 4, 6, 8], [2, 5, 5, 0], [2, 7, 0, 0]])


class Masked(Seq2Seq):
    """A model that gives no probability to pieces that are not on a list: what a shortlist leaves out is computed."""

    def __init__(self, model: Seq2Seq, pieces_V: Tensor):
        super().__init__()
        self.model, self.sites, self.summary = model, model.sites, ""
        self.off = torch.ones(9, dtype=torch.bool)
        self.off[pieces_V] = False

    def encode(self, source_BS: Tensor, mask_BS: Tensor) -> tuple[Memory, State]:
        return self.model.encode(source_BS, mask_BS)

    def step(self, previous_BK: Tensor, state: State, memory: Memory, look: Look = NOTHING) -> tuple[Output, State]:
        output, state = self.model.step(previous_BK, state, memory, look)
        return Output(output.logits.masked_fill(self.off, -torch.inf), output.attention), state

    def forward(self, *given: Tensor) -> Output:
        raise NotImplementedError


@pytest.mark.parametrize("made_of", KINDS.values(), ids=KINDS.keys())
def test_every_model_predicts_these_pieces_as_it_would(made_of: RNNModel | TransformerModel) -> None:
    full = model(made_of)
    pieces_V = torch.tensor([0, 1, 2, 3, 5, 8])
    place = torch.zeros(9, dtype=torch.long)
    place[pieces_V] = torch.arange(6)
    ours = torch.where((TARGET_IN[..., None] == pieces_V).any(-1), TARGET_IN, EOS)
    look, listed = Look("all"), narrow(full, pieces_V)
    wanted, found = full(*batch(SOURCES), ours, look), listed(*batch(SOURCES), place[ours], look)
    close(found.logits, wanted.logits[..., pieces_V])
    memory, state = listed.encode(*batch(SOURCES))
    for at, previous_B in enumerate(place[ours].unbind(1)):
        output, state = listed.step(previous_B[:, None], state, memory, look)
        close(output.logits[:, 0], wanted.logits[:, at, pieces_V])
        assert (output.attention is None) == (wanted.attention is None)


MODELS = {
    "float32": lambda: model(config(lexical=True)).float(),
    "float16": lambda: pack(model(config()).float(), "float16"),
    "bfloat16": lambda: Rounded(model(transformer()).float()),
    "ensemble": lambda: Ensemble([model(config()).float(), model(transformer()).float()], [Site(1), Site(2)]),
}


@pytest.mark.usefixtures("bfloat16")
@pytest.mark.parametrize("name", MODELS)
def test_with_all_pieces_on_the_list_it_is_the_model(name: str) -> None:
    if name == "float16" and torch.backends.quantized.engine not in {"x86", "fbgemm"}:
        pytest.skip("this PyTorch packs no weights")
    full = MODELS[name]().eval()
    for module in full.modules():
        if isinstance(module, nn.Linear):  # as those of a run are laid out
            module.weight.data = module.weight.detach().t().contiguous().t()
    listed = narrow(full, torch.arange(9))
    (memory, state), (same, other) = (made.encode(*batch(SOURCES)) for made in (full, listed))
    for previous_B in TARGET_IN.unbind(1):
        wanted, state = full.step(previous_B[:, None], state, memory, Look("all"))
        found, other = listed.step(previous_B[:, None], other, same, Look("all"))
        assert torch.equal(found.logits, wanted.logits)
        assert torch.equal(found.attention, wanted.attention)


@pytest.mark.skipif(torch.backends.quantized.engine not in {"x86", "fbgemm"}, reason="this PyTorch packs no weights")
def test_members_of_an_ensemble_are_packed_again_where_that_is_asked_for() -> None:
    exact = model(config()).float()
    packed = Ensemble([pack(copy.deepcopy(exact), "int8")], [Site(1)])
    memory, state = packed.encode(*batch(SOURCES))
    given, pieces_V = (TARGET_IN[:, :1], state, memory), torch.arange(9)
    wanted = packed.step(*given)[0].logits
    assert torch.equal(narrow(packed, pieces_V, packed=True).step(*given)[0].logits, wanted)
    assert not torch.equal(narrow(packed, pieces_V, packed=False).step(*given)[0].logits, wanted)


def automaton(piece: int) -> Automaton:
    """Find one piece."""
    row = [int(number == piece) for number in range(9)]
    return Automaton(torch.tensor([row, [1] * 9]), torch.tensor([0, 1]))


def asked(prefix: bool, rules: bool, must: bool) -> Sources:
    source_BS, mask_BS = batch(SOURCES)
    prefix_BP = torch.tensor([[8, 5], [PAD, PAD], [5, PAD]]) if prefix else None
    some = Rules.of([[automaton(8)] * must, [], []], [[], [automaton(5)], []], 9, source_BS.device) if rules else None
    return Sources(source_BS, mask_BS, torch.tensor([9, 7, 4]), prefix_BP, (), some)


def same(found: Found, wanted: Found) -> None:
    assert [one.tokens for one in found.hypotheses] == [one.tokens for one in wanted.hypotheses]
    for one, other in zip(found.hypotheses, wanted.hypotheses, strict=True):
        assert one.log_probabilities == pytest.approx(other.log_probabilities)
        assert one.score == pytest.approx(other.score)
        close(one.attention, other.attention)
    for step, other in zip(found.trace, wanted.trace, strict=True):
        for ours, theirs in ((step.kept, other.kept), (step.dropped, other.dropped)):
            assert {(one.parent, one.piece) for one in ours} == {(one.parent, one.piece) for one in theirs}


@pytest.mark.parametrize(("prefix", "rules"), [(False, False), (True, False), (False, True)])
@pytest.mark.parametrize("name", SEARCHES)
@pytest.mark.parametrize("made_of", [config(), transformer()], ids=["rnn", "transformer"])
def test_a_search_on_the_list_is_one_in_which_other_pieces_have_no_probability(
    made_of: RNNModel | TransformerModel, name: str, prefix: bool, rules: bool
) -> None:
    candidates_C = torch.full((9, 2), EOS)
    candidates_C[6], candidates_C[7] = torch.tensor([4, 7]), torch.tensor([5, 7])
    listed = Shortlist(candidates_C, 9, joint=False)
    sources, settings = asked(prefix, rules, name == "beam"), Search(beam=3, no_repeat=2)
    given = {"n_best": 1 if name == "greedy" else 3, "look": Look(Site(1)), "trace": True}
    pieces_V = torch.tensor([0, 1, 2, 3, 4, 5, 7] + [8] * (prefix or rules))
    full = model(made_of)
    wanted = SEARCHES[name](Masked(full, pieces_V), sources, settings, **given)
    found = listed.within(SEARCHES[name], [8] if rules else [])(full, sources, settings, **given)
    everything = SEARCHES[name](full, sources, settings, **given)
    for one, other in zip(found, wanted, strict=True):
        same(one, other)
    assert [one.hypotheses for one in everything] != [one.hypotheses for one in found]


def test_the_list_has_candidates_of_all_and_what_must_be_on_it() -> None:
    candidates_C = torch.arange(40).view(20, 2)
    candidates_C[PAD] = torch.tensor([41, 45])  # those of no source piece
    listed = Shortlist(candidates_C, 50, joint=True).list_of(torch.tensor([7, 15]), [49])
    assert listed.tolist() == [*range(4), 7, 14, 15, 30, 31, 41, 45, 49]
    listed = Shortlist(candidates_C, 50, joint=False).list_of(torch.tensor([7]))
    assert listed.tolist() == [*range(4), 14, 15, 41, 45]


# A run and its list ---------------------------------------------------------------------------------------------------


@pytest.fixture
def run(numbers: Path, tmp_path: Path) -> Path:
    return shutil.copytree(numbers, tmp_path / "run")


LINES = ["sieben elf null", "acht neun", "", "eins"]


def test_a_run_without_a_list_is_given_one_and_translates_the_same(run: Path) -> None:
    wanted = load(run).translate(LINES)
    listed = load(run, changes=["search.shortlist=8"])
    assert has_shortlist(Run(run))
    found = listed.translate(LINES)
    assert [one.text for one in found] == [one.text for one in wanted]
    assert sum(found[0].log_probabilities) > sum(wanted[0].log_probabilities), "what others had is shared out"
    size = len(listed.tokenizers.target)
    assert len(listed.shortlist.list_of(torch.tensor(listed.tokenizers.source.encode("acht neun")))) < size / 2
    assert [one.text for one in load(run, run, changes=["search.shortlist=8"]).translate(LINES)] == [
        one.text for one in wanted
    ]


def test_the_list_of_a_run_has_so_many_candidates_and_pieces_alone(run: Path) -> None:
    made = Run(run)
    few, many = (read_shortlist(made, count).candidates_C for count in (3, 7))
    assert (few.shape[1], many.shape[1]) == (3, 7)
    assert torch.equal(few, many[:, :3])
    for piece, whole in ((many.max(), True), (len(made.tokenizers.target), False), (-1, False)):
        candidates = checkpoint.read(run / SHORTLIST)[0]["candidates"]
        candidates[-1, -1] = piece
        checkpoint.save(run / SHORTLIST, {"candidates": candidates}, {})
        assert has_shortlist(Run(run)) is whole


def test_all_pairs_are_counted_however_many_are_read_at_once(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, found = Run(run), []
    for many in (7, 10_000):
        monkeypatch.setattr(shortlist, "READ", many)
        write_shortlist(made)
        found.append(checkpoint.read(run / SHORTLIST)[0]["candidates"])
    assert torch.equal(*found)


def test_a_prefix_and_what_must_be_said_are_on_the_list(run: Path) -> None:
    listed = load(run, changes=["search.shortlist=1"])
    (found,) = listed.translate(["acht"], prefixes=["seven zero"])
    assert found.text.startswith("seven zero")
    (found,) = listed.translate(["acht"], wording=Wording(must=("twelve",)))
    assert "twelve" in found.text.split()


def test_it_is_asked_for_on_the_command_line_and_not_of_one_call(run: Path) -> None:
    told = mt("translate", run, "--set", "search.shortlist=8", "sieben elf null")
    assert told.stdout.splitlines()[0] == "seven eleven zero", told.stderr
    assert "shortlist.safetensors" in told.stderr
    with pytest.raises(UserError, match=r"search\.shortlist is of the model"):
        load(run).translate(LINES, shortlist=3)


def test_training_writes_the_list_that_its_search_will_ask(run: Path) -> None:
    write_config(run / "config.yaml", read_config(run / "config.yaml", ["search.shortlist=5"]))
    complete(Run(run))
    before = (run / SHORTLIST).read_bytes()
    data = bytearray(before)
    data[-9] ^= 1
    (run / SHORTLIST).write_bytes(data)
    assert not has_shortlist(Run(run)), "damage is noticed"
    complete(Run(run))
    assert (run / SHORTLIST).read_bytes() == before


def test_neighbours_and_streams_have_no_list(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"neighbours vote for any piece.*search\.shortlist"):
        load(run, changes=["search.shortlist=5", "search.nearest.count=4"])
    tree = read_config(run / "config.yaml", [])
    streaming = tree.model_copy(update={"corpus": copy.copy(tree.corpus)})
    asked = Run(run)
    asked.__dict__["config"] = streaming
    object.__setattr__(streaming.corpus, "streaming", True)
    with pytest.raises(UserError, match="from a stream"):
        write_shortlist(asked)
