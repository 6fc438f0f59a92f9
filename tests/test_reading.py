"Recordings as people have them: right, or refused with a sentence that says what to do."
import gzip, logging, re
from fractions import Fraction
import numpy as np, pandas as pd, pytest, wfdb
import torch
from scipy.io import savemat
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


@pytest.mark.parametrize("unit", ["µV", "μV", "microV", "UV"])
@pytest.mark.parametrize("code", ["utf-8", "latin-1"])
def test_a_header_writes_microvolts_in_any_way(unit, code, tmp_path):
    if (unit, code) == ("μV", "latin-1"): pytest.skip("no such letter")
    write(tmp_path, sig=SIM.sig*1000, units=("uV", "uV"), fmt="32")
    head = (tmp_path/"a.hea").read_text()
    (tmp_path/"a.hea").write_bytes(head.replace("/uV", f"/{unit}").encode(code))
    assert np.allclose(read_record("a", folder=tmp_path).sig, SIM.sig, atol=2e-3)


@pytest.mark.parametrize("gain", [" 16 0", " 16"])
def test_a_record_without_gain_is_told(gain, tmp_path, caplog):
    write(tmp_path)
    head = (tmp_path/"a.hea").read_text()
    (tmp_path/"a.hea").write_text(re.sub(r" 16 [\d.]+\([-\d]+\)/mV" + ("" if gain[-1] == "0" else ".*"), gain, head))
    read_record("a", folder=tmp_path)
    assert "uncalibrated" in caplog.text


def test_a_damaged_copy_is_told(tmp_path, caplog):
    write(tmp_path)
    dat = tmp_path/"a.dat"
    raw = dat.read_bytes()
    dat.write_bytes(raw[:100] + bytes([raw[100] ^ 64]) + raw[101:])
    read_record("a", folder=tmp_path)
    assert "do not add up" in caplog.text
    atr = (tmp_path/"a.atr").read_bytes()
    for n in (0, len(atr)//2, len(atr) - 2):
        (tmp_path/"a.atr").write_bytes(atr[:n])
        with pytest.raises(ValueError, match="a.atr is cut"): read_record("a", folder=tmp_path)


@pytest.mark.parametrize("change", ["fixed", "gap", "lead"])
def test_records_of_several_segments(change, tmp_path):
    x, n = SIM.sig, SIM.sig.shape[1]
    write(tmp_path, name="s1", sig=x[:, :10000], at=None)
    write(tmp_path, name="s2", sig=x[:, 10000:], at=None)
    (tmp_path/"m_layout.hea").write_text("m_layout 2 360 0\n~ 0 200/mV 16 0 0 0 0 MLII\n~ 0 200/mV 16 0 0 0 0 V1\n")
    (tmp_path/"m.hea").write_text({"fixed": f"m/2 2 360 {n}\ns1 10000\ns2 {n - 10000}\n", "lead": f"m/2 2 360 {n}\ns1 10000\ns2 {n - 10000}\n",
                                   "gap": f"m/4 2 360 {n + 1000}\nm_layout 0\ns1 10000\n~ 1000\ns2 {n - 10000}\n"}[change])
    if change == "gap":
        with pytest.raises(ValueError, match="1000 samples from 27.78 s"): read_record("m", folder=tmp_path)
    got = read_record("m", folder=tmp_path, nan="interpolate", leads="v1" if change == "lead" else None)
    want = x[1:] if change == "lead" else x if change == "fixed" else np.insert(x, [10000]*1000, x[:, :1], axis=1)
    keep = np.r_[0:10000, -(n - 10000):0]
    assert got.sig.shape == want.shape and np.allclose(got.sig[:, keep], want[:, keep], atol=1e-2)


def test_stretches_that_cannot_be(tmp_path):
    write(tmp_path)
    for ask in (dict(start=100), dict(start=-1), dict(seconds=0), dict(start=float("nan")), dict(nan="drop"), dict(fs=0)):
        with pytest.raises(ValueError, match=next(iter(ask))): read_record("a", folder=tmp_path, **ask)
    for rate in ("-5", "0"):
        (tmp_path/"a.hea").write_text(re.sub(r"^a 2 \S+ ", f"a 2 {rate} ", (tmp_path/"a.hea").read_text()))
        with pytest.raises(ValueError, match="rate"): read_record("a", folder=tmp_path)


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
                                         ("v1", "V1"), ("MCL1", "V1"), ("AVR", "aVR"), ("ECG1", "ECG1"), ("ABP", "ABP"), ("II (mV)", "II"), ("MLIII", "III"), ("V", "V"), ("Lead 2", "II"), ("Lead-II", "II"), ("II_raw", "II")])
def test_names_mean_the_same(name, means):
    assert lead_name(name) == means


def test_names_missing_or_twice(tmp_path):
    assert distinct([None, None]) == ["1", "2"] and len(set(distinct(["II", "II", "II"]))) == 3
    np.random.default_rng(0).integers(-500, 500, (3600, 2)).astype("<i2").tofile(tmp_path/"a.dat")
    (tmp_path/"a.hea").write_text("a 2 360 3600\na.dat 16 200\na.dat 16 200\n")
    assert read_record("a", folder=tmp_path).leads == ["1", "2"]
    with pytest.raises(ValueError, match="it has 1, 2"): read_record("a", folder=tmp_path, leads="MLII")
    assert find_lead(["V1", "Lead II"], "MLII") == 1 and find_lead(["MLII", "II"], "ii") == 1
    write(tmp_path, name="b")
    for leads, error in (([], TypeError), (5, TypeError), ([0], TypeError), (["MLII", "ii"], ValueError), ("V9", ValueError)):
        with pytest.raises(error, match="lead"): read_record("b", folder=tmp_path, leads=leads)


# tables and files ----------------------------------------------------------------------------------------------------
FILES = {
    "plain": TABLE.to_csv(index=False), "index": TABLE.to_csv(), "sample #": timed("'sample #'", 1.).to_csv(index=False), "Time (s)": timed("Time (s)").to_csv(index=False),
    "timestamp": timed("timestamp").to_csv(index=False), "unix": timed("timestamp", start=1.6e9).round(6).to_csv(index=False), "ms": timed("time_ms", scale=1000).to_csv(index=False),
    "no header": TABLE.to_csv(index=False, header=False), "time, no header": timed("t").to_csv(index=False, header=False),
    "semicolon": TABLE.to_csv(index=False, sep=";", decimal=","), "semicolon, point": TABLE.to_csv(index=False, sep=";"), "tab": TABLE.to_csv(index=False, sep="\t"),
    "tab, comma": TABLE.to_csv(index=False, sep="\t", decimal=","), "blanks": TABLE.to_csv(index=False, sep=" "), "bom": "\ufeff" + TABLE.to_csv(index=False), "comment": "# made by X\n" + TABLE.to_csv(index=False),
    "microvolts": (1000*TABLE).add_suffix(" (uV)").to_csv(index=False), "units below": "'Elapsed time','MLII','V1'\n'seconds','mV','mV'\n" + timed("t").to_csv(index=False, header=False),
    "pandas' 0, 1": TABLE.set_axis([0, 1], axis=1).to_csv(index=False), "pandas' 0, 1 and index": TABLE.set_axis([0, 1], axis=1).to_csv(),
    "printed with index": TABLE.to_string(), "bars": TABLE.to_csv(index=False, sep="|"), "trailing separator": TABLE.to_csv(index=False).replace("\n", ",\n"),
    "quoted decimal commas": "MLII,V1\n" + "\n".join(f'"{a}","{b}"'.replace(".", ",") for a, b in TABLE.to_numpy()), "CRLF": TABLE.to_csv(index=False).replace("\n", "\r\n"),
    "_uV": (1000*TABLE).add_suffix("_uV").to_csv(index=False), "[µV]": (1000*TABLE).add_suffix(" [µV]").to_csv(index=False), "pressure": TABLE.assign(**{"ABP (mmHg)": 90.}).to_csv(index=False),
    "label and respiration": TABLE.assign(label=0, Resp=.5, beat="N").to_csv(index=False),
    "ns": timed("timestamp", start=1.7e18, scale=1e9).to_csv(index=False), "us": timed("time_us", scale=1e6).to_csv(index=False), "sample": timed("Sample", fs=1.).to_csv(index=False),
    "Zeit": timed("Zeit [s]").to_csv(index=False, sep=";", decimal=","), "rdsamp": "   'Elapsed time'   'MLII'   'V1'\n   'seconds'   'mV'   'mV'\n" + timed("t").to_csv(index=False, header=False, sep=" "),
    "time last": timed("time")[["MLII", "V1", "time"]].to_csv(index=False), "lines above": "Device: X\nSampling rate: 360 Hz\n\n" + TABLE.to_csv(index=False), "# header": "# " + TABLE.to_csv(index=False),
    "German date": timed("Datum").assign(Datum=(pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(3600)/360, unit="s")).strftime("%d.%m.%Y %H:%M:%S.%f")).to_csv(index=False, sep=";", decimal=","),
    "to the second": timed("date").assign(date=(pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(3600)/360, unit="s")).strftime("%Y-%m-%d %H:%M:%S")).to_csv(index=False),
    "datetime": timed("x").assign(x=pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(3600)/360, unit="s")).rename(columns=dict(x="Datetime")).to_csv(index=False),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_csv_is_read_as_it_is_meant(kind, tmp_path):
    (tmp_path/"x.csv").write_text(FILES[kind])
    got = read_signal(tmp_path/"x.csv", 360)
    assert got.sig.shape == (2, 3600) and np.allclose(got.sig, TABLE.to_numpy().T, atol=2e-3), got
    if kind == "# header": assert got.leads == ["MLII", "V1"]
    if "header" not in kind and "0, 1" not in kind: assert got.leads == ["MLII", "V1"]


@pytest.mark.parametrize("kind", ["Time (s)", "ms", "us", "ns", "datetime", "German date", "unix", "Zeit", "rdsamp", "time last", "lines above"])
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
    np.savez(tmp_path/"d.npz", x)
    savemat(tmp_path/"e.mat", dict(ECG=x.T, Fs=360.))
    assert np.allclose(read_signal(tmp_path/"d.npz", 360).sig, x, atol=1e-5) and read_signal(tmp_path/"e.mat").fs == 360
    watch = "Name,X\nDevice,\"Watch6,1\"\nSample Rate,512 hertz\n\nLead,Lead I\nUnit,µV\n\n" + "\n".join(f"{v:.3f}" for v in 1000*x[0])
    for text in (watch, watch[:60] + watch[60:].replace(".", ",")):
        (tmp_path/"w.csv").write_text(text, encoding="utf-8")
        got = read_signal(tmp_path/"w.csv")
        assert got.leads == ["Lead I"] and got.fs == 512 and np.allclose(got.sig[0], x[0], atol=1e-3)
    (tmp_path/"adc.csv").write_text((200*TABLE).round().astype(int).to_csv(index=False))
    with pytest.warns(UserWarning, match="raw ADC"): read_signal(tmp_path/"adc.csv", 360)
    assert np.allclose(read_signal(tmp_path/"adc.csv", 360, unit=200).sig, x, atol=5e-3)
    write(tmp_path)
    for name in ("a", "a.dat", "a.hea"): assert read_signal(tmp_path/name).sig.shape == SIM.sig.shape
    with pytest.raises(ValueError, match="says 360 Hz, fs=250"): read_signal(tmp_path/"a.hea", 250)
    (tmp_path/"beats.csv").write_text(pd.DataFrame(np.zeros((500, 188))).to_csv(index=False, header=False))
    with pytest.raises(ValueError, match="188 columns"): read_signal(tmp_path/"beats.csv", 360)
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
    wide = pd.DataFrame(x[:, :3600].T, columns=["MLII", "V1"])
    for index in (np.arange(3600)/360, pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(3600)/360, unit="s")):
        assert as_record(wide.set_axis(index, axis=0)).fs == pytest.approx(360)
        with pytest.raises(ValueError, match="says 360 Hz"): as_record(wide.set_axis(index, axis=0), 250)
    with pytest.raises(ValueError, match=r"\(2, 3600\).*\(3600, 2\)"): as_record(wide.T, 360)
    masked = as_record(np.ma.masked_array(x, np.abs(x) > 1), 360).sig
    assert np.array_equal(np.isnan(masked), np.abs(x) > 1)
    assert as_record(torch.tensor(x).requires_grad_(), 360).sig.shape == x.shape
    for bad in (x > 0, x.astype(complex), x.astype(str)):
        with pytest.raises(TypeError, match="expected numbers"): as_record(bad, 360)
    with pytest.raises(ValueError, match="leave fs out"): as_record(SIM, 250)


@pytest.mark.parametrize("fs, error", [("360", TypeError), (None, ValueError), (0, ValueError), (-5, ValueError), (float("nan"), ValueError), (float("inf"), ValueError), (1e9, ValueError), (True, TypeError)])
def test_rates_that_cannot_be(fs, error):
    with pytest.raises(error, match="fs"): check_rate(fs)


@pytest.mark.parametrize("at", [[1.5, 2.5], [9, 3], [3, 3], [3, np.nan], [3, 100], [-1, 3], [[3, 4]], ["3"], [1, 2, 3, 4]])
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


@pytest.mark.parametrize("call", [lambda: data.windows(SIM.sig, 2.5), lambda: data.windows(SIM.sig, 9, 0), lambda: data.split_patients(data.MITDB, 2), lambda: simulate_record(0, -1),
    lambda: simulate_record(1.5), lambda: data.simulate_noise("hum"), lambda: data.simulate_noise("bw", 0), lambda: data.draw_noise("mains", (1, 2, 9), fs=0), lambda: data.draw_noise("white", (1, 2)),
    lambda: data.mix(SIM.sig, SIM.sig, float("nan")), lambda: data.stretch(torch.zeros(1, 2, 99), 9, 0), lambda: data.sample_records(-1), lambda: data.fetch("mitdb", ["100"], workers=0),
    lambda: resample(SIM, 1e9), lambda: move_samples([np.nan], 360, 250), lambda: data.noise_bank("train", "hum"), lambda: data.verify("hum"), lambda: read_record("100", "../nstdb"),
    lambda: Record("a", SIM.sig, 0, ["I", "II"]), lambda: as_record(SIM.sig, 360, unit="foot"), lambda: millivolts(0)])
def test_wrong_numbers_are_refused_by_name(call):
    with pytest.raises(ValueError, match=r"=|database|db|shape|move_samples"): call()


def test_a_name_is_one_record(monkeypatch):
    assert data.patient(202) == "201"
    if (data_dir()/"mitdb"/"100.hea").exists(): assert [r.name for r in load("mitdb", "100")] == [r.name for r in load("mitdb", 100)] == ["100"]


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


@settings(max_examples=30, deadline=None)
@given(st.floats(50, 2000), st.floats(50, 2000), st.integers(0, 1400), st.integers(1, 99))
def test_a_gap_stays_where_it_was(fs, to, start, length):
    x = np.random.default_rng(0).normal(size=(2, 1500)).astype(np.float32)
    x[0, start:start + length] = np.nan
    y = resample_signal(x, fs, to)
    gone = np.flatnonzero(np.isnan(y[0]))
    assert np.isfinite(y[1]).all() and abs(len(gone) - length*to/fs) <= 1 + to/fs
    if len(gone): assert abs(gone[0] - start*to/fs) <= 1 + to/fs and np.ptp(gone) == len(gone) - 1


@settings(max_examples=30, deadline=None)
@given(st.one_of(st.floats(50, 2000), st.fractions(50, 2000, max_denominator=1001), st.integers(50, 2000)), st.sampled_from([100, 250.02, 360, 511.542, Fraction(1000, 3)]))
def test_a_slow_wave_is_the_same_at_any_rate(fs, to):
    n = int(8*fs)
    y = resample_signal(np.sin(2*np.pi*5*np.arange(n)/float(fs))[None], fs, to)[0]
    t = np.arange(len(y))/float(to)
    inner = (t > 1) & (t < 7)
    assert np.abs(y - np.sin(2*np.pi*5*t))[inner].max() < .02


def test_what_is_too_fast_for_a_rate_is_filtered_at_odd_rates_too():
    t = np.arange(20000)/999.9001
    for to in (250, 249.983):
        assert np.abs(resample_signal(np.sin(2*np.pi*180*t), 999.9001, to)[200:-200]).max() < .05


@settings(max_examples=40, deadline=None)
@given(st.floats(50, 2000), st.floats(50, 2000), st.integers(0, 86_400))
def test_a_day_of_beats_stays_on_the_clock(fs, to, second):
    at = round(second*fs)
    assert abs(move_samples([at], fs, to)[0] - at/fs*to) <= .5 + 1e-3
