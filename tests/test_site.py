"The site of all notebooks builds without a warning or a dead link, and shows of each cell what its directives say."
import sys
from pygments import highlight
from pygments.lexers import PythonLexer
from conftest import ROOT, run
sys.path.insert(0, str(ROOT/"book"))
from front import README, filled
from links import dead_links
from nbdev_reader import Hanging, directives, joined, link_names, toctrees, translate


def cell(source, tags=(), kind="code"):
    return dict(cell_type=kind, metadata=dict(tags=list(tags)) if tags else {}, source=source) | (dict(outputs=[]) if kind == "code" else {})


def shown(*cells):
    "The cells of a small notebook as the site shows them: (source, tags), after its title."
    notebook = dict(cells=[cell("# Title\n> Sentence.\n\n- skip_showdoc: true", kind="markdown"), *cells])
    title, *rest = translate(notebook, "00_data", {"snr_db": {"00_data"}, "fit": {"01_training"}}, "https://host/repo/blob/main", [])["cells"]
    assert title["source"] == "# Title\n> Sentence.\n"
    return [(c["source"], c["metadata"].get("tags", [])) for c in rest]


def test_directives_become_tags_and_their_lines_go():
    assert directives("#| echo: false\n#|output: false\nx = 1\n#| not a directive here") == (["echo: false", "output: false"], "x = 1\n#| not a directive here")
    assert shown(cell("#| hide\nx")) == [("x", ["remove-cell"])]
    assert shown(cell("#| default_exp data")) == [("", ["remove-cell"])]
    assert shown(cell("#| export\nx = 1")) == [("x = 1", ["remove-input"])]
    assert shown(cell("#| echo: false\nx"), cell("#| output: false\nx")) == [("x", ["remove-input"]), ("x", ["remove-output"])]
    assert shown(cell("#| eval: false\nfetch()")) == [("fetch()", [])]
    assert shown(cell("seed: int = 0", tags=["parameters"])) == [("seed: int = 0", ["parameters"])]


def test_long_lines_hang_and_far_comments_come_nearer():
    code = "if x:\n    y = 1" + " "*90 + "# one\nz = '" + " "*90 + "# text'\nw = 1" + " "*30 + "# two"
    lines = highlight(code, PythonLexer(), Hanging(nowrap=True)).split('<span class="line"')[1:]
    assert ["--in:8ch" in line for line in lines] == [False, True, False, False]
    assert "1</span>  <span" in lines[1] and " "*90 in lines[2] and " "*30 in lines[3]


def test_what_is_printed_stays_before_its_table():
    said, table = lambda text, name="stdout": dict(output_type="stream", name=name, text=text), dict(output_type="display_data", data={})
    assert joined([said(["one\n"]), said("two\n"), table, said("three\n"), said("four\n", "stderr")]) == [said("one\ntwo\n"), table, said("three\n"), said("four\n", "stderr")]


def test_an_exported_function_can_be_linked_to():
    assert shown(cell("#| exports\ndef snr_db(): pass")) == [("(00_data-snr_db)=\n", []), ("def snr_db(): pass", [])]


def test_names_become_links_in_running_text_only():
    names = {"snr_db": {"00_data"}, "fit": {"01_training"}, "twice": {"02_a", "03_b"}}
    link = lambda text: link_names(text, "02_a", names)
    assert link("see `snr_db` and `fit()`") == "see [`snr_db`](#00_data-snr_db) and [`fit()`](#01_training-fit)"
    assert link("`twice`") == "[`twice`](#02_a-twice)" and link_names("`twice`", "00_data", names) == "`twice`"
    for same in "## `snr_db`", "```\n`snr_db`\n```", "[`snr_db`](elsewhere)", "`unknown`", "`snr_db(x)`": assert link(same) == same


def test_links_out_of_the_notebooks_go_to_the_repository():
    assert shown(cell("[data](../data/README.md)", kind="markdown")) == [("[data](https://host/repo/blob/main/data/README.md)", [])]


def test_the_order_is_that_of_the_book():
    out = toctrees(["index.ipynb", {"section": "Papers", "contents": ["04_b.ipynb", "03_a.ipynb"]}])
    assert ":caption: Papers" in out and out.index("04_b") < out.index("03_a") and "index" not in out


def test_a_dead_link_is_found(tmp_path):
    (tmp_path/"a.html").write_text('<a href="b.html#here">good</a><a href="b.html#gone">no anchor</a><a href="c.html">no page</a>'
                                   '<img src="no.png"><script src="https://elsewhere.example/x.js"></script><a href="https://elsewhere.example">fine</a>')
    (tmp_path/"b.html").write_text('<p id="here">')
    dead, n = dead_links(tmp_path)
    assert [d[1] for d in dead] == ["b.html#gone", "c.html", "no.png", "https://elsewhere.example/x.js"] and n == 6


def test_the_site_builds_without_warnings_and_dead_links(tmp_path):
    done = run("sphinx-build", "-M", "html", ROOT/"nbs", tmp_path, "-c", ROOT/"book", "-W", "--keep-going", "-n", "-q")
    assert done.returncode == 0, done.stdout
    dead, n = dead_links(tmp_path/"html")
    assert not dead, "\n".join(map(str, dead))
    pages = {p.stem for p in (ROOT/"nbs").glob("*.ipynb")}
    assert pages <= {p.stem for p in (tmp_path/"html").glob("*.html")}


def test_the_table_of_the_readme_is_that_of_the_rows():
    said = README.read_text(encoding="utf-8")
    assert said == filled(said), "the stored scores have changed: python book/front.py"
