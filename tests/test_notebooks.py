"""The rules of CONTRIBUTING.md that a machine can check; seconds, so it runs first."""
import ast, json, re, statistics
import pytest
from conftest import ROOT, run

NOTEBOOKS = sorted((ROOT/"nbs").glob("*.ipynb"))
CHAPTERS = [p for p in NOTEBOOKS if re.match("0[2-7]", p.name)]
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)


def read(path): return json.loads(path.read_text(encoding="utf-8"))
def source(cell): return "".join(cell["source"])
def tags(cell): return cell["metadata"].get("tags", [])
def code_cells(path): return [(i, c) for i, c in enumerate(read(path)["cells"]) if c["cell_type"] == "code"]
def outputs(path): return [(i, o) for i, c in code_cells(path) for o in c["outputs"]]


def changed(project):
    "Names of the notebooks and modules of the copy that differ from the checkout's."
    files = [p.relative_to(ROOT) for d, ext in [("nbs", "*.ipynb"), ("ecg_nb", "*.py")] for p in (ROOT/d).glob(ext)]
    files += [p.relative_to(project) for p in (project/"ecg_nb").glob("*.py")]
    return sorted({str(f) for f in files if not (ROOT/f).exists() or (project/f).read_bytes() != (ROOT/f).read_bytes()})


def test_the_notebooks_are_clean(project):
    done = run("nbdev_clean", cwd=project)
    assert done.returncode == 0, done.stdout
    assert not changed(project), "not clean: run nbdev_clean, then commit"


def test_the_package_is_exported(project):
    done = run("nbdev_export", cwd=project)
    assert done.returncode == 0, done.stdout
    assert not changed(project), "the package is not what the notebooks say: run nbdev_export, then commit (never edit ecg_nb/ by hand)"


@each_notebook
def test_title_and_one_sentence(path):
    lines = [line for line in source(read(path)["cells"][0]).splitlines() if line]
    assert lines[0].startswith("# ") and lines[1].startswith("> "), f"first cell: expected '# Title', then '> one sentence', found {lines[:2]}"


@each_notebook
def test_the_kernel_is_anyones_python(path):
    assert read(path)["metadata"].get("kernelspec", {}).get("name") == "python3", "set the kernel to python3, the one every environment has"


@each_notebook
def test_cells_and_functions_are_short(path):
    for i, cell in code_cells(path):
        if re.search(r"^\s*[%!]", source(cell), re.M) or "parameters" in tags(cell): continue  # one parameter a line
        nodes = list(ast.walk(ast.parse(source(cell))))
        functions = [n for n in nodes if isinstance(n, ast.FunctionDef)]
        signatures = sum(f.body[0].lineno - f.lineno - 1 for f in functions)  # arguments stand one per line, each with its comment
        n = len([line for line in source(cell).splitlines() if line and not line.startswith("#|")]) - signatures
        limit = 45 if any(isinstance(n, ast.ClassDef) for n in nodes) else 30 if functions else 20
        assert n <= limit, f"cell {i} has {n} lines, at most {limit}: {source(cell)[:60]!r}"


@each_notebook
def test_a_reader_gets_through(path):
    "Lengths that a first reader gets through: cells of a notebook, lines of a cell, characters of a line, words beside the code."
    cells, chapter = read(path)["cells"], path in CHAPTERS
    most, longest = (120, 8) if chapter else (150, 12)
    assert len(cells) <= most, f"{len(cells)} cells, at most {most}: cut what no reader needs"
    wide = [(i, line) for i, c in code_cells(path) for line in source(c).splitlines() if len(line) > 120 and not line.startswith("#|")]
    assert not wide, f"{len(wide)} lines over 120 characters, the first in cell {wide[0][0]}: {wide[0][1][:60]!r}"
    median = statistics.median(len(source(c).splitlines()) for _, c in code_cells(path))
    assert median <= longest, f"half of the code cells have more than {median} lines, at most {longest}"
    words = sum(len(source(c).split()) for c in cells if c["cell_type"] == "markdown")/len(code_cells(path))
    assert not chapter or 40 <= words <= 130, f"{words:.0f} words for each code cell: 60 to 100 explain, more bury it"


@each_notebook
def test_outputs_are_short_and_figures_have_a_text(path):
    for i, c in code_cells(path):
        for out in c["outputs"]:
            data = out.get("data", {})
            shown = out.get("text") or ("" if "text/html" in data or any(k.startswith("image/") for k in data) else data.get("text/plain", ""))
            lines = len("".join(shown).splitlines())
            assert lines <= 25, f"cell {i} prints {lines} lines, at most 25: end it with a semicolon, or show less"
            if any(k.startswith("image/") for k in data):
                assert re.search(r"^#\|\s*fig-alt:\s*\S", source(c), re.M), f"cell {i} draws a figure without '#| fig-alt: what it shows'"


@each_chapter
def test_the_first_ecg_stands_at_the_beginning(path):
    first = next((i for i, out in outputs(path) if any(k.startswith("image/") for k in out.get("data", {}))), None)
    assert first is not None and first < 12, f"the first figure stands in cell {first}: show real ECG, with the answer, among the first ten"


@each_notebook
def test_the_last_cell_is_harmless_anywhere(path):
    last = source(code_cells(path)[-1][1])
    if path.stem in ("index", "results"): return
    assert "export_package()" in last and "nbdev_export" not in last, "the last cell: '#| hide', then 'from ecg_nb.training import export_package; export_package()'"


@each_notebook
def test_the_reader_sees_the_source(path):
    for i, cell in code_cells(path):
        assert not re.match(r"#\s*\|\s*export\s*$", source(cell), re.M), f"cell {i}: '#| export' hides the source on the site, write '#| exports'"


@each_notebook
def test_stored_outputs_are_fit_to_publish(path):
    assert path.stat().st_size <= 1 << 20, f"{path.stat().st_size >> 10} KB, at most 1 MB: fewer or smaller figures"
    assert "widgets" not in read(path)["metadata"], "holds widget state: run nbdev_clean"
    for i, out in outputs(path):
        assert out["output_type"] != "error", f"cell {i} stopped with {out['ename']}: run it again"
        stderr = "".join(out["text"]) if out.get("name") == "stderr" else ""  # notices of the package are welcome there
        assert "Warning" not in stderr and "Traceback" not in stderr, f"cell {i} warns: {stderr[:200]}"
        assert "application/vnd.jupyter.widget-view+json" not in out.get("data", {}), f"cell {i} shows a widget that no page can show"


@each_notebook
def test_no_path_of_one_machine(path):
    printed = [out.get("text") or [v for k, v in out.get("data", {}).items() if not k.startswith("image/")] for _, out in outputs(path)]
    text = json.dumps([[source(c) for c in read(path)["cells"]], printed])
    found = re.search(r"(?<![\w.:/])/(home|Users|root|work|tmp|mnt|opt|usr)/[\w./-]+|[A-Z]:\\\\\w+", text)
    assert not found, f"holds {found[0]}"


@each_notebook
def test_papermill_did_not_write_here(path):
    assert not any("injected-parameters" in tags(c) for c in read(path)["cells"]), "holds a cell that papermill injected: delete it"


@each_chapter
def test_one_parameters_cell_of_literals(path):
    marked = [c for c in read(path)["cells"] if "parameters" in tags(c)]
    assert len(marked) == 1, f"{len(marked)} cells tagged parameters, expected 1: papermill would set them in the wrong place"
    lines = [line for line in source(marked[0]).splitlines() if line.strip() and not line.startswith("#")]
    nodes = ast.parse(source(marked[0])).body
    assert len(nodes) == len(lines), f"one parameter per line: {len(nodes)} in {len(lines)} lines"
    for line, node in zip(lines, nodes):
        assert isinstance(node, ast.AnnAssign) and node.value, f"{line!r}: expected 'name: type = value  # help'"
        ast.literal_eval(node.value)
        assert re.search(r"#\s*\S+", line), f"{line!r}: no help after #"
    assert nodes[0].target.id == "preset", f"the first parameter is {nodes[0].target.id}, expected preset"
