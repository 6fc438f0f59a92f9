"Print the scores of a run and where its files are: python book/scores.py outputs/03_denoise/quick"
import json, sys
from pathlib import Path
import pandas as pd


def cell(row):
    "One score, with its 95 % interval over patients where there is one."
    interval = "" if pd.isna(row.lo) else f" [{row.lo:.2f}, {row.hi:.2f}]"
    return f"{row.value:.2f}{interval}"


def table(rows):
    "One line per model and metric, one column per level (SNR, class, horizon), in the order of the file."
    keys = ["protocol", "split", "metric", "model"]
    scores = pd.DataFrame(rows)
    scores["score"] = scores.apply(cell, axis=1)
    return scores.set_index([*keys, "level"]).score[lambda s: ~s.index.duplicated(keep="last")].unstack("level", sort=False).fillna("")


def main(folder):
    params = json.loads((folder/"params.json").read_text())
    rows = json.loads((folder/"metrics.json").read_text())
    print(f"\n{table(rows).to_string()}\n")
    for path in [*sorted(folder.glob("*.ipynb")), *sorted(folder.glob("*.html")), folder/"metrics.json", folder/"params.json", folder/"figures"]:
        print(path)
    return params


if __name__ == "__main__": main(Path(sys.argv[1]))
