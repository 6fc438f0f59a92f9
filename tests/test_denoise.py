"""`denoise` on what people have: any shape, rate, scale, gap or flat stretch gives numbers, or a refusal that says why."""
from fractions import Fraction
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings, strategies as st
from ecg_nb.data import Record, simulate_record
from ecg_nb.denoise import SIZE, BiasFreeUNet, careful, denoise, load_denoiser

torch.manual_seed(0)
REAL = BiasFreeUNet(4, offset=False).eval()  # small and untrained: what is tested here is around the network
ECG = simulate_record(3, 20).sig


@settings(max_examples=10, deadline=None)
@given(leads=st.integers(1, 3), seconds=st.floats(1, 4), fs=st.sampled_from([50, 99.5, 128, 249.9977, 360, 512, Fraction(1000, 3), np.float32(500)]),
       offset=st.sampled_from([0, -4.5, 300.]), scale=st.sampled_from([0, 1e-3, 1, 40]), dtype=st.sampled_from(["f4", "f8", "i4"]),
       gap=st.integers(0, 400), flat=st.booleans(), seed=st.integers(0, 9))
@pytest.mark.filterwarnings("ignore")
def test_finite_in_finite_out_and_gaps_stay_gaps(leads, seconds, fs, offset, scale, dtype, gap, flat, seed):
    n = max(int(np.ceil(seconds*float(fs))), 60)
    x = (np.random.default_rng(seed).normal(size=(leads, n))*scale + offset).astype(dtype)
    if flat: x[:, n//3:] = x[0, 0]
    if dtype != "i4": x[0, n//2:n//2 + min(gap, n//3)] = np.nan
    out = denoise(x, fs, REAL)
    assert out.shape == x.shape and out.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(out), np.isnan(x))


@pytest.mark.parametrize("pause", [35])
def test_a_long_pause_gives_numbers(pause):
    "Lead off: a running mean of squares once rounded below zero there."
    x = np.concatenate([ECG, np.full((2, pause*360), ECG[0, -1], np.float32)], 1)
    assert np.isfinite(denoise(x, 360, REAL)).all()


@pytest.mark.parametrize("other", [np.zeros_like(ECG[0]), 3*np.sign(ECG[1]), np.random.default_rng(0).normal(size=ECG.shape[1])], ids=["flat", "saturated", "noise"])
def test_a_bad_lead_does_not_touch_the_good_one(other):
    alone = denoise(ECG[0], 360, REAL)
    np.testing.assert_array_equal(denoise(np.stack([ECG[0], other.astype(np.float32)]), 360, REAL)[0], alone)


@pytest.mark.parametrize("fs", [360, 250, 511.542])
def test_long_recordings_have_no_seams(fs):
    n = int(60*fs)
    x = np.random.default_rng(0).normal(size=(1, n)).astype(np.float32)
    np.testing.assert_allclose(denoise(x, fs, REAL, block=5000), denoise(x, fs, REAL, block=10**7), atol=2e-3)


def test_what_stays_and_what_goes():
    real, white = denoise(ECG + 2, 360), denoise(ECG + 2, 360, noise="white")
    assert abs(np.median(real)) < .3 and np.median(white) == pytest.approx(np.median(ECG + 2), abs=.1)
    np.testing.assert_allclose(denoise(2*ECG, 360), 2*denoise(ECG, 360), atol=1e-3)


def test_records_tables_and_vectors():
    whole = denoise(ECG, 360)
    np.testing.assert_array_equal(denoise(Record("x", ECG, 360, ["II", "V1"])), whole)
    np.testing.assert_array_equal(denoise(pd.DataFrame(ECG.T, columns=["II", "V1"]), 360), whole)
    np.testing.assert_array_equal(denoise(ECG[1], 360), whole[1])


@pytest.mark.parametrize("arguments, error, said", [
    ((ECG.T, 360), ValueError, r"\(lead, time\)"), ((ECG[:, :100], 360), ValueError, "at least one second"), ((ECG, "360"), TypeError, "fs='360'"),
    ((ECG, np.nan), ValueError, "fs=nan"), ((ECG, 0), ValueError, "fs=0"), ((ECG,), ValueError, "fs"), ((ECG[None], 360), ValueError, "shape"),
    ((np.full_like(ECG, np.nan), 360), ValueError, "no valid sample")], ids=lambda x: getattr(x, "__name__", "") if isinstance(x, type) else "")
def test_refusals_say_why(arguments, error, said):
    with pytest.raises(error, match=said): denoise(*arguments)


def test_numbers_that_cannot_be():
    with pytest.raises(ValueError, match="noise='hum'"): denoise(ECG, 360, noise="hum")
    with pytest.raises(TypeError, match="block='x'"): denoise(ECG, 360, block="x")


def test_caution_is_a_ratio():
    n, x = np.random.default_rng(0).normal(size=(2, 3*SIZE))
    assert not careful(.01*n, x).any()
    np.testing.assert_allclose(careful(7*n, 7*x), 7*careful(n, x), atol=1e-9)
    assert np.isfinite(careful(0*n, 0*x)).all()


def test_weights_of_another_network_are_named(tmp_path):
    (tmp_path/"cut.safetensors").write_bytes(b"cut off")
    with pytest.raises(ValueError, match="cut.safetensors"): load_denoiser(tmp_path/"cut.safetensors")
    with pytest.raises(FileNotFoundError): load_denoiser(tmp_path/"none.safetensors")
    assert isinstance(load_denoiser(noise="white"), BiasFreeUNet)
