"A recording in, a report out: the right findings, a report that says what it could not see, or a sentence that says what is wrong."
import json, re
import numpy as np
import pytest
import wfdb
from ecg_nb.data import Record, resample_signal, simulate_record
from ecg_nb.ecgtransform import load_classifier
from ecg_nb.report import SCHEMA, Browser, annotations, headline, hrv, main, nn_intervals, page, report
from conftest import ROOT

SIM = simulate_record(3, 90)
NOISE = np.random.default_rng(0).normal(0, .5, SIM.sig.shape)
MODEL = load_classifier()


@pytest.fixture(scope="module")
def right(): return report(SIM, model=MODEL)


def said(sig, fs=360, **more): return report(sig, fs, model=MODEL, **more).findings


def holes(missing):
    sig = SIM.sig.copy()
    sig[:, missing] = np.nan
    return sig


# ---- input that is odd, and reported as far as it goes

def test_the_beats_of_a_clean_recording(right):
    true = SIM.beats["sample"].to_numpy()
    assert abs(len(right.beats) - len(true)) <= 2
    near = np.abs(right.beats["sample"].to_numpy()[:, None] - true).min(1)
    assert (near < .15*360).mean() > .97 and right.findings["readable"] > .95


@pytest.mark.parametrize("sig, leads", [(SIM.sig[0], 1), (np.tile(SIM.sig, (6, 1)), 12), (SIM.sig[:1], 1)], ids=["a row", "12 leads", "1 lead"])
def test_any_number_of_leads(sig, leads, right):
    found = said(sig)
    assert len(found["leads"]) == leads and abs(found["beats"] - len(right.beats)) <= 2


@pytest.mark.parametrize("fs", [50, 100, 125, 250, 500, 1000])
def test_other_rates(fs, right):
    found = said(resample_signal(SIM.sig, 360, fs), fs)
    assert found["hz"] == fs and abs(found["beats"] - len(right.beats)) <= 3


def test_five_seconds_say_that_they_are_few():
    made = report(SIM.sig[:, :1800], 360, model=MODEL)
    assert set(made.findings["classes"]) == {"?"} and "too few" in headline(made.findings)
    assert not made.findings["variability"] and np.isnan(made.af).all() and "too few" in page(made)


def test_gaps_are_told_and_no_pause():
    found = said(holes(slice(10800, 14400)))
    assert any("missing samples" in s for s in found["remarks"]) and "% of the time readable" in headline(found)
    assert "pause" not in found["episode_counts"]


@pytest.mark.parametrize("sig, sentence", [(0*SIM.sig, "No heartbeat"), (NOISE, "looks like ECG")], ids=["flat", "noise"])
def test_no_ecg(sig, sentence):
    made = report(sig, 360, model=MODEL)
    assert sentence in headline(made.findings) and sentence in page(made) and not made.findings["episode_counts"]


def test_upside_down_is_turned_over(right):
    down = -SIM.sig if "points down" not in " ".join(right.findings["remarks"]) else SIM.sig
    found = report(Record("down", down, 360, ["II", "V1"]), model=MODEL).findings
    assert any("points down; it was turned over" in s for s in found["remarks"])


def test_a_wrong_unit_is_told_and_a_given_one_is_right(right):
    with pytest.warns(UserWarning, match="microvolts"): found = said(1000*SIM.sig)
    assert "the unit of the signal looks wrong" in headline(found)
    assert said(1000*SIM.sig, unit="uV")["classes"] == said(SIM.sig)["classes"]


# ---- input that is refused

@pytest.mark.parametrize("sig, fs, sentence", [
    (SIM.sig[:, :500], 360, "at least 2 s"), (SIM.sig.T, 360, "transpose"), (SIM.sig, None, "sampling rate"), (SIM.sig, 20, "50 to 2000"),
    (SIM.sig[None], 360, "shape"), (np.full((2, 9000), np.nan), 360, "no valid sample"), ([["a"]*2000], 360, "expected numbers"),
    ("nowhere.hea", None, "no file nowhere.hea")], ids=["1 s", "turned", "no rate", "20 Hz", "3 axes", "empty lead", "text", "no file"])
def test_what_can_not_be_is_refused(sig, fs, sentence):
    with pytest.raises((ValueError, TypeError, FileNotFoundError), match=re.escape(sentence)): report(sig, fs, model=MODEL)


def test_the_denoiser_is_asked_for_by_a_known_word(right):
    with pytest.raises(ValueError, match="'peaks'"): report(SIM, denoised="yes")
    made = report(SIM, denoised="all", model=MODEL)
    assert made.findings["denoised"] == "all" and "was denoised by" in page(made)
    assert abs(len(made.beats) - len(right.beats)) <= 3


# ---- what comes out

def test_the_page_needs_no_network(right):
    text = page(right)
    assert "http" not in text and not re.search(r"<(script|link|iframe)|@import|url\(|src=\"(?!data:)", text)
    assert "Not a medical device" in text and headline(right.findings) in text.replace("&#x27;", "'")
    assert len(text) < 3e6 and text.count("<img") == text.count('alt="') >= 3


def test_a_name_can_not_break_the_page(right):
    text = page(report(Record("<script>alert(1)</script>", SIM.sig, 360, ["<b>", "V1"]), model=MODEL))
    assert "<script" not in text and "<b>," not in text


@pytest.mark.parametrize("sig", [SIM.sig, SIM.sig[:, :1800], 0*SIM.sig, holes(slice(0, 3600)), NOISE], ids=["clean", "short", "flat", "gap", "noise"])
def test_the_findings_are_as_the_schema_says(sig, tmp_path):
    jsonschema = pytest.importorskip("jsonschema")
    made = report(sig, 360, model=MODEL)
    stored = json.loads(made.save(tmp_path/"found.json").read_text())
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(stored, SCHEMA)
    assert stored["beats"] == len(stored["r_peaks"]) == len(stored["classes"]) == len(made.beats)
    assert sum(h["beats"] for h in stored["hours"]) == stored["readable_beats"]


def test_every_key_is_documented():
    def walk(part):
        for name, key in part.get("properties", {}).items():
            assert key.get("description"), name
            walk(key), walk(key.get("items", {}))
    walk(SCHEMA)


def test_annotations_are_read_by_wfdb_and_nothing_is_overwritten(right, tmp_path):
    path = right.save(tmp_path/"me.ecgnb")
    back = wfdb.rdann(str(tmp_path/"me"), "ecgnb")
    beat = np.isin(back.symbol, list("NAVFQ?"))
    assert back.fs == 360 and back.sample[beat].tolist() == right.beats["sample"].tolist()
    assert [s.replace("A", "S") for s in np.array(back.symbol)[beat]] == right.beats.aami.tolist()
    notes = [n.strip("\0") for n, s in zip(back.aux_note, back.symbol) if s == "+"]
    assert notes and notes == annotations(right).query("symbol == '+'").note.tolist()
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match="overwrite=True"): right.save(path)
    assert path.read_bytes() == before and right.save(path, overwrite=True) == path
    with pytest.raises(ValueError, match="nothing to annotate"): report(0*SIM.sig, 360).save(tmp_path/"flat.ecgnb")


def test_rhythm_notes_say_where_an_episode_begins_and_ends(right):
    made = report(SIM, model=MODEL)
    made.episodes = made.episodes[:0].copy()
    made.episodes.loc[0] = ["atrial fibrillation", 20., 30., 40, 80., 1.]
    table = annotations(made).query("symbol == '+'")
    assert table.note.tolist() == ["(N", "(AFIB", "(N"]
    assert abs(table["sample"].iloc[1]/360 - 20) < 1.5 and abs(table["sample"].iloc[2]/360 - 50) < 1.5


def test_other_endings_and_folders_are_refused(right, tmp_path):
    with pytest.raises(ValueError, match=".html, .json, .ecgnb"): right.save(tmp_path/"report.doc")
    with pytest.raises(FileNotFoundError, match="no folder"): right.save(tmp_path/"nowhere"/"report.html")


# ---- definitions

def test_variability_is_as_the_task_force_defines_it(right):
    rr = 1000*nn_intervals(right.beats).rr.to_numpy()
    t, normal = right.beats.seconds.to_numpy(), right.beats.aami.to_numpy() == "N"
    by_hand = [1000*(b - a) for a, b, i, j in zip(t, t[1:], normal, normal[1:]) if i and j and .3 < b - a < 2]
    np.testing.assert_allclose(rr, by_hand)
    np.testing.assert_allclose(hrv(right.beats)["sdnn_ms"], np.std(by_hand, ddof=1))


def test_power_in_two_bands_is_that_of_the_swings():
    import pandas as pd
    t = [0.]
    while t[-1] < 900: t.append(t[-1] + .9 + .025*np.sin(2*np.pi*.08*t[-1]) + .015*np.sin(2*np.pi*.3*t[-1]))
    found = hrv(pd.DataFrame(dict(seconds=t, aami="N")))
    np.testing.assert_allclose([found["lf_ms2"], found["hf_ms2"]], [25**2/2, 15**2/2], rtol=.015)


# ---- the command

def test_the_command_writes_all_three(tmp_path, capsys):
    np.save(tmp_path/"me.npy", SIM.sig)
    names = ["report.html", "found.json", "me.ecgnb"]
    command = [str(tmp_path/"me.npy"), "--fs", "360", "--out", *(str(tmp_path/n) for n in names)]
    assert main(command) == 0 and "Written: report.html, found.json, me.ecgnb" in capsys.readouterr().out
    assert all((tmp_path/n).stat().st_size for n in names)
    with pytest.raises(SystemExit): main(command)
    assert "--overwrite" in capsys.readouterr().err
    assert main([*command, "--overwrite"]) == 0


def test_the_command_is_installed_with_the_package():
    assert "ecg-report = ecg_nb.report:main" in (ROOT/"setup.py").read_text() and callable(main)


@pytest.mark.parametrize("args, status, sentence", [
    (["nowhere.hea"], 1, "no file nowhere.hea"), (["me.npy"], 1, "sampling rate"), (["me.doc", "--fs", "360"], 1, "expected a file that ends in"),
    (["me.npy", "--fs", "360", "--out", "report.doc"], 2, "expected a name ending in .html")])
def test_the_command_ends_with_a_sentence(args, status, sentence, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("me.npy", SIM.sig)
    open("me.doc", "w").write("no ECG")
    with pytest.raises(SystemExit) as stopped: main(args)
    assert stopped.value.code == status and sentence in capsys.readouterr().err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["me.doc", "me.npy"]


# ---- the browser, driven as a user would, without a notebook

def test_the_browser_moves_jumps_and_stops_at_the_ends(right):
    pytest.importorskip("ipywidgets")
    other = simulate_record(5, 60)
    browser = Browser({"one": right, "two": report(other, model=MODEL)})
    c = browser.controls
    c.back.click()
    assert c.start.value == 0
    for _ in range(60): c.forward.click()
    assert c.start.value == c.start.max == 90 - 7
    for i, (_, start) in enumerate(browser.places):
        c.episode.value = i
        assert c.start.value == min(start, c.start.max)
    lines = lambda: len([line for line in browser.figure().axes[0].lines if len(line.get_xdata()) > 100])
    assert lines() == 4
    c.denoised.value = False
    assert lines() == 2
    c.record.value = "two"
    assert browser.report.rec.name == other.name and c.start.max == 60 - 7 and c.start.value == 0
