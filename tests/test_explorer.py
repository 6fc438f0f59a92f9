"The explorer of chapter 03, driven as a user would, without a notebook: in a notebook its widgets would leave their state behind."
import matplotlib
import numpy as np
import pytest
from ecg_nb.data import noise_bank, simulate_record

matplotlib.use("Agg")
pytest.importorskip("ipywidgets")
from ecg_nb.denoise import Explorer  # noqa: E402


@pytest.fixture
def explorer():
    records = {f"patient {i}": simulate_record(i, 30) for i in range(2)}
    return Explorer(records, dict(nothing=lambda y: y, silence=lambda y: 0*y), noise_bank("test", "sample"))


def test_buttons_move_through_the_windows_and_stop_at_the_ends(explorer):
    c = explorer.controls
    assert c.window.max == 30//4 - 1
    c.previous.click()
    assert c.window.value == 0
    for _ in range(20): c.next.click()
    assert c.window.value == c.window.max


@pytest.mark.parametrize("kind", ["white", "mains", "bw", "em", "ma", "bw+em+ma"])
def test_scores_are_of_the_level_that_was_chosen(explorer, kind):
    c = explorer.controls
    c.kind.value, c.snr.value = kind, 17.5
    _, table = explorer.figure()
    np.testing.assert_allclose(table["SNR in"], 17.5, atol=1e-3)
    np.testing.assert_allclose(table["improvement"], 0, atol=1e-3)
    c.method.value = "silence"
    assert (explorer.figure()[1]["SNR out"] < .1).all()


def test_what_is_switched_off_is_not_drawn(explorer):
    c = explorer.controls
    assert len(explorer.figure()[0].axes[0].lines) == 3
    c.show["clean"].value = False
    assert [line.get_label() for line in explorer.figure()[0].axes[0].lines] == ["noisy", "denoised"]
    c.kind.value = "none"
    fig, table = explorer.figure()
    assert table.empty and "as recorded" in fig.axes[0].get_title()


def test_a_file_of_ones_own_at_another_rate(explorer, tmp_path):
    rec = simulate_record(7, 20, fs=250)
    np.save(tmp_path/"mine.npy", rec.sig.T)
    explorer.load(str(tmp_path/"mine.npy"), 250)
    assert explorer.controls.record.value == "mine" and explorer.controls.window.max == 20//4 - 1
    explorer.load(str(tmp_path/"other.npy"), 250)
    assert "no file other.npy" in explorer.controls.message.value and explorer.controls.record.value == "mine"
