"""The site and a chapter in JupyterLab, in a real browser. Optional: `pip install playwright` and a Chromium that is
installed (such as Debian's); the site's tests want a built one, `make docs`, or ECG_NB_SITE=<folder of index.html>."""
import gzip, os, re, shutil, socket, subprocess, sys, time, urllib.request
from pathlib import Path
import nbformat
import pytest
from conftest import ROOT

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
if not CHROMIUM: pytest.skip("no Chromium is installed", allow_module_level=True)
SITE = Path(os.environ.get("ECG_NB_SITE", ROOT/"_site"/"html"))
PAGES = sorted(p.name for p in SITE.glob("*.html") if p.stem not in ("genindex", "search", "py-modindex"))
SCREENS = 50  # of 800 pixels: what a page has at most
needs_site = pytest.mark.skipif(not PAGES, reason="no site in _site/: make docs")


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as p:
        chromium = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture(scope="module")
def server():
    port = free_port()
    http = subprocess.Popen([sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "-d", str(SITE)],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(f"http://127.0.0.1:{port}/index.html")
    yield f"http://127.0.0.1:{port}"
    http.terminate()


def wait_for(url, seconds=60):
    for _ in range(10*seconds):
        try: return urllib.request.urlopen(url, timeout=5)
        except OSError: time.sleep(.1)
    raise TimeoutError(f"nothing answers at {url}")


@needs_site
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_and_says_nothing_in_the_console(browser, server, name, width, scheme):
    context = browser.new_context(viewport=dict(width=width, height=800), color_scheme=scheme)
    page, said, weight = context.new_page(), [], []
    page.on("console", lambda m: said.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: said.append(str(e)))
    page.on("response", lambda r: weight.append(r))
    page.goto(f"{server}/{name}", wait_until="load")
    assert not said, said[:3]
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width + 1, f"{name} is {wide} pixels wide in a window of {width}"
    packed = sum(len(gzip.compress(r.body(), 6)) for r in weight)/1e6  # as a web host sends it
    assert packed <= 2, f"{name} loads {packed:.1f} MB before anybody scrolls"
    if width == 1280 and name != "api.html":
        high = page.evaluate("document.documentElement.scrollHeight")/800
        assert high <= SCREENS, f"{name} is {high:.0f} screens long, at most {SCREENS}"
    context.close()


@pytest.fixture
def lab(project, tmp_path):
    "A JupyterLab over a copy of the project whose chapter 03 asks for a few steps on the offline sample."
    path, port = project/"nbs"/"03_denoise.ipynb", free_port()
    nb = nbformat.read(path, 4)
    cell = next(c for c in nb.cells if "parameters" in c.metadata.get("tags", []))
    for name, value in dict(data='"sample"', steps=4, same_steps=2, real_steps=2, source_models='"none"').items():
        cell.source = re.sub(rf"^({name}: \w+ = )None", rf"\g<1>{value}", cell.source, flags=re.M)
    for c in nb.cells:
        if c.cell_type == "code": c.outputs, c.execution_count = [], None
    nbformat.write(nb, path)
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", f"--port={port}", "--ServerApp.token=",
               "--ServerApp.port_retries=0", f"--ServerApp.root_dir={project/'nbs'}", "--ServerApp.disable_check_xsrf=True"]
    env = os.environ | dict(ECG_NB_OFFLINE="1", ECG_NB_OUTPUTS=str(tmp_path/"out"), PYTHONPATH=str(project), OMP_NUM_THREADS="1")
    process = subprocess.Popen(command, cwd=project/"nbs", env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(f"http://127.0.0.1:{port}/api")
    yield f"http://127.0.0.1:{port}/lab/tree/03_denoise.ipynb", path
    process.terminate()
    process.wait(20)


def code_cells(path): # as JupyterLab has saved them
    return [c for c in nbformat.read(path, 4).cells if c.cell_type == "code"]


def test_a_chapter_runs_in_jupyterlab(browser, lab):
    "Top to bottom without an error, an ECG soon, the explorer's widgets drawn and answering; cells run twice are fine."
    url, path = lab
    page = browser.new_context(viewport=dict(width=1400, height=1000)).new_page()
    page.goto(url)
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=90_000)
    page.wait_for_selector("text=Python 3", timeout=60_000)
    start = time.time()
    page.click("text=Run >> nth=0")
    page.click("text=Run All Cells >> nth=0")
    page.wait_for_selector(".jp-OutputArea-output img", timeout=120_000)
    first = time.time() - start
    page.wait_for_selector(".widget-dropdown, .jupyter-widget-dropdown", timeout=120_000)
    for _ in range(300):  # until the last cell has run
        page.keyboard.press("Control+s")
        time.sleep(2)
        if code_cells(path)[-1].execution_count: break
    else: pytest.fail("the last cell has not run within ten minutes")
    errors = [o for cell in code_cells(path) for o in cell.outputs if o.output_type == "error"]
    assert not errors, f"{errors[0].ename}: {errors[0].evalue}"
    slider = page.locator(".widget-slider, .jupyter-widget-slider").first
    slider.scroll_into_view_if_needed()
    before, asked = page.locator(".jp-OutputArea-output img").count(), time.time()
    page.locator("button[title='next window']").first.click()
    page.wait_for_timeout(400)
    print(f"first figure after {first:.1f} s; {before} figures; explorer answered in {time.time() - asked:.2f} s")
    assert first < 60

