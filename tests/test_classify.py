"classify and annotate: the right answer, or a sentence that says what is wrong."
import logging
import numpy as np, pandas as pd, pytest, wfdb
from ecg_nb.data import Record, data_dir, read_record, simulate_record
from ecg_nb.ecgtransform import annotate, classify, lead_pair

REAL = (data_dir()/"mitdb"/"200.dat").exists()
SIM = simulate_record(3, 120)
AT = SIM.beats["sample"].to_numpy()


@pytest.fixture(scope="module")
def right(): return classify(SIM.sig, 360, AT)


def test_shapes_tables_and_units(right):
    with pytest.raises(ValueError, match=r"\(lead, time\)"): classify(SIM.sig.T, 360)
    table = classify(pd.DataFrame(SIM.sig.T, columns=["MLII", "V1"]), 360, AT)
    assert table.aami.tolist() == right.aami.tolist() and table.attrs["lead"] == "MLII"
    assert classify(SIM.sig*1000, 360, AT, unit="uV").aami.tolist() == right.aami.tolist()
    assert list(right) == ["sample", "seconds", "aami", "N", "S", "V", "F", "quality"]


@pytest.mark.parametrize("bad", [AT/360, AT[::-1], np.r_[AT*1., np.nan], np.r_[AT, AT[-1] + 10**6], np.r_[-5, AT]])
def test_beats_that_cannot_be(bad):
    with pytest.raises(ValueError, match="increasing sample numbers"): classify(SIM.sig, 360, bad)


@pytest.mark.parametrize("sig, said", [(np.zeros((2, 36000)), "looks like an ECG"), (np.random.default_rng(0).normal(0, .3, (2, 36000)), "looks like an ECG")])
def test_what_is_no_ecg_is_refused(sig, said):
    with pytest.raises(ValueError, match=said): classify(sig, 360)


def test_a_bad_stretch_is_marked_and_can_be_left_out():
    sig = SIM.sig.copy()
    sig[:, 14400:21600] = np.random.default_rng(0).normal(0, 1, (2, 7200))
    out = classify(sig, 360, AT)
    inside = out["sample"].between(15000, 21000)
    assert out.quality[inside].median() < .5 < out.quality[~inside].median()
    kept = classify(sig, 360, AT, min_quality=.5)
    assert 0 < len(kept) < len(out) and (kept.quality >= .5).all()


@pytest.mark.parametrize("names", [["V1", "MLII"], ["v1", "mlii"], ["V1", "Lead II"], ["V1", "ECG II"]])
def test_the_limb_lead_is_found_by_any_name(names):
    assert np.array_equal(lead_pair(Record("x", SIM.sig[::-1], 360, names))[0], SIM.sig[0])


def test_an_inverted_limb_lead_is_turned_over(right, caplog):
    turned = SIM.sig*np.array([[-1], [1]], np.float32)
    out = classify(turned, 360, AT)
    assert (out.aami == right.aami).mean() > .97 and out.attrs["turned"] != right.attrs["turned"] and "turned over" in caplog.text


@pytest.mark.skipif(not REAL, reason="needs MIT-BIH")
def test_real_records(caplog):
    caplog.set_level(logging.ERROR)
    r = read_record("200")
    assert (classify(r).aami == r.beats.aami).mean() > .96
    r = read_record("231", seconds=600)
    found = classify(r.sig, r.fs)
    assert (found.aami == "S").mean() < .05, "normal beats are called S on beats that the detector finds"


def test_annotate_writes_what_classify_returns(right, tmp_path):
    out = right.assign(sample=right["sample"].astype(float))
    path = annotate(out, "a", tmp_path, 360)
    assert wfdb.rdann(str(path.with_suffix("")), "ecgnb").sample.tolist() == AT.tolist()
    with pytest.raises(FileExistsError, match="overwrite=True"): annotate(out, "a", tmp_path, 360)
    annotate(out, "a", tmp_path, 360, overwrite=True)
    for bad, said in ((out.assign(aami="X"), "expected N, S, V, F or Q"), (out[:0], "at least one beat")):
        with pytest.raises(ValueError, match=said): annotate(bad, "b", tmp_path, 360)
    with pytest.raises(ValueError, match="name"): annotate(out, "../x", tmp_path, 360)


@pytest.mark.parametrize("fs, error", [("360", TypeError), (None, ValueError), (float("nan"), ValueError), (0, ValueError)])
def test_rates_that_cannot_be(fs, error):
    with pytest.raises(error, match="fs"): classify(SIM.sig, fs)
