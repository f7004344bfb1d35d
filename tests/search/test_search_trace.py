"""Traces against plain loops (slow_search.py): what competed, what stayed, who left the pool."""

import pytest
from slow_search import Forced, Toy, ask, random_sources
from tiny_models import one_thread as one_thread

from mt.core.special import EOS
from mt.search import SEARCHES, Branch, Ending, Trace, beam, greedy, sample


def trace_of(found: object) -> Trace:
    assert isinstance(found, list)
    return found


def approximately(branches: list[Branch], expected: list[tuple[float, int, list[int]]]) -> None:
    assert [(one.parent, one.piece) for one in branches] == [(parent, output[-1]) for _, parent, output in expected]
    assert [one.log_probability for one in branches] == pytest.approx([entry[0] for entry in expected], abs=1e-12)


@pytest.mark.parametrize("width", [1, 2, 4])
@pytest.mark.parametrize("prefixes", [[], [[5, 5], [], [7, 4, 7]]])
def test_a_beam_tells_what_it_dropped(width: int, prefixes: list[list[int]]) -> None:
    beta, no_repeat = (0.3, 2) if prefixes else (0.0, 0)
    model, sources, limits = Toy(12, seed=3, ending=4.0), random_sources(12, [4, 6, 3]), [12, 7, 14]
    asked = {"beam": width, "length_penalty": 0.2, "coverage_penalty": beta, "no_repeat": no_repeat}
    answers = ask(beam, model, sources, limits, prefixes=prefixes, trace=True, **asked)
    left = early = 0
    for row, answer in enumerate(answers):
        forced, prefix = Forced(model, sources[row]), prefixes[row] if prefixes else []
        steps = list(forced.walk(limits[row], width, 0.2, beta, no_repeat, prefix))
        trace = trace_of(answer.trace)
        early += len(trace) < len(steps)
        endings: list[tuple[float, list[int]]] = []
        live: list[list[list[int]]] = [[[]]]
        for number, (selection, step) in enumerate(zip(trace, steps[: len(trace)], strict=True)):
            last = number == len(trace) - 1
            approximately(selection.kept, [] if last else step["kept"])
            approximately(selection.dropped, [*step["kept"], *step["dropped"]] if last else step["dropped"])
            live.append([output for _, _, output in step["kept"]])
            for ending, (score, output) in zip(selection.left, step["left"], strict=True):
                assert live[ending.step][ending.parent] == output
                assert ending.score == pytest.approx(score, abs=1e-12)
                assert ending.log_probability == pytest.approx(forced.log_probability([*output, EOS]), abs=1e-12)
                left += 1
            endings = step["pool"]
        assert answer.hypotheses[0].tokens == endings[0][1]
    assert left > 3
    assert early > 0  # some stop before their limit, and say so at their last step


@pytest.mark.parametrize("prefix", [[], [5, 9]])
def test_greedy_and_samples_tell_the_best_that_each_did_not_take(prefix: list[int]) -> None:
    model, sources, limits = Toy(12, seed=3, ending=1.0), random_sources(12, [4, 6, 3]), [12, 7, 14]
    for search, n_best in ((greedy, 1), (sample, 3)):
        answers = ask(search, model, sources, limits, n_best, prefixes=[prefix] * 3, trace=True, no_repeat=1)
        for source, limit, answer in zip(sources, limits, answers, strict=True):
            forced, outputs = Forced(model, source), [[*one.tokens, EOS] for one in answer.hypotheses]
            trace = trace_of(answer.trace)
            assert len(trace) == max(map(len, outputs)) <= limit
            for step, selection in enumerate(trace):
                going = [(number, output) for number, output in enumerate(outputs) if step < len(output)]
                expected = [(number, output[step], output[: step + 1]) for number, output in going]
                assert [(one.parent, one.piece) for one in selection.kept] == [entry[:2] for entry in expected]
                assert [one.log_probability for one in selection.kept] == pytest.approx(
                    [forced.log_probability(entry[2]) for entry in expected], abs=1e-12
                )
                rivals = []
                for number, output in going:
                    past, chances = output[:step], forced.after(output[:step])[0]
                    allowed = [x for x in range(EOS, 12) if x not in past] if step >= len(prefix) else [prefix[step]]
                    for piece in sorted(allowed, key=chances.__getitem__, reverse=True)[:2]:
                        if piece != output[step]:
                            rivals.append((forced.log_probability([*past, piece]), number, [piece]))
                # Samples that share a prefix tie, but for the order in which a processor adds.
                dropped = sorted(selection.dropped, key=lambda one: (-round(one.log_probability, 9), one.parent))
                approximately(dropped, sorted(rivals, key=lambda one: (-round(one[0], 9), one[1])))
                values = [one.log_probability for one in selection.dropped]
                assert values == pytest.approx(sorted(values, reverse=True), abs=1e-12)
                assert selection.left == []


@pytest.mark.parametrize("name", SEARCHES)
def test_a_trace_changes_nothing_and_is_none_unasked(name: str) -> None:
    model, given = Toy(12, seed=3), (random_sources(12, [4, 6, 3]), [8, 7, 9])
    for one, other in zip(
        ask(SEARCHES[name], model, *given, trace=True), ask(SEARCHES[name], model, *given), strict=True
    ):
        assert other.trace is None
        assert [h.tokens for h in one.hypotheses] == [h.tokens for h in other.hypotheses]
        assert [h.score for h in one.hypotheses] == [h.score for h in other.hypotheses]


def test_a_trace_is_plain_data() -> None:
    (answer,) = ask(beam, Toy(9, seed=3, ending=2.0), [[5, EOS]], [6], trace=True, beam=2)
    (first, *_) = trace_of(answer.trace)
    assert all(isinstance(one, Branch) and type(one.log_probability) is float for one in first.kept + first.dropped)
    endings = [one for step in trace_of(answer.trace) for one in step.left]
    assert all(isinstance(one, Ending) and type(one.score) is float and type(one.step) is int for one in endings)
