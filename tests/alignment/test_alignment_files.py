"""Alignments written and read again: npz, JSONL, Pharaoh; damage is named."""

import json
import zipfile

import numpy as np
import pytest
from test_alignments import MATRIX, example

from mt.alignment.files import read_npz, read_pharaoh, write_all, write_jsonl, write_npz, write_pharaoh
from mt.alignment.matrices import EMPTY, Side, align
from mt.core.errors import UserError


def test_npz_holds_every_matrix_in_order_without_pickle(tmp_path):
    path = tmp_path / "eval" / "alignments.npz"
    alignments = [example(), EMPTY] + [align(Side("", []), Side("", []), np.full((1, 1), n / 16)) for n in range(12)]
    write_npz(path, alignments)
    with np.load(path, allow_pickle=False) as arrays:
        assert arrays.files == [str(n) for n in range(14)] + [f"words{n}" for n in range(14)]
        np.testing.assert_array_equal(arrays["words0"], example().words.astype(np.float16))
        assert {arrays[name].dtype for name in arrays.files} == {np.dtype(np.float16)}
    matrices = read_npz(path)
    np.testing.assert_array_equal(matrices[0], MATRIX.astype(np.float16))
    assert matrices[1].shape == (0, 0)
    assert [matrix.item() for matrix in matrices[2:]] == [n / 16 for n in range(12)]
    assert [file.name for file in path.parent.iterdir()] == ["alignments.npz"]


def test_no_sentences_make_files_that_can_be_read(tmp_path):
    write_npz(tmp_path / "a.npz", [])
    write_pharaoh(tmp_path / "a.pharaoh", [])
    write_jsonl(tmp_path / "a.jsonl", [])
    assert read_npz(tmp_path / "a.npz") == []
    assert read_pharaoh(tmp_path / "a.pharaoh") == []
    assert (tmp_path / "a.jsonl").read_bytes() == b""


def test_npz_errors_name_the_file_and_the_array(tmp_path):
    path = tmp_path / "a.npz"
    with pytest.raises(UserError, match=r"cannot read .*a\.npz: No such file"):
        read_npz(path)
    for content in (b"", b"not a zip file"):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"a\.npz: not an alignment file of mt \(File is not a zip file\)"):
            read_npz(path)
    np.savez(path, **{"0": np.zeros((1, 1)), "2": np.zeros((1, 1))})
    with pytest.raises(UserError, match=r"a\.npz, array '1': not an alignment file"):
        read_npz(path)
    np.savez(path, **{"0": np.array([{}], dtype=object)})
    with pytest.raises(UserError, match=r"a\.npz, array '0': .*allow_pickle=False"):
        read_npz(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("0.npy", b"\x93NUMPY\x01")
    with pytest.raises(UserError, match=r"a\.npz, array '0'"):
        read_npz(path)


def test_npz_with_a_damaged_array_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    write_npz(path, [example(), example()])
    data = bytearray(path.read_bytes())
    data[100] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"a\.npz, array '0': not an alignment file"):
        read_npz(path)


def test_jsonl_shows_pieces_words_rounded_matrices_and_links(tmp_path):
    thirds = align(
        Side("a", [("a", (0, 1))]), Side("b", [("b", (0, 1))]), np.array([[1 / 3, 2 / 3], [0, 1]], np.float32)
    )
    write_jsonl(tmp_path / "a.jsonl", [example(), EMPTY, thirds])
    text = (tmp_path / "a.jsonl").read_text(encoding="utf-8")
    first, second, third = (json.loads(line) for line in text.splitlines())
    assert list(first) == ["id", "source", "target", "attention", "source_words", "target_words", "words", "links"]
    assert [first["id"], second["id"], third["id"]] == [0, 1, 2]
    assert first["source"] == ["aa", "b", "▁", "<0xC3>", "<0xB6>", ".", "</s>"]
    assert first["attention"] == MATRIX.tolist()
    assert first["words"] == [[0.45, 0.275, 0.2], [0.1, 0.5, 0.4], [0.1, 0.5, 0.4]]
    assert first["source_words"] == ["aab", "ö."]
    assert first["target_words"] == ["xy", "b", "ccc"]
    assert first["links"] == "0-0 1-1 1-2"
    assert [second[key] for key in list(first)[1:]] == [[], [], [], [], [], [], ""]
    assert third["attention"] == [[0.3333, 0.6667], [0, 1]]
    assert "ö." in text


def test_pharaoh_round_trip_has_a_line_for_every_sentence(tmp_path):
    path = tmp_path / "a.pharaoh"
    write_pharaoh(path, [example(), EMPTY, example()])
    assert path.read_bytes() == b"0-0 1-1 1-2\n\n0-0 1-1 1-2\n"
    assert read_pharaoh(path) == [[(0, 0), (1, 1), (1, 2)], [], [(0, 0), (1, 1), (1, 2)]]


@pytest.mark.parametrize("item", ["1", "1-", "-1-2", "1-2-3", "1:2", "a-b", "1.0-2", "²-1"])
def test_pharaoh_errors_name_the_file_and_the_line(tmp_path, item):
    path = tmp_path / "a.pharaoh"
    path.write_text(f"0-0\n0-1 {item} 2-2\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"a\.pharaoh, line 2: '.*' is not a link"):
        read_pharaoh(path)


def test_all_three_files_have_the_stem_even_with_a_dot_in_it(tmp_path):
    write_all(tmp_path / "v1.test", [example()])
    assert sorted(file.name for file in tmp_path.iterdir()) == ["v1.test.jsonl", "v1.test.npz", "v1.test.pharaoh"]
