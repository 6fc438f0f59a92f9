"""Runs that cannot harm each other: what is refused, what survives a kill, a full disk, a wrong file, another writer.

Everything happens in processes of their own, on a small network and made-up data; nothing is downloaded.
"""
import json, os, shutil, signal, subprocess, sys
from functools import partial
from unittest.mock import patch
import nbformat, pytest, torch
from conftest import ROOT, run
from ecg_nb import training
from ecg_nb.training import Run, configure, fit, read_weights, ship_weights, weights_file

PRESETS = {name: dict(data=data, run_name=None, resume=False, steps=6, batch_size=4, width=8, seed=0, lr=1e-2, share=.5,
                      precision="no", num_processes=1) for name, data in dict(quick="auto", paper="mitdb").items()}
LIMITS = dict(share=(0, 1))
CODE = f"""
import os, sys, torch
from functools import partial
from ecg_nb.training import Run, configure, cosine, fit, seed_all
PRESETS, LIMITS = {PRESETS!r}, {LIMITS!r}
def chapter(steps=6, stop=None, optimizer=torch.optim.AdamW, finish=True, **parameters):
    "A chapter in small: parameters, run, data, training, scores."
    cfg = configure(PRESETS, parameters.pop("preset", "quick"), limits=LIMITS, steps=steps, **parameters)
    run = Run("00_small", cfg, name=cfg.run_name, resume=cfg.resume)
    run.source("sample" if cfg.data == "auto" else cfg.data)
    seed_all(cfg.seed)
    model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.Dropout(.1), torch.nn.Linear(16, 8))
    def batch(step):
        if step == stop: os.kill(os.getpid(), 9)
        return torch.randn(cfg.batch_size, 8)
    loss = lambda model, x: (model(x) - x).square().mean()
    history = run.train(model, loss, batch, steps=cfg.steps, epoch=2, optimizer=partial(optimizer, lr=cfg.lr),
                        validate=lambda model: dict(loss=loss(model, torch.randn(32, 8))), seed=cfg.seed)
    run.write("metrics.json", b"[]")
    run.write("extra.csv", b"a table of the chapter's own")
    if finish: run.finish()
    return run
"""
here = {}
exec(CODE, here)  # the same chapter in this process
chapter = here["chapter"]


@pytest.fixture(autouse=True)
def outputs(tmp_path, monkeypatch):
    "A folder for the runs of one test."
    monkeypatch.setenv("ECG_NB_OUTPUTS", str(tmp_path/"outputs"))
    training._LOCKS.clear()
    return tmp_path/"outputs"


def python(code, **kwargs):
    "Run `code` after that of the chapter in a process of its own, one thread."
    env = os.environ | dict(PYTHONPATH=str(ROOT), OMP_NUM_THREADS="1")
    return subprocess.run([sys.executable, "-c", CODE + code], capture_output=True, text=True, env=env, **kwargs)


def contents(folder):
    "Every file below a folder, but for locks."
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.name != ".lock"}


def refused(error, says, **parameters):
    with pytest.raises(error) as e: chapter(**parameters)
    assert says in str(e.value), e.value


def nothing_lost(outputs, before):
    now = contents(outputs)
    assert {k: now.get(k) == v for k, v in before.items()} == dict.fromkeys(before, True), "a file was changed or is gone"


WRONG = [("data", "mitbih", "mitdb, sample, auto"), ("steps", 0, "steps=0"), ("steps", -5, "steps=-5"), ("steps", 2.5, "expected int"),
         ("steps", "many", "expected int"), ("stepz", 3, "did you mean 'steps'"), ("lr", float("nan"), "lr=nan"), ("lr", "abc", "expected float"),
         ("share", 1.5, "at most 1"), ("precision", "foo", "no, bf16, fp16"), ("batch_size", True, "expected int"), ("preset", "fast", "quick, paper"),
         ("width", float("inf"), "expected int"), ("seed", -1, "seed=-1"),
         *[("run_name", name, "one plain name") for name in ("../victim", "/etc/victim", ".", "..", "", "a/b", ".git", "a\0b", "a\nb", "x"*200) if name],
         ("run_name", "paper", "published run"), ("run_name", "Paper", "published run")]


def test_wrong_parameters_lose_nothing(outputs):
    chapter()
    for folder in (outputs/"00_small/paper", outputs/"victim"):
        (folder/"figures").mkdir(parents=True)
        for name in ("model.safetensors", "my.pt", "figures/a.png"): (folder/name).write_bytes(b"somebody's work")
    before = contents(outputs)
    for name, value, says in WRONG: refused((ValueError, TypeError), says, **{name: value})
    assert contents(outputs) == before


def test_a_second_run_leaves_the_first_one_whole(outputs):
    chapter()
    first = contents(outputs/"00_small/quick")
    (outputs/"00_small/quick/run.ipynb").write_text("papermill writes this one")
    chapter(seed=1)
    assert contents(outputs/"00_small/quick.1") == first
    assert json.loads((outputs/"00_small/quick/params.json").read_text())["config"]["seed"] == 1
    assert (outputs/"00_small/quick/run.ipynb").exists()
    chapter(seed=2)
    assert contents(outputs/"00_small/quick.1") == first and (outputs/"00_small/quick.2").is_dir()


def test_files_of_others_are_refused(outputs):
    folder = outputs/"00_small/mine"
    folder.mkdir(parents=True)
    (folder/"llm.safetensors").write_bytes(b"somebody's work")
    before = contents(outputs)
    for resume in (False, True): refused(ValueError, "no run of this package wrote", run_name="mine", resume=resume)
    (folder/"params.json").write_text('{"chapter": "another program"}')
    for resume in (False, True): refused(ValueError, "take another run_name", run_name="mine", resume=resume)
    nothing_lost(outputs, before)


def test_the_status_says_whether_a_run_is_complete(outputs):
    said = lambda: json.loads((outputs/"00_small/quick/params.json").read_text())
    chapter(finish=False)
    assert said()["status"] == "running"
    training._LOCKS.clear()
    chapter(resume=True)
    assert said()["status"] == "complete" and len(said()["parts"]) == 2 and said()["data"] == said()["source"] == "sample"


def test_two_writers(outputs):
    code = CODE + "run = chapter(finish=False)\nprint('ready', flush=True)\nimport time; time.sleep(60)"
    env = os.environ | dict(PYTHONPATH=str(ROOT), OMP_NUM_THREADS="1")
    first = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=env)
    try:
        assert any(line.strip() == "ready" for line in first.stdout)
        before = contents(outputs)
        for resume in (False, True): refused(ValueError, f"process {first.pid}", resume=resume)
        assert contents(outputs) == before and first.poll() is None
        chapter(run_name="second")  # a name of its own is free
    finally: first.kill(); first.wait()
    chapter(resume=True)  # a killed process holds nothing
    nothing_lost(outputs, {k: v for k, v in before.items() if k.endswith("model.safetensors")})


def test_two_runs_of_one_name_in_one_process(outputs):  # ../shared/cases D13
    cfg = configure(PRESETS, "quick")
    first = Run("00_small", cfg)
    first.log(step=1, loss=1.); first.save("last", step=1)
    second = Run("00_small", cfg)
    assert first.folder != second.folder and first.load("last")["step"] == 1 and not (second.folder/"last.pt").exists()
    first.log(step=2, loss=.5); second.log(step=1, loss=2.)
    assert len(first.history) == 2 and second.folder.name == "quick" and first.folder.name == "quick.1"
    assert "0.5" in (first.folder/"history.csv").read_text() and "0.5" not in (second.folder/"history.csv").read_text()


def test_a_finished_kernel_gives_its_folder_back(outputs):
    run = chapter()  # finished, but the process lives, as the kernel of an open notebook
    done = python("chapter(seed=3)")
    assert done.returncode == 0, done.stderr
    with pytest.raises(ValueError, match="another one has its folder now"): run.log(loss=1.)
    assert json.loads((outputs/"00_small/quick/params.json").read_text())["config"]["seed"] == 3


def test_a_killed_run_continues_to_the_same_numbers(outputs):
    "What is promised: equal to the last bit on the same machine with the same number of threads."
    results = lambda name: (read_weights(outputs/f"00_small/{name}/model.safetensors")[1]["checksum"],
                            [line.rsplit(",", 1)[0] for line in (outputs/f"00_small/{name}/history.csv").read_text().splitlines()])
    assert python("chapter(run_name='whole')").returncode == 0
    assert python("chapter(run_name='again')").returncode == 0
    assert results("whole") == results("again")
    for stop in (3, 5): assert python(f"chapter(run_name='killed', resume=True, stop={stop})").returncode == -signal.SIGKILL
    assert python("chapter(run_name='killed', resume=True)").returncode == 0
    assert results("whole") == results("killed")


def test_a_full_disk(outputs):
    chapter()
    before = contents(outputs/"00_small/quick")
    code = "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nresource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\nchapter(seed=1)"
    done = python(code)
    assert done.returncode and "File too large" in done.stderr.splitlines()[-1], done.stderr
    assert contents(outputs/"00_small/quick.1") == before
    assert not list(outputs.rglob("*.part"))
    chapter(seed=1, resume=True)  # with room again it goes on


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become nobody")
def test_a_read_only_folder(outputs):
    chapter()
    before = contents(outputs)
    done = python("from ecg_nb.training import export_package\nos.setgid(65534); os.setuid(65534)\nexport_package()\nchapter()")
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 1 and "PermissionError" in last and "ECG_NB_OUTPUTS" in last, done.stderr
    assert contents(outputs) == before


def test_resume_compares_what_counts(outputs):
    chapter(data="sample")
    before = contents(outputs)
    refused(ValueError, "data was 'sample' and is 'mitdb'", data="mitdb", resume=True)
    refused(ValueError, "lr was 0.01 and is 0.1", data="sample", lr=.1, resume=True)
    refused(ValueError, "steps was 6 and is 8", data="sample", steps=8, resume=True)
    assert contents(outputs) == before
    chapter(run_name="auto")
    before = contents(outputs/"00_small/auto")
    again = Run("00_small", configure(PRESETS, "quick", run_name="auto"), name="auto", resume=True)
    with pytest.raises(ValueError, match="trained on 'sample' and the data are now 'mitdb'"): again.source("mitdb")
    assert contents(outputs/"00_small/auto") == before  # status and parts included


DAMAGE = [("params.json", lambda b: b"", "params.json"), ("params.json", lambda b: b[:40], "params.json"), ("params.json", lambda b: b"[1]", "params.json"),
          ("params.json", None, "without params.json"), ("history.csv", lambda b: b"", "history.csv"), ("history.csv", lambda b: b"\xff\xfe" + b, "history.csv"),
          ("model.safetensors", lambda b: b[:-9], "model.safetensors"), ("model.safetensors", lambda b: b"", "model.safetensors"),
          ("model.safetensors", lambda b: b.replace(b"00_small", b"99_other"), "belong to chapter 99_other"),
          ("model.safetensors", lambda b: b[:-1] + bytes([b[-1] ^ 1]), "changed after training")]


@pytest.mark.parametrize("file, change, says", DAMAGE)
def test_a_damaged_file_is_named_and_nothing_is_lost(outputs, file, change, says):
    chapter()
    path = outputs/"00_small/quick"/file
    damaged = change and change(path.read_bytes())
    path.unlink()
    if change: path.write_bytes(damaged)
    before = contents(outputs)
    refused(ValueError, says, resume=True)
    before.pop("00_small/quick/params.json", None)
    nothing_lost(outputs, before)


CHECKPOINTS = [("last.pt", lambda b: b"", "damaged"), ("last.pt", lambda b: b[:len(b)//2], "damaged"), ("last.pt", lambda b: b[:2000] + b"x"*9 + b[2009:], "last.pt"),
               ("best.pt", lambda b: b[:-50], "damaged"), ("best.pt", None, "best.pt")]


@pytest.mark.parametrize("file, change, says", CHECKPOINTS)
def test_a_damaged_checkpoint_is_named_and_nothing_is_lost(outputs, file, change, says):
    chapter()
    path, published = outputs/"00_small/quick/checkpoints/model"/file, outputs/"00_small/quick/model.safetensors"
    path.write_bytes(change(path.read_bytes())) if change else path.unlink()
    published.unlink()  # else nothing has to be continued
    before = {k: v for k, v in contents(outputs).items() if not k.endswith("params.json") and "tensorboard" not in k}
    refused((ValueError, FileNotFoundError), says, resume=True)
    nothing_lost(outputs, before)


def test_checkpoints_of_others(outputs):
    chapter(); chapter(run_name="other", seed=1)
    parts = {name: outputs/f"00_small/{name}/checkpoints/model" for name in ("quick", "other")}
    (outputs/"00_small/quick/model.safetensors").unlink()
    mine = {k: (parts["quick"]/k).read_bytes() for k in ("last.pt", "best.pt")}
    for k, old in mine.items():
        shutil.copy(parts["other"]/k, parts["quick"]/k)
        refused(ValueError, f"{k} in 00_small/quick/checkpoints/model belongs to another run", resume=True)
        (parts["quick"]/k).write_bytes(old)
    refused(ValueError, "optimizer was AdamW and is SGD", resume=True, optimizer=torch.optim.SGD)
    part = Run("00_small", configure(PRESETS, "quick"), resume=True).child("model")
    last = part.load("last")
    with pytest.raises(ValueError, match="another network"):
        fit(part, torch.nn.Linear(3, 3), None, None, steps=6, epoch=2, optimizer=partial(torch.optim.AdamW, lr=.1))
    part.trained = None
    part.save("last", step=last["step"])
    with pytest.raises(ValueError, match="not written by `fit`"):
        fit(part, torch.nn.Linear(3, 3), None, None, steps=6, epoch=2, optimizer=partial(torch.optim.AdamW, lr=.1))


def test_the_device_is_accelerates(outputs):
    run = Run("00_small", configure(PRESETS, "quick"))
    with patch.object(training, "PartialState", lambda: type("P", (), dict(device=torch.device("mps")))): assert run.device.type == "mps"
    moved = []
    with patch.object(training, "send_to_device", lambda x, device: moved.append((x, device)) or x):  # no Mac is at hand
        training.to_device((torch.zeros(2, dtype=torch.float64), torch.zeros(2, dtype=torch.int64)), torch.device("mps"))
    (x, n), device = moved[0]
    assert (x.dtype, n.dtype, device.type) == (torch.float32, torch.int64, "mps")
    assert training.to_device(torch.zeros(2, dtype=torch.float64), torch.device("cpu")).dtype == torch.float64
    seen = []
    def loss(model, x): seen.extend([x.device, model.weight.device]); raise KeyboardInterrupt
    with patch.object(training.Accelerator, "device", torch.device("meta")), pytest.raises(KeyboardInterrupt):
        fit(run, torch.nn.Linear(2, 2), loss, lambda step: torch.zeros(4, 2), steps=1, optimizer=partial(torch.optim.SGD, lr=.1))
    assert [d.type for d in seen] == ["meta", "meta"], "data and model are on different devices"
    several = Run("00_small", configure(PRESETS, "quick", num_processes=2), name="several")
    assert several.device.type == "cpu"  # a process that uses a GPU could not be copied


def notebook(path):
    "A chapter of three cells, with the last cell of every chapter."
    cells = [nbformat.v4.new_code_cell('preset: str = "quick"\nsteps: int = None  # optimizer steps', metadata=dict(tags=["parameters"])),
             nbformat.v4.new_code_cell(CODE + "run = chapter(preset=preset, steps=steps)"),
             nbformat.v4.new_code_cell("#| hide\nfrom ecg_nb.training import export_package; export_package()")]
    cells[1].source = cells[1].source.replace("steps=6, stop", "steps=None, stop")
    kernel = dict(name="python3", display_name="python3", language="python")
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=dict(kernelspec=kernel)), path)


def other_project(folder):
    "Somebody's nbdev project whose module was edited by hand."
    (folder/"nbs").mkdir(parents=True); (folder/"other").mkdir()
    facts = dict(repo="other", lib_name="other", lib_path="other", nbs_path="nbs", version="0.0.1", min_python="3.9", license="mit", user="u",
                 branch="main", author="a", author_email="a@b.c", description="d", keywords="k", title="t", doc_path="_docs")
    (folder/"settings.ini").write_text("[DEFAULT]\n" + "".join(f"{k} = {v}\n" for k, v in facts.items()))
    cells = [nbformat.v4.new_code_cell(s) for s in ("#| default_exp core", "#| export\nx = 1")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder/"nbs/00_core.ipynb")
    (folder/"other/core.py").write_text("x = 2  # edited by hand\n")
    return folder


@pytest.mark.parametrize("place", ["elsewhere", "nbs", "other project"])
def test_papermill_from_anywhere(outputs, tmp_path, place):  # ../shared/cases D12
    book = {p: p.read_bytes() for p in (ROOT/"ecg_nb").glob("*.py")}
    (tmp_path/"elsewhere").mkdir()
    cwd = {"elsewhere": tmp_path/"elsewhere", "nbs": ROOT/"nbs", "other project": other_project(tmp_path/"project")}[place]
    before = contents(cwd) if place == "other project" else {}
    notebook(tmp_path/"chapter.ipynb")
    done = run("papermill", "--no-progress-bar", tmp_path/"chapter.ipynb", tmp_path/"out.ipynb", "-p", "steps", 4, cwd=cwd, PYTHONPATH=ROOT)
    assert done.returncode == 0, done.stdout
    assert json.loads((outputs/"00_small/quick/params.json").read_text())["status"] == "complete"
    assert {p: p.read_bytes() for p in book} == book
    if before: assert contents(cwd) == before


def test_shipped_weights_are_those_of_the_run_in_half_precision(outputs, tmp_path):
    original = chapter().folder/"model.safetensors"
    (tmp_path/"settings.ini").write_text("[DEFAULT]"); (tmp_path/"nbs").mkdir()
    with patch.object(training, "project_root", lambda: tmp_path): written, = ship_weights("00_small", "quick")
    assert written == tmp_path/"ecg_nb/weights/00_small/model.safetensors" and written.stat().st_size < original.stat().st_size
    (full, _), (half, noted) = read_weights(original), read_weights(written, "00_small")
    assert noted["run"] == "quick" and all(v.dtype == torch.float32 for v in half.values())
    for k, v in full.items(): torch.testing.assert_close(half[k], v, rtol=1e-3, atol=1e-7)
    with pytest.raises(ValueError, match="belong to chapter 00_small"): read_weights(written, "05_transgan")


@pytest.mark.parametrize("path", sorted((ROOT/"ecg_nb/weights").glob("*/*.safetensors")), ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_weights_of_the_package_can_be_read(path):
    weights, noted = read_weights(path, path.parent.name)
    assert weights_file(None, path.parent.name, path.stem) == path and weights and "checksum" in noted
    assert not list((ROOT/"outputs").glob("*/paper/*.safetensors")) or not (ROOT/".git").exists() \
        or not subprocess.run(["git", "ls-files", "outputs/*.safetensors"], cwd=ROOT, capture_output=True, text=True).stdout
