"""Print what a run scored and where its files are: python book/scores.py outputs/03_denoise/quick

Of each protocol the first metric, which is the chapter's main one; metrics.json holds them all.
"""
import json, math, sys
from pathlib import Path
import pandas as pd


def table(scores):
    "A line per model and a column per level (SNR, class, horizon), in the order of the file; [95 % interval over patients]."
    digits = max(0, 3 - math.floor(math.log10(scores.value.abs().max() or 1)))  # four significant digits for the largest
    def cell(row):
        interval = "" if pd.isna(row.lo) else f" [{row.lo:.{digits}f}, {row.hi:.{digits}f}]"
        return f"{row.value:.{digits}f}{interval}"
    scores = scores.assign(score=scores.apply(cell, axis=1)).drop_duplicates(["model", "level"], keep="last")
    wide = scores.set_index(["model", "level"]).score.unstack(sort=False).fillna("")
    return wide.rename_axis(index=None, columns=None).to_string()


def main(folder):
    params = json.loads((folder/"params.json").read_text(encoding="utf-8"))
    scores = pd.DataFrame(json.loads((folder/"metrics.json").read_text(encoding="utf-8")))
    sample = " (the offline sample: for learning, not for comparing)" if params["data"] == "sample" else ""
    print(f"\n{params['chapter']}, preset {params['preset']}, data {params['data']}{sample}, {params['seconds']:.0f} s on {params['device']}")
    for (protocol, split), group in scores.groupby(["protocol", "split"], sort=False):
        metric = group.metric.iloc[0]
        print(f"\n{metric}, protocol {protocol}, {split}\n{table(group[group.metric == metric])}")
    print(f"\nAll {len(scores)} scores, the figures, and the chapter as it ran:")
    for path in [folder/"metrics.json", folder/"figures", *sorted(folder.glob("*.ipynb")), *sorted(folder.glob("*.html"))]: print(f"  {path}")


if __name__ == "__main__": main(Path(sys.argv[1]))
