"classify and annotate: the right answer, or a sentence that says what is wrong."
import json, logging, re
from dataclasses import replace
import numpy as np, pandas as pd, pytest, torch, wfdb
from conftest import ROOT
from ecg_nb.data import Record, data_dir, read_record, simulate_record
from ecg_nb.ecgtransform import (annotate, beat_batches, beat_scores, beat_windows, classify, context_weights, dominant_beats, doubt,
                                 found_confusion, fuse, lead_pair, patient_beats, row_batches, similarity, simulate_runs, smote, vary_beats)

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


# what the chapter has no room for: the parts of the model, each by what it must do

def test_windows_know_no_gain_and_a_missing_lead_is_silent():
    x = beat_windows(SIM, AT)
    assert np.allclose(beat_windows(replace(SIM, sig=3*SIM.sig + 1), AT), x, atol=2e-3)
    one = replace(SIM, sig=SIM.sig[:1], leads=SIM.leads[:1])
    assert not beat_windows(one, AT)[:, 1].any()
    template = np.median(x[dominant_beats(x)], 0)[None]
    assert [v[0, 0] for v in similarity(2*template, template)][::2] == pytest.approx([1, 2], abs=.02)


def test_scores_of_a_matrix_worked_by_hand():
    s = beat_scores(np.array([[8, 2, 0, 0], [1, 3, 0, 0], [0, 0, 4, 0], [0, 0, 2, 0]]))
    assert [s["sensitivity", "S"], s["ppv", "S"], s["f1", "S"], s["accuracy", "all"]] == pytest.approx([3/4, 3/5, 2/3, 15/20])
    assert [s["ppv", "V"], s["ppv_ec57", "V"]] == pytest.approx([4/6, 1]), "two fusion beats called V are no false V"


def test_found_beats_are_counted_with_those_missed_and_invented():
    out = pd.DataFrame(dict(sample=np.r_[AT[1:], AT[5] + 180], aami=[*SIM.beats.aami[1:], "V"])).sort_values("sample")
    m = found_confusion(SIM, out)
    assert m[:5].sum() == len(AT) and m[:5, 5].sum() == 1 and m[5].tolist() == [0, 0, 1, 0, 0, 0]
    assert np.trace(m) == len(AT) - 1


def test_batches_show_a_third_of_the_normal_beats():
    torch.manual_seed(0)
    beats = patient_beats(SIM)
    y = beat_batches(beats[beats.y >= 0], 20_000, vary=lambda x: x[:, :, :0])(0)[2]
    n, other = (beats.y == 0).sum().item(), (beats.y > 0).sum().item()
    assert (y == 0).float().mean().item() == pytest.approx(n/3/(n/3 + other), abs=.02)
    silent = vary_beats(torch.ones(4000, 4, 5)).abs().sum(-1) == 0
    assert torch.allclose(silent.float().mean(0), torch.full((4,), .075), atol=.02) and (silent[:, :2] == silent[:, 2:]).all()


def test_simulated_runs_are_early_and_borrow_a_shape():
    beats = patient_beats(SIM)
    mine = replace(beats, y=0*beats.y)
    z, y = simulate_runs(SIM, mine, torch.full((1, 66), 7.), np.random.default_rng(0), runs=4)
    new = y == 1
    assert new.sum() >= 3 and (z[new, 31:] == 7).all() and (z[new, 2] < mine.z[:, 2].median()).all()


def test_two_opinions_are_fused():
    a, b = (torch.log_softmax(torch.randn(6, 4, generator=torch.Generator().manual_seed(i)), -1) for i in range(2))
    assert torch.allclose(fuse(a, a), a, atol=1e-5) and torch.allclose(fuse(a, b).exp().sum(-1), torch.ones(6), atol=1e-5)
    assert torch.allclose(fuse(a, b)[:, 1] - fuse(a, b)[:, 0], b[:, 1] - b[:, 0], atol=1e-5), "S or N: the second one"


def test_the_sources_losses_and_batches():
    weight = context_weights([72471, 2223, 5788, 641, 6431])  # its Table 1
    assert weight.tolist() == pytest.approx([1, 3.484, 2.527, 4.728, 2.422], abs=1e-3)
    x, y = smote(torch.cat([torch.zeros(6, 1, 4), torch.ones(20, 1, 4)]), torch.tensor([1]*6 + [0]*20), 20)
    assert (y == 1).sum() == 20 and not x[-1].any(), "between equal rows there is only this row"
    rows = row_batches(torch.arange(40.)[:, None, None], torch.tensor([0]*36 + [1]*4), 10)
    assert torch.cat([rows(i)[0] for i in range(4)]).unique().numel() == 40, "an epoch: every row once"


def test_the_script_of_the_chapter_trains_and_classifies(tmp_path, monkeypatch):
    cells = json.loads((ROOT/"nbs"/"04_ecgtransform.ipynb").read_text(encoding="utf-8"))["cells"]
    script = re.search(r"```python\n(.*?)```", next(t for c in cells if "in a script" in (t := "".join(c["source"]))), re.S)[1]
    for a, b in (('load("mitdb", DS1)', 'load("sample")[:4]'), ('read_record("200").sig', 'records[next(iter(records))].sig'),
                 ("known)\ncontext", "known, 3)\ncontext"), ("beats))\nmodel", "beats), 3)\nmodel")):
        assert a in script
        script = script.replace(a, b)
    monkeypatch.setenv("ECG_NB_OUTPUTS", str(tmp_path))
    exec(script, space := {})
    assert len(space["model"].beat) == 1 and space["known"].y.max() <= 3


def test_where_nothing_is_readable_v_gives_way_to_n():
    p = torch.tensor([[.25, .1, .64, .01]]).repeat(3, 1)
    out = doubt(p, torch.tensor([1., .5, 0.]), 2.)
    assert torch.allclose(out[0], p[0], atol=1e-5) and torch.allclose(out.sum(-1), torch.ones(3), atol=1e-5)
    assert torch.allclose(torch.logit(out[:, 2]), torch.logit(p[:, 2]) - torch.tensor([0., 1., 2.]), atol=1e-4)
    assert (out[:, [1, 3]] == p[:, [1, 3]]).all() and out.argmax(-1).tolist() == [2, 0, 0]


def test_given_beats_are_not_doubted_and_found_ones_are():
    noisy = SIM.sig + np.random.default_rng(0).normal(0, .3, SIM.sig.shape).astype(np.float32)
    found = classify(noisy, SIM.fs)
    given = classify(noisy, SIM.fs, found["sample"].to_numpy())
    assert (found.V <= given.V + 1e-4).all() and (found.V < given.V - 1e-4).any()
