"""The end of `make run`, at most 12 lines: python book/scores.py outputs/03_denoise/quick

What was run on which data, five rows, one verdict computed from the rows, one figure, and the chapter as it ran.
`metrics.json` beside them holds all scores.
"""
import json, sys
from pathlib import Path
import pandas as pd
from ecg_nb.scoring import better, score_text

WIDTH = 100
HEADLINE = {  # chapter: metric, protocol, the simplest thing (None: the best of the others), the book's model
    "02_forecast": ("nmse", "DS2", "parroting", "ours"), "03_denoise": ("snr_improvement_db", "A", None, "ours_white"),
    "04_ecgtransform": ("macro_f1_nsvf", "DS2", "gradient_boosting", "ours"), "05_transgan": ("c2st", "DS1", "small_gaussians", "ours"),
    "06_diffusion": ("abs_correlation", "DS2_amplitudes_only", "griffin_lim", "ddim_light"), "07_report": ("burden_error", "DS2", "nothing_found", "ours")}
NAMED = {"noisy": "as it was", "published": "published, on the real excerpt", "paper": "the paper, best of its networks"}
FIGURES = ("answer", "explorer", "forecast", "classes", "samples", "examples")


def headline(rows, chapter):
    "The chapter's main metric on the test: rows of one protocol, those of the real excerpt beside them."
    metric, protocol, *_ = HEADLINE.get(chapter, (None, None))
    found = rows[(rows.metric == metric) & (rows.protocol == protocol) & (rows.split == "test")]
    if not len(found):
        first = rows[rows.model.str.startswith("ours")].iloc[0]  # another chapter: what its own model was scored on first
        metric, found = first.metric, rows[(rows.metric == first.metric) & (rows.protocol == first.protocol) & (rows.split == first.split)]
    return metric, found, rows[(rows.protocol == "excerpt") & (rows.metric == metric)]


def five(metric, found, excerpt, chapter):
    "At most five models: noisy, best of the others, published on the excerpt, this run's, the paper; at most three levels."
    sign = -1 if better(metric) == "lower" else 1
    levels = list(dict.fromkeys(found.level))
    levels = levels if len(levels) <= 3 else [levels[0], levels[len(levels)//2], levels[-1]]
    wide = found.pivot_table(index="model", columns="level", values="value", sort=False)[levels]
    papers = [m for m in wide.index if m.startswith("paper")]
    asked, mine = HEADLINE.get(chapter, (None, None, None, "ours"))[2:]
    ours = next((m for m in wide.index if m == mine), next((m for m in wide.index if m.startswith("ours")), None))
    others = [m for m in wide.index if m not in (ours, "noisy", *papers) and not m.startswith("ours")]
    best = asked if asked in others else max(others, key=lambda m: sign*wide.loc[m].mean(), default=None)
    picked = {m: found[found.model == m] for m in ("noisy", best, ours) if m in set(wide.index)}
    if len(excerpt): picked["published"] = excerpt[excerpt.model == "published"]
    if papers: picked["paper"] = pd.DataFrame([max((r for r in found[found.model.isin(papers)].to_dict("records") if r["level"] == level),
                                                   key=lambda r: sign*r["value"]) for level in levels])
    return {k: picked[k] for k in ("noisy", best, "published", ours, "paper") if k in picked}, levels, best, ours


def verdict(picked, levels, best, ours, metric):
    "One sentence from the rows: where this run's network is ahead of the best of the others, and where the interval says so."
    if best is None or ours is None: return "No baseline stands beside this run's model in this table."
    sign = -1 if better(metric) == "lower" else 1
    a, b = (picked[m].drop_duplicates("level", keep="last").set_index("level") for m in (ours, best))
    shared = [level for level in levels if level in a.index and level in b.index]
    ahead = [level for level in shared if sign*(a.value[level] - b.value[level]) > 0]
    edge = a.lo if sign > 0 else a.hi
    sure = [level for level in ahead if pd.notna(edge[level]) and sign*(edge[level] - b.value[level]) > 0]
    where = f"at {', '.join(ahead)}" if ahead else "nowhere"
    return f"Verdict: {ours} beats {best} {where} (of {', '.join(shared)}); interval clear of it: {', '.join(sure) or 'nowhere'}."


def lines(folder):
    params = json.loads((folder/"params.json").read_text(encoding="utf-8"))
    rows = pd.DataFrame(json.loads((folder/"metrics.json").read_text(encoding="utf-8")))
    sample = "the offline sample: simulated, for learning only" if params["data"] == "sample" else params["data"]
    out = [f"{params['chapter']}, preset {params['preset']}, {params['seconds']:.0f} s on {params['device']}; data: {sample}"]
    if params.get("status", "complete") != "complete": out.append(f"INCOMPLETE: this run is {params['status']!r}; some scores are missing")
    metric, found, excerpt = headline(rows, params["chapter"])
    picked, levels, best, ours = five(metric, found, excerpt, params["chapter"])
    way = {"higher": ", higher is better", "lower": ", lower is better", "": ""}[better(metric)]
    out.append(f"{metric}, {found.protocol.iloc[0]}{way}".ljust(38) + "".join(f"{level:>20}" for level in levels))
    for name, r in picked.items():
        said = {v["level"]: score_text(v, 2 if abs(v["value"]) < 10 else 1) for v in r.to_dict("records")}
        label = NAMED.get(name, f"{name}, this run" if name == ours else f"{name}, the bar" if name == best else name)
        out.append(f"{label:38}" + "".join(f"{said.get(level, ''):>20}" for level in levels))
    out.append(verdict(picked, levels, best, ours, metric))
    figures = sorted((folder/"figures").glob("*.png"), key=lambda p: (p.stem not in FIGURES, p.stem))
    return out + [f"  {p}" for p in [*figures[:1], *sorted(folder.glob("*.html"))[:1]]]


if __name__ == "__main__":
    for line in lines(Path(sys.argv[1])): print(line if len(line) <= WIDTH else line[:WIDTH - 1] + "…")
