"""What the site shows of a notebook.

nbdev says in a cell's first lines (`#| exports`) what the cell is for; Sphinx and MyST-NB go by the tags of cells.
`translate` turns the one into the other as each page is read; the files in `nbs/` stay as they are.
"""
import ast, html, json, re
from pathlib import Path
import yaml
from pygments.formatters import HtmlFormatter
from sphinx.highlighting import PygmentsBridge

# nbdev's and Quarto's directives, and MyST-NB's tag for them. A directive that is not here changes nothing on the page.
TAGS = {
    "hide": "remove-cell", "default_exp": "remove-cell", "include: false": "remove-cell",
    "export": "remove-input", "hide_input": "remove-input", "echo: false": "remove-input",
    "hide_output": "remove-output", "output: false": "remove-output",
    "code-fold: true": "hide-input",
}
DIRECTIVE = re.compile(r"#\s*\|\s*(.*)")


def text(cell): return "".join(cell["source"])


def directives(source):
    "The directives in the first lines of a cell, and the source without them."
    lines, found = source.splitlines(keepends=True), []
    while lines and (line := DIRECTIVE.match(lines[0])):
        found.append(line[1].strip())
        lines.pop(0)
    return found, "".join(lines)


def joined(outputs):
    "What was printed piece by piece as one; what stands between two tables stays there (MyST-NB's own merging puts it before both)."
    out = []
    for o in outputs:
        last = out[-1] if out else {}
        if o["output_type"] == last.get("output_type") == "stream" and o["name"] == last["name"]: out[-1] = last | dict(text="".join(last["text"]) + "".join(o["text"]))
        else: out.append(o)
    return out


def folds(source, cell, found):
    "Whether a first reader can do without this code: imports, presets, checks, plotting, long measuring. A click opens it; JupyterLab shows all."
    if found and {d.split()[0] for d in found if d} & {"export", "exports"} and not source.lstrip().startswith(("import", "from")): return False
    try: nodes = ast.parse(source).body
    except SyntaxError: return False
    imports = lambda n: isinstance(n, (ast.Import, ast.ImportFrom))
    check = lambda n: isinstance(n, ast.Assert) or re.match(r"(test_\w+|refused)\(", ast.unparse(n)) is not None
    presets = lambda n: isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) in ("PRESETS", "LIMITS", "quick", "paper", "common", "cfg")
    if nodes and all(imports(n) or check(n) or presets(n) for n in nodes): return True
    seen = [o for o in cell["outputs"] if o["output_type"] in ("display_data", "execute_result", "stream")]
    if not seen and any(check(n) for n in nodes): return True
    picture = any(k.startswith("image/") for o in cell["outputs"] for k in o.get("data", {}))
    return len(source.splitlines()) > (5 if picture else 8) and bool(seen)


def code_cell(cell):
    "Directives become tags, and `fig-alt` the text of a figure for those who can't see it; their lines go."
    found, source = directives(text(cell))
    tags = [TAGS.get(d) or TAGS.get(d.split()[0]) for d in found if d]
    kept = cell["metadata"].get("tags", []) + [t for t in tags if t]
    if not {"remove-cell", "remove-input", "hide-input", "parameters"} & {*kept} and folds(source, cell, found): kept.append("hide-input")
    alt = next((d.split(":", 1)[1].strip(" '\"") for d in found if d.startswith("fig-alt:")), None)
    more = {"mystnb": {"image": {"alt": alt}}} if alt else {}
    return cell | dict(source=source, metadata=cell["metadata"] | dict(tags=kept) | more, outputs=joined(cell["outputs"]))


def exported(notebook):
    "Names of the functions and classes that each cell of a notebook exports: a list of (cell number, name)."
    seen = set()
    for i, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] != "code": continue
        found, source = directives(text(cell))
        if not {"export", "exports"} & {d.split()[0] for d in found if d}: continue
        for node in ast.parse(source).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name.lower() not in seen:  # anchors know no capitals
                seen.add(node.name.lower())
                yield i, node.name


def symbols(folder):
    "Where each exported name is defined: name -> pages. A name that two pages define is linked on those two only."
    found = {}
    for path in sorted(Path(folder).glob("*.ipynb")):
        for _, name in exported(json.loads(path.read_text(encoding="utf-8"))): found.setdefault(name, set()).add(path.stem)
    return found


def link_names(markdown, page, names):
    "`name` in running text becomes a link to the cell that defines it; headings and code blocks stay."
    def link(match):
        pages = names.get(match[1], set())
        home = page if page in pages else next(iter(pages)) if len(pages) == 1 else None
        return f"[{match[0]}](#{home}-{match[1]})" if home else match[0]
    out, fenced = [], False
    for line in markdown.splitlines(keepends=True):
        if line.lstrip().startswith(("```", "~~~")): fenced = not fenced
        plain = fenced or line.startswith("#")
        out.append(line if plain else re.sub(r"(?<![`\[])`([A-Za-z_]\w*)(?:\(\))?`(?![`\]])", link, line))
    return "".join(out)


def markdown_cell(cell, page, names, repo):
    "Names become links, and links out of `nbs/` go to the repository."
    source = re.sub(r"\]\(\.\./([^)]*)\)", rf"]({repo}/\1)", text(cell))
    return cell | dict(source=link_names(source, page, names))


def _entry(page):
    "A line of the contents: chapters carry the number that they have on the command line."
    number = re.match(r"\d\d", page)
    return f"{number[0]} · {TITLES[page]} <{page}>" if number and page in TITLES else page


TITLES = {}  # page -> title, filled from the notebooks


def toctrees(contents):
    "The order of the book, from the sidebar of `_quarto.yml`, as MyST toctrees."
    loose = [c for c in contents if isinstance(c, str)]
    parts = [("", loose)] + [(c["section"], c["contents"]) for c in contents if isinstance(c, dict)]
    pages = lambda files: "\n".join(_entry(Path(f).stem) for f in files if f != "index.ipynb")
    return "\n\n".join(f"```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{pages(files)}\n```" for caption, files in parts if pages(files))


def translate(notebook, page, names, repo, contents):
    "The notebook as the site shows it."
    first = notebook["cells"][0]
    first["source"] = re.sub(r"(?m)^- [\w-]+: .*\n?", "", text(first)).rstrip() + "\n"
    anchors, cells = {}, []
    for i, name in exported(notebook): anchors.setdefault(i, []).append(f"({page}-{name})=\n")
    markdown = lambda source: dict(cell_type="markdown", id=f"site-{len(cells)}", metadata={}, source=source)
    for i, cell in enumerate(notebook["cells"]):
        if i in anchors: cells.append(markdown("".join(anchors[i])))
        cells.append(code_cell(cell) if cell["cell_type"] == "code" else markdown_cell(cell, page, names, repo))
    if page == "index": cells.append(markdown(toctrees(contents)))
    return notebook | dict(cells=cells)


class Hanging(HtmlFormatter):
    "A line of code too long for the page goes on below itself, further in than it began; a comment far to its right comes nearer."
    def _format_lines(self, tokens):
        for is_code, line in super()._format_lines(tokens):
            plain = html.unescape(re.sub("<[^>]+>", "", line))
            if len(plain) > 88: line = re.sub(r'(<span class="w">)? {3,}(</span>)?(?=<span class="c1">)', "  ", line)
            yield is_code, f'<span class="line" style="--in:{len(plain) - len(plain.lstrip(" ")) + 4}ch">{line}</span>'


def setup(app):
    PygmentsBridge.html_formatter = Hanging
    order = yaml.safe_load((Path(app.confdir).parent/"_quarto.yml").read_text(encoding="utf-8"))
    contents, names = order["website"]["sidebar"]["contents"], symbols(app.srcdir)
    for path in Path(app.srcdir).glob("*.ipynb"):
        TITLES[path.stem] = text(json.loads(path.read_text(encoding="utf-8"))["cells"][0]).splitlines()[0].lstrip("# ")

    def read(app, page, source):
        if not (Path(app.srcdir)/f"{page}.ipynb").exists(): return
        source[0] = json.dumps(translate(json.loads(source[0]), page, names, app.config.notebook_repo, contents))
    app.add_config_value("notebook_repo", "", "env")
    app.connect("source-read", read)
    return dict(version="1", parallel_read_safe=True, parallel_write_safe=True)
