"""`generate` and what stands around it: any number asked for is given, in shape, finite, the same again; anything else is refused."""
import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from ecg_nb.data import Record, simulate_record
from ecg_nb.transgan import (Generator, SmallGaussians, class_beats, enlarge, fit_gaussians, fidelity, generate, halves, join_beats,
                             load_generator, sample_beats, save_beats, smote_beats, gaussian_beats, jitter_beats, told_apart, z_score)

PUBLISHED = load_generator()
BEATS = join_beats(*(class_beats(simulate_record(k, 60)) for k in range(4)))


@settings(max_examples=15, deadline=None)
@given(label=st.sampled_from("NSVF"), n=st.sampled_from([1, 2, 7, np.int64(3), 1001]), seed=st.integers(0, 2**31 - 1))
def test_any_number_of_any_class_is_finite_and_repeats(label, n, seed):
    before = torch.get_rng_state()
    x = generate(label, n, seed, PUBLISHED)
    assert x.shape == (n, 200) and x.dtype == np.float32 and np.isfinite(x).all()
    np.testing.assert_allclose(x.mean(-1), 0, atol=1e-4)
    np.testing.assert_allclose(x.std(-1), 1, atol=1e-3)
    np.testing.assert_array_equal(x, generate(label, n, seed, PUBLISHED))
    assert torch.equal(torch.get_rng_state(), before), "the global random numbers were touched"


def test_seeds_and_classes_differ():
    x = {(c, s): generate(c, 20, s, PUBLISHED) for c in "NSVF" for s in (0, 1)}
    assert len({v.tobytes() for v in x.values()}) == len(x)
    np.testing.assert_array_equal(generate("V", 20), x["V", 0])  # without a model: the published weights, seed 0


@pytest.mark.parametrize("n", [0, -1, 2.5, float("nan"), float("inf"), None, "5", True, 10**7, [3], np.array([1, 2])])
def test_a_number_of_beats_that_is_none(n):
    with pytest.raises((ValueError, TypeError), match="n"): generate("V", n, 0, PUBLISHED)


@pytest.mark.parametrize("seed", [-1, .5, float("nan"), "0", None, 2**31])
def test_a_seed_that_is_none(seed):
    with pytest.raises((ValueError, TypeError), match="seed"): generate("V", 1, seed, PUBLISHED)


@pytest.mark.parametrize("label", ["Q", "v", "", "NS", None, 2, "V "])
def test_a_class_that_is_none(label):
    with pytest.raises(ValueError, match="expected one of N, S, V or F"): generate(label, 1, 0, PUBLISHED)


def test_weights_that_are_none(tmp_path):
    with pytest.raises(FileNotFoundError, match="no weights"): load_generator(tmp_path/"model.safetensors")
    (tmp_path/"model.safetensors").write_bytes(b"not weights")
    with pytest.raises(ValueError, match="damaged"): load_generator(tmp_path/"model.safetensors")


@pytest.mark.parametrize("length", [8, 200, 203, 1800])
def test_any_length(length):
    start = fit_gaussians([np.random.default_rng(0).normal(size=(30, length)).astype(np.float32)]*2)
    noise = start.noise
    x = sample_beats(Generator(length, noise, 16, 1, 2, start), 1, 3, noise=noise)
    assert x.shape == (3, length) and np.isfinite(x).all()


@pytest.mark.parametrize("make", [gaussian_beats, smote_beats, jitter_beats])
def test_simple_generators_repeat(make):
    x = BEATS["data"][BEATS["labels"] == "N"][:40]
    made = make(x, 11, 3)
    assert made.shape == (11, 200) and np.isfinite(made).all() and (made != make(x, 11, 4)).any()
    np.testing.assert_array_equal(made, make(x, 11, 3))


def test_beats_of_any_record():
    few = simulate_record(0, 10)
    for beats in (few.beats[:0], few.beats[:1]):
        got = class_beats(Record("few", few.sig, few.fs, few.leads, beats))
        assert got["data"].shape[1] == 200 and np.isfinite(got["data"]).all() and len(got["data"]) == len(got["rr"]) <= len(beats)
    assert not z_score(np.zeros((2, 9))).any(), "a flat beat is zeros, not NaN"


def test_halves_share_no_beat_and_no_patient():
    (a, of_a), (b, of_b) = halves(BEATS, "N")
    assert not {x.tobytes() for x in a} & {x.tobytes() for x in b} and len(a) + len(b) == (BEATS["labels"] == "N").sum()
    (_, of_a), (_, of_b) = halves(BEATS, "N", by_patient=True)
    assert not set(of_a) & set(of_b)
    with pytest.raises(ValueError, match="at least 2"): halves({**BEATS, "pid": np.repeat("one", len(BEATS["pid"]))}, "N", by_patient=True)


def test_no_folds_without_three_patients():
    x = BEATS["data"][:30]
    assert told_apart(x, x, x, np.repeat("a", 30), np.repeat("a", 30)) is None


def test_enlarging_keeps_what_was_recorded(tmp_path):
    make = {"S": lambda n, seed: np.random.default_rng(seed).normal(size=(n, 200))}
    how = {"S": dict(enabled=True, checkpoint="noise", multiplier=3), "F": dict(enabled=False, checkpoint="none", multiplier=9)}
    more, n = enlarge(BEATS, how, dict(noise=make)), len(BEATS["labels"])
    np.testing.assert_array_equal(more["data"][:n], BEATS["data"])
    assert (more["labels"] == "S").sum() == 3*(BEATS["labels"] == "S").sum() and more["synthetic"].sum() == len(more["labels"]) - n
    save_beats(tmp_path/"train.npz", BEATS)
    with pytest.raises(ValueError, match="another name"): save_beats(tmp_path/"train.npz", more)


def test_measures_of_recorded_beats_are_finite():
    x = BEATS["data"][BEATS["labels"] == "N"]
    assert np.isfinite(fidelity(lambda n, seed: x[:n], x[:50], x[50:100], 50)).all()
    assert isinstance(PUBLISHED.start, SmallGaussians)
