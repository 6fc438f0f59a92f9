"""Every link of the built site leads somewhere, and no page needs another server: python book/links.py _site/html

Looked at: pages, anchors, images, scripts and styles. Links to other sites are not followed.
"""
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    "The ids of a page, the addresses it links to, and those it loads to be shown."
    def __init__(self, path):
        super().__init__()
        self.path, self.ids, self.links, self.loads = path, {"", "top"}, [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids |= {attrs[k] for k in ("id", "name") if attrs.get(k)}
        if tag == "a" and "href" in attrs: self.links.append(attrs["href"] or "")
        if tag == "link" and attrs.get("rel") in ("stylesheet", "preload", "icon"): self.loads.append(attrs["href"])
        if attrs.get("src"): self.loads.append(attrs["src"])


def problem(address, page, pages):
    "What is wrong with an address on a page of the site, or None."
    url = urlsplit(address)
    if url.scheme or url.netloc: return None
    target = (page.path.parent/unquote(url.path)).resolve() if url.path else page.path
    if target.is_dir(): target = target/"index.html"
    if not target.exists(): return "no such file"
    if target in pages and unquote(url.fragment) not in pages[target].ids: return f"no #{url.fragment} on that page"


def dead_links(site):
    "List of (page, address, problem) over all pages of the folder `site`."
    pages = {p: Page(p) for p in (p.resolve() for p in sorted(Path(site).rglob("*.html")) if "_static" not in p.parts)}
    assert pages, f"no pages in {site}: build it first, with make docs"
    found = [(p.path.name, a, problem(a, p, pages)) for p in pages.values() for a in p.links + p.loads]
    found += [(p.path.name, a, "loaded from another server") for p in pages.values() for a in p.loads if urlsplit(a).netloc]
    return [f for f in found if f[2]], sum(len(p.links + p.loads) for p in pages.values())


if __name__ == "__main__":
    dead, n = dead_links(sys.argv[1])
    for page, address, why in dead: print(f"{page}: {address}: {why}")
    sys.exit(f"{len(dead)} dead links" if dead else print(f"{n} links and files looked at, none dead"))
