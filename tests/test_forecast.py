"""`forecast` takes any recording, or says what is wrong; the script that the chapter shows trains its copier."""
import json, re, warnings
from fractions import Fraction
import numpy as np, pandas as pd, pytest, torch
from hypothesis import given, settings, strategies as st
from conftest import ROOT
from ecg_nb.data import Record, sample_records
from ecg_nb.forecast import (Forecaster, LearnedParroting, ResidualQuantizer, TokenPrior, VQVAE, forecast,
                             load_forecaster, three_heads)


@pytest.fixture(scope="module")
def model(): # small and untrained: what is tested here is what goes in and comes out
    torch.manual_seed(0)
    tokenizer = VQVAE(8, dim=4, quantizer=ResidualQuantizer(3, 16, 4))
    tokenizer(torch.randn(4, 2, 1440))
    tokenizer.eval()
    return Forecaster(tokenizer, LearnedParroting(), TokenPrior(tokenizer.quantizer.codebook, 3, 3, 32, 1, 160)).eval()


@pytest.fixture(scope="module")
def ecg(): return sample_records(1, 20)[0].sig[:2, :3600].copy()


def test_every_way_to_pass_a_recording_gives_the_same(model, ecg):
    wanted = forecast(ecg, 360, 1., 2, model)
    frame = pd.DataFrame(ecg.T, columns=["MLII", "V1"])
    for sig, fs in ((Record("x", ecg, 360, ["MLII", "V1"]), None), (torch.tensor(ecg), 360.), (frame, 360), (ecg.tolist(), Fraction(360))):
        assert np.allclose(forecast(sig, fs, 1., 2, model), wanted, atol=1e-5)
    assert np.allclose(forecast(1000*ecg, 360, 1., 2, model, unit="uV"), wanted, atol=1e-4)
    assert forecast(ecg[0], 360, 1., 2, model).shape == (2, 1, 360)


def test_what_stands_before_a_gap_is_not_used(model, ecg):
    gap = np.concatenate([9 + 0*ecg, ecg[:, :2000]], 1)
    gap[0, 3599] = np.nan
    assert np.allclose(forecast(gap, 360, 1., 2, model, unit="mV"), forecast(ecg[:, :2000], 360, 1., 2, model), atol=1e-5)


@pytest.mark.parametrize("change, error, says", [
    (dict(sig="transposed"), ValueError, r"\(lead, time\)"), (dict(sig="short"), ValueError, "at least 4 s"),
    (dict(sig="gap"), ValueError, "after the last missing sample"), (dict(sig="three"), ValueError, "one or two"),
    (dict(fs=0), ValueError, "fs"), (dict(fs="360"), TypeError, "fs"), (dict(fs=1e9), ValueError, "fs"),
    (dict(n=0), ValueError, "n=0"), (dict(n=2.5), ValueError, "n=2.5"), (dict(n=True), TypeError, "n=True"),
    (dict(seconds=0), ValueError, "seconds=0"), (dict(seconds=60.), ValueError, "seconds=60"), (dict(seconds=np.nan), ValueError, "seconds=nan"),
    (dict(temperature=-1), ValueError, "temperature=-1"), (dict(temperature="1"), TypeError, "temperature"),
    (dict(top_k=-1), ValueError, "top_k=-1"), (dict(top_k=1.5), ValueError, "top_k=1.5"), (dict(copied=2), ValueError, "copied=2"),
    (dict(seed=-1), ValueError, "seed=-1"), (dict(unit="pounds"), ValueError, "pounds")])
def test_a_wrong_argument_is_named(model, ecg, change, error, says):
    gap = ecg.copy()
    gap[1, 3000] = np.nan
    kinds = dict(transposed=ecg.T, short=ecg[:, :700], gap=gap, three=np.vstack([ecg, ecg[:1]]))
    change = {k: kinds[v] if k == "sig" else v for k, v in change.items()}
    with pytest.raises(error, match=says): forecast(**dict(sig=ecg, fs=360, seconds=1., n=1, model=model) | change)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from([50, 125, 249.5, 257.3, 360, 500, 1000, 2000]), st.integers(1, 2), st.sampled_from(["float32", "float64", "int16"]),
       st.floats(-50, 50), st.floats(0, 20), st.floats(.02, 1.3), st.booleans(), st.floats(0, 1))
def test_finite_in_finite_out(model, fs, leads, dtype, offset, scale, seconds, flat, copied):
    rng = np.random.default_rng(0)
    x = offset + scale*rng.normal(size=(leads, round(6*fs)))
    if flat: x[:, round(2*fs):] = offset
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        y = forecast(x.astype(dtype), fs, seconds, 3, model, copied=copied)
    assert y.shape == (3, leads, max(1, round(seconds*fs))) and np.isfinite(y).all()


def test_older_weights_still_load():
    prior = load_forecaster().prior
    new, old = prior.state_dict(), {}
    for name, x in new.items():
        old |= {} if re.search(r"\.(weight|sharpness|shift)\.(weight|bias)$", name) and ".votes." in name else {"prior." + name: x}
    for i, votes in enumerate(prior.votes):
        for kind in ("weight", "bias"):
            w, s, d = (getattr(getattr(votes, head), kind) for head in ("weight", "sharpness", "shift"))
            parts = torch.cat([w[:-1, None], s[:, None], d.unflatten(0, (len(s), -1))], 1)
            old[f"prior.votes.{i}.steer.{kind}"] = torch.cat([parts.flatten(0, 1), w[-1:]])
    assert all(torch.equal(x, new[name.removeprefix("prior.")]) for name, x in three_heads(old).items())


def test_the_script_of_the_chapter_trains(tmp_path, monkeypatch):
    cells = json.loads((ROOT/"nbs/02_forecast.ipynb").read_text(encoding="utf-8"))["cells"]
    script = next(m[1] for c in cells if (m := re.search(r"```python\n(.*?)```", "".join(c["source"]), re.S)))
    assert len(script.strip().splitlines()) <= 15
    monkeypatch.setenv("ECG_NB_OUTPUTS", str(tmp_path))
    done = {}
    exec(script.replace('"mitdb", DS1', '"sample"').replace("steps=150", "steps=2"), done)
    assert (tmp_path/"02_forecast/mine/model.safetensors").exists() and not done["model"].training
