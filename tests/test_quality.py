"""What quality and beats promise for any recording: short and long, any rate, any fault."""
import tracemalloc
import numpy as np, pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import arrays
from ecg_nb.data import Record, simulate_record
from ecg_nb.quality import good_at, match_beats, polarity, quality, r_peaks

REC = simulate_record(1, 60)
TRUE = REC.beats["sample"].to_numpy()


@pytest.mark.parametrize("fs", [50, 127.5, 250, 360, 1000, 2000])
def test_any_rate(fs):
    t = np.arange(round(60*fs))/fs
    sig = np.stack([np.interp(t, np.arange(REC.sig.shape[1])/REC.fs, x) for x in REC.sig])
    pairs, missed, extra = match_beats(TRUE*fs/REC.fs, r_peaks(sig, fs), fs)
    assert len(missed) + len(extra) <= 3, (len(missed), len(extra))
    assert quality(sig, fs).shape == (60, 2) and (quality(sig, fs).mean() > .8).all()


@pytest.mark.parametrize("seconds", [2, 5, 9.7, 31, 629, 631])
def test_any_length(seconds):
    sig = np.tile(REC.sig, 11)[:, :round(seconds*360)]
    at, table = r_peaks(sig, 360), quality(sig, 360)
    assert len(table) == np.ceil(seconds) and np.all(np.diff(at) > 0)
    assert not len(at) or (at.min() >= 0 and at.max() < sig.shape[1])


@settings(max_examples=40, deadline=None)
@given(arrays(np.float32, st.tuples(st.integers(1, 3), st.integers(500, 1500)),
              elements=st.floats(-1e4, 1e4, width=32) | st.just(np.float32(np.nan))), st.sampled_from([50, 125, 250]))
def test_finite_in_valid_samples_out(sig, fs):
    sig[:, 0] = 0  # a lead without any sample is refused
    at, table = r_peaks(sig, fs), quality(sig, fs)
    assert at.dtype.kind == "i" and np.all(np.diff(at) > 0)
    assert not len(at) or (at.min() >= 0 and at.max() < sig.shape[1])
    assert np.isfinite(table.to_numpy()).all() and table.to_numpy().min() >= 0 and table.to_numpy().max() <= 1
    assert set(polarity(sig, fs)) <= {-1, 0, 1}


def test_turning_leads_over_changes_no_beat():
    for sign in ([-1, 1], [1, -1], [-1, -1]):
        assert np.array_equal(r_peaks(REC.sig*np.array(sign, np.float32)[:, None], REC.fs), r_peaks(REC))


def test_a_dead_lead_changes_little():
    for dead in (np.zeros_like(REC.sig[0]), np.full_like(REC.sig[0], np.nan), np.random.default_rng(0).normal(0, .3, REC.sig.shape[1])):
        _, missed, extra = match_beats(TRUE, r_peaks(Record("x", np.stack([dead, REC.sig[0]]), REC.fs, ["I", "II"])), REC.fs)
        assert len(missed) + len(extra) <= 5


@pytest.mark.parametrize("sig, fs, words", [
    (np.zeros((5000, 2)), 360, "lead, time"), (np.zeros(0), 360, "sample|shape"), (np.zeros(100), 360, "2 s"), (np.zeros(5000), None, "fs"),
    (np.zeros(5000), 20, "50"), (np.full(5000, np.inf), 360, "infinite|inf")])
def test_what_is_no_recording(sig, fs, words):
    for f in (quality, r_peaks, polarity):
        with pytest.raises((ValueError, TypeError), match=words): f(sig, fs)


def test_beats_outside_the_table():
    with pytest.raises(ValueError, match="table"): good_at(quality(REC), [10**8], REC.fs)


def test_memory_does_not_grow_with_the_recording():
    most = []
    for minutes in (20, 80):
        sig = Record("long", np.tile(REC.sig, minutes), REC.fs, REC.leads)
        tracemalloc.start()
        r_peaks(sig, REC.fs)
        most.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert most[1] < 1.5*most[0], most
