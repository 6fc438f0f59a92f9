"The site: the notebooks of nbs/ as they were run, in the order of _quarto.yml. sphinx-build -M html nbs _site -c book -W -n"
import sys
from configparser import ConfigParser
from pathlib import Path

here = Path(__file__).parent
sys.path[:0] = [str(here), str(here.parent)]
parser = ConfigParser(delimiters=["="])
parser.read(here.parent/"settings.ini", encoding="utf-8")
cfg = parser["DEFAULT"]

project, author, release = cfg["title"], cfg["author"], cfg["version"]
copyright = cfg["copyright"]
# mathjax-offline: formulas without a server of others; a site that stands on a disk or behind a hospital's wall shows them too
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx_copybutton", "sphinx-mathjax-offline", "nbdev_reader", "api"]
exclude_patterns = ["**.ipynb_checkpoints"]
notebook_repo = f"{cfg['git_url']}/blob/{cfg['branch']}"

nb_execution_mode = "off"  # pages show the outputs that are committed
highlight_language = "none"  # blocks of text that name no language: commands, trees of files
nb_ipywidgets_js = {}
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist"]
myst_dmath_double_inline = True  # a formula may follow its sentence without an empty line, as in Jupyter
myst_heading_anchors = 4
mathjax3_config = {"options": {}}
nb_code_prompt_show, nb_code_prompt_hide = "Show the code", "Hide the code"
autodoc_typehints, autodoc_member_order, add_module_names = "none", "bysource", False
copybutton_exclude = ".linenos, .gp, .go"
nitpick_ignore_regex = [("py:.*", ".*")]  # types of other libraries have no page here

html_theme = "sphinx_book_theme"
html_title = cfg["title"]
html_static_path = ["static"]
html_css_files, html_js_files = ["book.css"], ["book.js"]
html_favicon = str(here/"static"/"favicon.svg")
html_context = dict(default_mode="auto")  # light or dark as the reader's system is
html_sourcelink_suffix = ""
html_show_sphinx = False
html_theme_options = dict(
    repository_url=cfg["git_url"], repository_branch=cfg["branch"], path_to_docs="nbs", use_repository_button=True,
    navbar_persistent=[], footer_content_items=["copyright.html"], show_toc_level=2, search_bar_text="Search the book",
)
