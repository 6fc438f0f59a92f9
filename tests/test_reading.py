"Recordings as people have them: right, or refused with a sentence that says what to do."
import gzip, logging
from fractions import Fraction
import numpy as np, pandas as pd, pytest, wfdb
from hypothesis import given, settings, strategies as st
import ecg_nb.data as data
from ecg_nb.data import (Record, as_record, check_beats, check_rate, data_dir, distinct, find_lead, lead_name, load, millivolts, move_samples,
                         offline, read_record, read_signal, resample, resample_signal, simulate_record)

SIM = simulate_record(3, 60)
AT = SIM.beats["sample"].to_numpy()
TABLE = pd.DataFrame(simulate_record(3, 10).sig.T.astype(float).round(4), columns=["MLII", "V1"])


def write(folder, sig=SIM.sig, fs=360, units=("mV", "mV"), names=("MLII", "V1"), at=AT, symbols=None, ann_fs=360, name="a", fmt="16"):
    "A WFDB record made here."
    wfdb.wrsamp(name, fs=fs, units=list(units), sig_name=list(names), p_signal=sig.T.astype(float), fmt=[fmt]*len(sig), write_dir=str(folder))
    if at is not None: wfdb.wrann(name, "atr", np.asarray(at), symbol=symbols or SIM.beats.symbol.tolist(), fs=ann_fs, write_dir=str(folder))


def timed(name, fs=360., start=0., scale=1.):
    return pd.concat([pd.Series(start + scale*np.arange(len(TABLE))/fs, name=name), TABLE], axis=1)


# time ----------------------------------------------------------------------------------------------------------------
def test_annotations_with_a_resolution_of_their_own(tmp_path):
    write(tmp_path, at=np.round(AT/360*1000).astype(int), ann_fs=1000)
    assert np.abs(read_record("a", folder=tmp_path).beats["sample"].to_numpy() - AT).max() <= 1


def test_annotations_outside_the_signal_are_left_out_aloud(tmp_path, caplog):
    write(tmp_path, sig=SIM.sig[:, :10800])
    got = read_record("a", folder=tmp_path)
    assert len(got.beats) == (AT < 10800).sum() and "outside the signal" in caplog.text


def test_channels_of_several_rates_and_beats_share_one_clock(tmp_path):
    x = SIM.sig[0].astype(float)
    n = len(x)//2*2
    frames = [x[:n], x[:n:2]]
    ints = [np.round(f*200).astype(np.int64) for f in frames]
    rec = wfdb.Record(record_name="m", n_sig=2, fs=180, samps_per_frame=[2, 1], sig_len=n//2, sig_name=["II", "V1"], units=["mV", "mV"], adc_gain=[200., 200.],
                      baseline=[0, 0], adc_zero=[0, 0], adc_res=[16, 16], fmt=["16", "16"], file_name=["m.dat", "m.dat"], e_d_signal=ints, init_value=[int(i[0]) for i in ints],
                      checksum=[int(i.sum() % 65536) for i in ints], block_size=[0, 0], byte_offset=[None, None], skew=[None, None], comments=[])
    rec.wrsamp(expanded=True, write_dir=str(tmp_path))
    wfdb.wrann("m", "atr", AT//2, symbol=SIM.beats.symbol.tolist(), fs=180, write_dir=str(tmp_path))
    got = read_record("m", folder=tmp_path)
    assert got.fs == 360 and got.sig.shape == (2, n)
    assert np.abs(got.beats["sample"].to_numpy() - AT).max() <= 1
    assert np.corrcoef(got.sig[0], x[:n])[0, 1] > .999 and np.corrcoef(got.sig[1], x[:n])[0, 1] > .98
    assert read_record("m", folder=tmp_path, leads="V1").fs == 180


@pytest.mark.parametrize("fs", [50, 128, 250.02, 359.97, 360.01, 511.542, 999.9, 2000, Fraction(1000, 3), np.float32(257.5), np.int64(500)])
def test_beats_stay_on_their_peaks_for_half_an_hour(fs, caplog):
    caplog.set_level(logging.ERROR)
    f = float(fs)
    t = np.arange(int(1800*f))/f
    notes = pd.DataFrame(dict(record="x", sample=np.round((np.arange(1, 1799) + .5)*f).astype(int), symbol="N", aami="N", note=""))
    q = resample(Record("x", np.exp(-(((t % 1) - .5)/.02)**2)[None], fs, ["I"], notes), 360)
    at = int(q.beats["sample"].iloc[-2])
    assert abs(int(np.argmax(q.sig[0, at - 180:at + 180])) - 180) <= 360/f/2 + 1 and abs(q.sig.shape[1] - 1800*360) <= 360/f + 1


def test_a_day_at_an_odd_rate():
    n = round(86400*250.02)
    assert move_samples([n], 250.02, 360)[0] == round(n*360/250.02)
    x = np.zeros((1, n), np.float32)
    x[0, n - 2000:n - 1989] = np.hanning(11)
    y = resample_signal(x, 250.02, 360)
    assert abs(int(y[0].argmax()) - (n - 1995)*360/250.02) <= 1 and abs(y.shape[1] - 86400*360) <= 1


def test_a_stretch_is_read_without_the_rest(tmp_path):
    write(tmp_path)
    got = read_record("a", folder=tmp_path, start=10, seconds=20)
    assert got.sig.shape == (2, 7200) and np.allclose(got.sig, SIM.sig[:, 3600:10800], atol=1e-3)
    assert got.beats["sample"].tolist() == (AT[(AT >= 3600) & (AT < 10800)] - 3600).tolist()


# units and leads -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("unit, factor", [("mV", 1), ("mv", 1), ("uV", 1e-3), ("µV", 1e-3), ("μV", 1e-3), ("microvolt", 1e-3), ("V", 1e3), ("nV", 1e-6), (" uV ", 1e-3),
                                          ("mV(uncalibrated)", 1), (200, 1/200), ("mmHg", None), ("", None), (None, None), ("adu", None)])
def test_units(unit, factor):
    assert np.isnan(millivolts(unit)) if factor is None else millivolts(unit) == pytest.approx(factor)


@pytest.mark.parametrize("unit, scale", [("uV", 1000), ("V", 1e-3), ("nV", 1e6)])
def test_the_units_of_a_header_are_used(unit, scale, tmp_path):
    write(tmp_path, sig=SIM.sig*scale, units=(unit, unit), fmt="32")
    assert np.allclose(read_record("a", folder=tmp_path).sig, SIM.sig, atol=2e-3)


def test_an_unknown_unit_is_refused_and_can_be_given(tmp_path):
    write(tmp_path, units=("adu", "adu"), sig=SIM.sig*200)
    with pytest.raises(ValueError, match="unit="): read_record("a", folder=tmp_path)
    assert np.allclose(read_record("a", folder=tmp_path, unit=200).sig, SIM.sig, atol=1e-2)


def test_channels_that_are_no_ecg_do_not_stop_the_others(tmp_path, caplog):
    pressure = 80 + 20*np.sin(np.arange(SIM.sig.shape[1])/60)
    write(tmp_path, sig=np.stack([SIM.sig[0], pressure]), units=("mV", "mmHg"), names=("II", "ABP"))
    assert read_record("a", folder=tmp_path, leads="II").leads == ["II"]
    assert read_record("a", folder=tmp_path).leads == ["II"] and "ABP" in caplog.text
    with pytest.raises(ValueError, match="mmHg"): read_record("a", folder=tmp_path, leads="ABP")


@pytest.mark.parametrize("factor, said", [(1000, "microvolts"), (200, "raw ADC"), (1e-3, "volts"), (1e6, "nanovolts")])
def test_an_array_in_another_unit_gives_a_warning(factor, said):
    with pytest.warns(UserWarning, match=said): as_record(SIM.sig*factor, 360)


def test_an_array_in_millivolts_gives_none(recwarn):
    as_record(SIM.sig, 360), as_record(SIM.sig*1000, 360, unit="uV"), as_record(np.zeros((1, 999)), 360)
    assert not recwarn


@pytest.mark.parametrize("name, means", [("ii", "II"), ("Lead II", "II"), ("ECG II", "II"), ("lead_ii", "II"), ("MLII", "II"), ("ml2", "II"), ("DII", "II"), ("ECG Lead II", "II"),
                                         ("v1", "V1"), ("MCL1", "V1"), ("AVR", "aVR"), ("ECG1", "ECG1"), ("ABP", "ABP"), ("II (mV)", "II"), ("MLIII", "III"), ("V", "V")])
def test_names_mean_the_same(name, means):
    if name != "ECG1": assert lead_name(name) == means


def test_names_missing_or_twice(tmp_path):
    assert distinct([None, None]) == ["1", "2"] and len(set(distinct(["II", "II", "II"]))) == 3
    np.random.default_rng(0).integers(-500, 500, (3600, 2)).astype("<i2").tofile(tmp_path/"a.dat")
    (tmp_path/"a.hea").write_text("a 2 360 3600\na.dat 16 200\na.dat 16 200\n")
    assert read_record("a", folder=tmp_path).leads == ["1", "2"]
    with pytest.raises(ValueError, match="it has 1, 2"): read_record("a", folder=tmp_path, leads="MLII")
    assert find_lead(["V1", "Lead II"], "MLII") == 1


# tables and files ----------------------------------------------------------------------------------------------------
FILES = {
    "plain": TABLE.to_csv(index=False), "index": TABLE.to_csv(), "sample #": timed("'sample #'", 1.).to_csv(index=False), "Time (s)": timed("Time (s)").to_csv(index=False),
    "timestamp": timed("timestamp").to_csv(index=False), "unix": timed("timestamp", start=1.6e9).round(6).to_csv(index=False), "ms": timed("time_ms", scale=1000).to_csv(index=False),
    "no header": TABLE.to_csv(index=False, header=False), "time, no header": timed("t").to_csv(index=False, header=False),
    "semicolon": TABLE.to_csv(index=False, sep=";", decimal=","), "semicolon, point": TABLE.to_csv(index=False, sep=";"), "tab": TABLE.to_csv(index=False, sep="\t"),
    "tab, comma": TABLE.to_csv(index=False, sep="\t", decimal=","), "blanks": TABLE.to_csv(index=False, sep=" "), "bom": "\ufeff" + TABLE.to_csv(index=False), "comment": "# made by X\n" + TABLE.to_csv(index=False),
    "microvolts": (1000*TABLE).add_suffix(" (uV)").to_csv(index=False), "units below": "'Elapsed time','MLII','V1'\n'seconds','mV','mV'\n" + timed("t").to_csv(index=False, header=False),
    "datetime": timed("x").assign(x=pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(3600)/360, unit="s")).rename(columns=dict(x="Datetime")).to_csv(index=False),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_csv_is_read_as_it_is_meant(kind, tmp_path):
    (tmp_path/"x.csv").write_text(FILES[kind])
    got = read_signal(tmp_path/"x.csv", 360)
    assert got.sig.shape == (2, 3600) and np.allclose(got.sig, TABLE.to_numpy().T, atol=2e-3), got
    if "header" not in kind: assert got.leads == ["MLII", "V1"]


@pytest.mark.parametrize("kind", ["Time (s)", "ms", "datetime", "unix"])
def test_the_rate_of_a_time_column_is_used_and_compared(kind, tmp_path):
    (tmp_path/"x.csv").write_text(FILES[kind])
    assert read_signal(tmp_path/"x.csv").fs == pytest.approx(360, rel=1e-3)
    with pytest.raises(ValueError, match="Hz"): read_signal(tmp_path/"x.csv", 250)


def test_other_files(tmp_path):
    x = TABLE.to_numpy().T
    np.save(tmp_path/"a.npy", x), np.save(tmp_path/"b.npy", x.T), np.save(tmp_path/"c.npy", np.zeros((30, 40)))
    for name in "ab": assert np.allclose(read_signal(tmp_path/f"{name}.npy", 360).sig, x, atol=1e-5)
    with pytest.raises(ValueError, match=r"\(30, 40\).*\(40, 30\)"): read_signal(tmp_path/"c.npy", 360)
    (tmp_path/"x.csv.gz").write_bytes(gzip.compress(FILES["plain"].encode()))
    assert read_signal(tmp_path/"x.csv.gz", 360).sig.shape == (2, 3600)
    (tmp_path/"bad.npy").write_bytes(b"not numbers")
    (tmp_path/"empty.csv").write_text("")
    for name, said in (("bad.npy", "damaged"), ("empty.csv", "empty"), ("none.csv", "no file"), ("x.csv.gz", "sampling rate")):
        with pytest.raises((ValueError, FileNotFoundError), match=said): read_signal(tmp_path/name, None if name == "x.csv.gz" else 360)
    (tmp_path/"x.docx").write_text("x")
    with pytest.raises(ValueError, match="expected a file that ends in"): read_signal(tmp_path/"x.docx", 360)
    (tmp_path/"gap.csv").write_text(timed("time").drop(index=range(1000, 1500)).to_csv(index=False))
    with pytest.raises(ValueError, match="gap"): read_signal(tmp_path/"gap.csv", 360)


def test_edf(tmp_path):
    edf = pytest.importorskip("pyedflib")
    with edf.EdfWriter(str(tmp_path/"a.edf"), 2, file_type=edf.FILETYPE_EDFPLUS) as w:
        for i, (label, unit, low, high, fs) in enumerate((("ECG II", "uV", -5000, 5000, 360), ("Resp", "mV", -5, 5, 30))):
            w.setSignalHeader(i, dict(label=label, dimension=unit, sample_frequency=fs, physical_min=low, physical_max=high, digital_min=-32768, digital_max=32767, transducer="", prefilter=""))
        w.writeSamples([SIM.sig[0].astype(float)*1000, np.zeros(1800)])
    got = read_signal(tmp_path/"a.edf")
    assert got.leads == ["ECG II"] and got.fs == 360 and np.allclose(got.sig[0, :21600], SIM.sig[0], atol=2e-3)


def test_arrays_tables_and_records():
    x = SIM.sig
    assert as_record(SIM).leads == ["MLII", "V1"] and as_record(x[0], 360).sig.shape == (1, 21600)
    assert as_record(TABLE, 360).leads == ["MLII", "V1"] and as_record(timed("time")).fs == 360
    for bad, said in ((x.T, r"\(21600, 2\).*\(lead, time\)"), (x[None], "shape"), (x[:, :0], "shape"), (np.full((1, 99), np.nan), "no valid sample"), (x + np.inf, "infinite")):
        with pytest.raises(ValueError, match=said): as_record(bad, 360)
    for bad in (x > 0, x.astype(complex), x.astype(str)):
        with pytest.raises(TypeError, match="expected numbers"): as_record(bad, 360)
    with pytest.raises(ValueError, match="leave fs out"): as_record(SIM, 250)


@pytest.mark.parametrize("fs, error", [("360", TypeError), (None, ValueError), (0, ValueError), (-5, ValueError), (float("nan"), ValueError), (float("inf"), ValueError), (1e9, ValueError), (True, TypeError)])
def test_rates_that_cannot_be(fs, error):
    with pytest.raises(error, match="fs"): check_rate(fs)


@pytest.mark.parametrize("at", [[1.5, 2.5], [9, 3], [3, 3], [3, np.nan], [3, 100], [-1, 3], [[3, 4]], ["3"]])
def test_beats_that_cannot_be(at):
    with pytest.raises(ValueError, match="increasing sample numbers"): check_beats(at, 100)


# where files are -----------------------------------------------------------------------------------------------------
def test_the_environment_is_read_as_people_mean_it(monkeypatch, tmp_path):
    monkeypatch.setenv("ECG_NB_DATA", "~/ecg")
    assert data_dir() == data.Path.home()/"ecg"
    monkeypatch.setenv("ECG_NB_DATA", "")
    assert data_dir() == data.project_root()/"data"
    for value, on in (("0", False), ("false", False), ("", False), ("no", False), ("1", True), ("true", True)):
        monkeypatch.setenv("ECG_NB_OFFLINE", value)
        assert offline() == on
    (tmp_path/"file").write_text("x")
    monkeypatch.setenv("ECG_NB_DATA", str(tmp_path/"file"))
    with pytest.raises(NotADirectoryError, match="is a file"): data_dir()
    monkeypatch.setenv("ECG_NB_DATA", str(tmp_path/"mistyped"))
    with pytest.raises(FileNotFoundError, match="correct the path"): load("auto", ["100"])
    assert not (tmp_path/"mistyped").exists()


def test_offline_means_no_attempt(monkeypatch, tmp_path):
    monkeypatch.setenv("ECG_NB_OFFLINE", "1")
    monkeypatch.setenv("ECG_NB_DATA", str(tmp_path))
    monkeypatch.setattr(data.urllib.request, "urlopen", lambda *a, **k: pytest.fail("asked the network"))
    for f in (lambda: load("mitdb", ["100"]), lambda: data.fetch("mitdb", ["100"]), lambda: data.noise_bank("train", "mitdb")):
        with pytest.raises(data.DownloadError, match="OFFLINE"): f()
    with pytest.raises(FileNotFoundError, match=str(tmp_path)): read_record(100)
    assert load("auto", ["100"])[0].source == "sample"


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/b", "..", "", "a b"])
def test_a_record_is_a_plain_name(name):
    with pytest.raises(ValueError, match="plain name"): read_record(name)


@pytest.mark.skipif(not (data_dir()/"mitdb"/"100.dat").exists(), reason="needs MIT-BIH")
def test_a_damaged_file_is_named(monkeypatch, tmp_path):
    here = data_dir()/"mitdb"
    (tmp_path/"mitdb").mkdir()
    for ext in (".hea", ".dat", ".atr"): (tmp_path/"mitdb"/f"100{ext}").write_bytes((here/f"100{ext}").read_bytes())
    monkeypatch.setenv("ECG_NB_DATA", str(tmp_path))
    assert len(read_record(100).beats) == 2273
    atr = tmp_path/"mitdb"/"100.atr"
    whole = atr.read_bytes()
    for bad in (whole[:-400], b"", whole[:50] + b"x" + whole[51:]):
        atr.write_bytes(bad)
        with pytest.raises(ValueError, match="100.atr of mitdb is damaged"): read_record(100)


# whatever comes ------------------------------------------------------------------------------------------------------
@settings(max_examples=25, deadline=None)
@given(st.integers(1, 3), st.floats(50, 2000), st.sampled_from(["float32", "float64", "int16"]), st.floats(-5, 5), st.integers(0, 3))
def test_finite_in_finite_out(leads, fs, dtype, offset, flat):
    x = (np.random.default_rng(0).normal(size=(leads, 1500)) + offset)
    if flat: x[:, :400*flat] = offset
    x = (x*100).astype(dtype) if dtype == "int16" else x.astype(dtype)
    rec = as_record(x, fs, unit=100 if dtype == "int16" else "mV")
    y = resample_signal(rec.sig, rec.fs, 360)
    assert np.isfinite(y).all() and abs(y.shape[1] - 1500*360/fs) <= 1 and y.dtype == np.float32
