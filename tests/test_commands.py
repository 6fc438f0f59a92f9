"A chapter as a program: papermill from the root of the checkout, as the README tells it."
import json
import pytest
from papermill import inspect_notebook
from check_run import check_run
from conftest import ROOT, run

CHAPTERS = sorted(p.stem for p in (ROOT/"nbs").glob("0[2-7]*.ipynb"))
chapters = pytest.mark.parametrize("chapter", CHAPTERS)


def tiny(chapter):
    "What makes a run of a chapter take seconds, as far as it has these parameters; the sample needs neither network nor files."
    known = inspect_notebook(str(ROOT/f"nbs/{chapter}.ipynb"))
    return {k: v for k, v in dict(data="sample", steps=2, ablation_steps=2).items() if k in known}


def papermill(chapter, outputs, **parameters):
    "Run a chapter with some parameters; its files go to `outputs`."
    given = [str(x) for name, value in parameters.items() for x in ("-p", name, value)]
    return run("papermill", "--no-progress-bar", f"nbs/{chapter}.ipynb", outputs/"run.ipynb", *given, ECG_NB_OUTPUTS=outputs)


@chapters
def test_a_run_from_the_root_is_what_was_asked_for(chapter, tmp_path):
    done = papermill(chapter, tmp_path, preset="quick", **tiny(chapter))
    assert done.returncode == 0, done.stdout
    folder = tmp_path/chapter/"quick"
    check_run(folder, preset="quick", **tiny(chapter))
    assert list((folder/"figures").glob("*.png")), "no figures"
    scores = run("python", "book/scores.py", folder)
    lines = scores.stdout.splitlines()
    assert scores.returncode == 0 and "Verdict" in scores.stdout and str(folder/"figures") in scores.stdout, scores.stdout
    assert len(lines) <= 12 and max(map(len, lines)) <= 100, scores.stdout


@chapters
@pytest.mark.parametrize("mistyped", [True, False])
def test_a_wrong_parameter_stops_the_run(chapter, mistyped, tmp_path):
    whole = "steps" if "steps" in inspect_notebook(str(ROOT/f"nbs/{chapter}.ipynb")) else "minutes"
    name, value, said = (whole[:-1], 3, whole) if mistyped else (whole, "many", "int")
    done = papermill(chapter, tmp_path, **tiny(chapter) | {name: value})
    last = done.stdout.strip().splitlines()[-1]
    assert done.returncode != 0, f"-p {name} {value} was accepted"
    assert name in last and said in last, f"the error does not help: {last}"
    assert not list(tmp_path.rglob("metrics.json")), "a refused run left scores"


@chapters
def test_the_parameters_can_be_asked_for(chapter):
    done = run("papermill", "--help-notebook", f"nbs/{chapter}.ipynb")
    cells = json.loads((ROOT/f"nbs/{chapter}.ipynb").read_text())["cells"]
    line, = [c["source"][0] for c in cells if "parameters" in c["metadata"].get("tags", [])]
    assert done.returncode == 0 and "preset: str" in done.stdout, done.stdout
    assert line.split("#")[1].strip() in done.stdout, f"the help of {line!r} is not shown:\n{done.stdout}"
