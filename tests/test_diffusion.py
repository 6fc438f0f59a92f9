"""Chapter 06: what a notebook cell has no room for: the source's arrays, oracles, errors, a script of one's own."""
import math
from functools import partial
from types import SimpleNamespace
import numpy as np
import pytest
import torch
from conftest import ROOT  # noqa: F401  (puts the checkout first)
from ecg_nb import diffusion as d
from ecg_nb.data import Record, load
from ecg_nb.training import Run, fit


@pytest.fixture(scope="module")
def windows():
    "Three windows of the offline sample, scaled, and the largest value of their recording."
    x = d.band_limited(load("sample")[0])
    return d.scale_window(torch.tensor(np.stack([x[i:i + d.SIZE] for i in (500, 2000, 3000)])))


@pytest.fixture
def new_run(tmp_path, monkeypatch):
    "A run below a temporary folder."
    monkeypatch.setenv("ECG_NB_OUTPUTS", str(tmp_path))
    return lambda: Run("06_diffusion", SimpleNamespace(preset="test", data="sample"))


def test_the_sources_arrays_are_its_formula(windows):
    "16 taps from -7 to 8 centred on half a sample, minus the phases in both codes, the size of the sum as stored."
    size = torch.tensor([.1, .2, .3])
    arrays = d.encode(windows, source=True, size=size)
    taps = np.arange(16) - 7
    weights = np.exp(-.5*((taps - .5)/(16/6))**2)
    for x, amplitude in zip(windows.numpy(), arrays["amp_init"].numpy()):
        parts = np.lib.stride_tricks.sliding_window_view(np.pad(x, (7, 8)), 16)
        frequency = d.fourier_modes(torch.tensor(x)[None])[0][0].numpy()
        formula = np.abs(parts @ (weights*np.exp(-2j*np.pi*frequency[:, None]*taps)).T).T
        assert min(np.corrcoef(a, b)[0, 1] for a, b in zip(formula, amplitude)) >= .999
    for name in ("emb_init", "freq_embeddings"):
        f, phi = d.decode_phase_code(arrays[name])
        assert torch.allclose(torch.cos(phi + d.fourier_modes(windows)[1]), torch.ones_like(phi), atol=1e-4), name
    assert torch.allclose(d.decode(arrays["amp_init"], arrays["emb_init"]).std(-1), size, rtol=1e-3)
    back = d.decode(arrays["images"], arrays["freq_embeddings"])
    assert (d.ecg_scores(windows.numpy(), back.numpy()).snr_db > 45).all()
    found = d.alternating_projections(arrays["amp_init"], arrays["emb_init"], source=True)
    assert (d.ecg_scores(windows.numpy(), found.numpy()).correlation > .97).all()
    assert torch.allclose(found.std(-1), size, rtol=.1)


@pytest.mark.parametrize("kind", ["eps", "v"])
@pytest.mark.parametrize("eta", [0., 1.])
def test_the_sampler_is_that_of_diffusers(kind, eta):
    diffusers = pytest.importorskip("diffusers")
    prediction = dict(eps="epsilon", v="v_prediction")[kind]
    theirs = diffusers.DDIMScheduler(num_train_timesteps=1000, beta_start=1e-4, beta_end=.02, clip_sample=False,
                                     timestep_spacing="trailing", prediction_type=prediction)
    theirs.set_timesteps(50)
    abar = d.linear_abar()
    assert torch.allclose(theirs.alphas_cumprod.double(), abar, atol=1e-6)
    theirs.alphas_cumprod = abar  # the same in double precision
    assert theirs.timesteps.tolist() == d.ddim_times(50)
    toy = lambda x, t: torch.sin(3*x) + t.view(-1, 1, 1)/1000
    begin, fresh = torch.randn(8, 1, 256, generator=torch.Generator().manual_seed(1)).double(), torch.Generator().manual_seed(3)
    x = begin
    for t in theirs.timesteps:
        z = torch.randn(x.shape, generator=fresh).double() if eta else None
        x = theirs.step(toy(x, t.expand(len(x))), t, x, eta=eta, variance_noise=z).prev_sample
    ours = d.sample(toy, begin, abar, 50, eta, kind, generator=torch.Generator().manual_seed(3))
    assert float((ours - x).abs().max()/x.abs().max()) < 1e-5


def test_a_gaussian_comes_out_with_its_mean_and_spread():
    mean, sd, abar = .3, .2, d.linear_abar()
    def best_noise(x, t):
        a = abar[t[0]].item()
        return (1 - a)**.5*(x - a**.5*mean)/(a*sd**2 + 1 - a)
    start = torch.randn(4000, 1, 1, generator=torch.Generator().manual_seed(4))
    for eta in (0., 1.):
        drawn = d.sample(best_noise, start, abar, 1000, eta, "eps", generator=torch.Generator().manual_seed(5))
        assert abs(drawn.mean().item() - mean) < .015 and abs(drawn.std().item() - sd) < .015
    assert d.published_sample(best_noise, start, abar, 50).std() > .5  # the source's: mostly noise


def test_a_network_that_knows_has_no_loss(windows):
    arrays, abar = d.encode(windows), d.linear_abar()
    class Knows(d.CanvasDiffusion):
        def forward(self, x, t, condition):
            a = abar.float()[t][:, None, None, None]
            return (x - a**.5*self.clean(arrays))/(1 - a)**.5
    knows, blank = (k(8, 1, (8, 16), "concat", 8) for k in (Knows, d.CanvasDiffusion))
    knows.refined.fit(arrays["images"])
    parts = d.combined_loss(knows, (windows, *arrays.values()), abar)
    assert max(parts[k].item() for k in ("images", "freq_embeddings", "consistency")) < 1e-3
    assert d.combined_loss(blank, (windows, *arrays.values()), abar)["loss"] > .5


def test_no_double_precision_reaches_the_device(windows, monkeypatch):
    "Apple's GPUs have none: everything that the losses send to the device is float32 or integer."
    sent, plain = [], torch.Tensor.to
    monkeypatch.setattr(torch.Tensor, "to", lambda self, *a, **k: (sent.append(self.dtype), plain(self, *a, **k))[1])
    batch = d.compact_windows(windows)
    net = d.fit_scaling(d.TimeUNet(8), *batch)
    d.diffusion_loss(net, batch, d.cosine_abar()); d.regression_loss(net, batch)
    assert sent and torch.float64 not in sent


def test_errors_say_what_to_do(new_run, tmp_path):
    run = new_run()
    run.publish(d.CanvasDiffusion(8, 1, (8, 16), "concat", 8), "canvas")
    with pytest.raises(ValueError, match="no light network"): d.load_diffusion(run.folder/"canvas.safetensors")
    light = d.load_diffusion()
    with pytest.raises(ValueError, match="rhythm"): d.draw_ecg(light, 0, 1)
    rhythm = d.load_diffusion(name="rhythm")
    assert d.draw_ecg(rhythm, 1, 1, steps=2).shape == (1, d.SIZE)
    with pytest.raises(ValueError, match="expected 0"): d.draw_ecg(rhythm, 4, 1)
    with pytest.raises(ValueError, match="gaps"): d.rebuild(np.where(np.arange(5000) == 50, np.nan, np.sin(np.arange(5000)/20)), 360)
    with pytest.raises(ValueError, match="expected projections"): d.rebuild(np.zeros(5000), 360, method="magic")
    with pytest.raises(ValueError, match="steps=0"): d.rebuild(np.zeros(5000), 360, method="amplitudes", steps=0)
    with pytest.raises(FileNotFoundError): d.load_diffusion(tmp_path/"missing.safetensors")


@pytest.mark.parametrize("method, least", [("projections", .99), ("network", .8), ("amplitudes", .6)])
def test_rebuild_gives_the_recording_back(method, least):
    rec = load("sample")[0]
    n = int(20*rec.fs)
    back = d.rebuild(rec.sig[:1, :n], rec.fs, method=method)
    before = d.band_limited(Record("x", rec.sig[:1, :n], rec.fs, ["x"]))
    assert back.fs == 125 and back.sig.shape == (1, len(before))
    if method == "amplitudes": assert d.up_to_sign(before[None, :d.SIZE], back.sig[:, :d.SIZE])[0] > least  # its sign is free
    else: assert d.ecg_scores(before[None, :2*d.SIZE], back.sig[:, :2*d.SIZE]).correlation[0] > least
    assert not d.rebuild(np.zeros(5000), 360).sig.any()  # a flat lead stays flat


def test_the_main_network_from_a_script_of_ones_own(new_run):
    signals = {r.name: d.band_limited(r) for r in load("sample")[:3]}
    pool = d.compact_windows(d.draw_windows(signals, 4)[0])
    net, run = d.fit_scaling(d.TimeUNet(8), *pool), new_run()
    fit(run, net, partial(d.diffusion_loss, abar=d.cosine_abar()), d.window_batches(*pool, 4), steps=3,
        optimizer=partial(torch.optim.AdamW, lr=3e-3))
    run.publish(net)
    again = d.load_diffusion(run.folder/"model.safetensors")
    assert torch.allclose(d.reconstruct(again, pool[1][:1], 2), d.reconstruct(net.cpu(), pool[1][:1], 2), atol=1e-5)
    assert math.isfinite(d.griffin_lim(pool[1][:1], 3).sum().item())
