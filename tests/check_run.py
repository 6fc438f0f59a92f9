"""Check what a run left: its params.json says what was asked, its metrics.json holds finite numbers under the book's keys.

python tests/check_run.py outputs/03_denoise/quick preset=quick data=mitdb
"""
import json, math, sys
from pathlib import Path

KEYS = {"model", "protocol", "split", "metric", "level", "value", "lo", "hi", "n", "unit", "seeds", "why"}
FACTS = {"chapter", "run", "preset", "data", "device", "seconds", "versions", "commit", "config"}


def check_run(folder, **asked):
    "Raise `AssertionError` where the run in `folder` is not what was `asked` for, or its files are not what every chapter promises."
    params = json.loads((folder/"params.json").read_text())
    missing = FACTS - params.keys()
    assert not missing, f"{folder}/params.json lacks {sorted(missing)}, it has {sorted(params)}"
    said = params["config"] | params
    for name, value in asked.items():
        assert str(said.get(name)) == str(value), f"asked for {name}={value}, {folder}/params.json says {said.get(name)!r}"
    assert params.get("status") == "complete", f"{folder}/params.json says {params.get('status')!r}: the run has not come to its end"
    rows = json.loads((folder/"metrics.json").read_text())
    assert rows, f"{folder}/metrics.json is empty"
    for row in rows:
        assert row.keys() == KEYS, f"row {row}: keys {sorted(row)}, expected {sorted(KEYS)}"
        assert math.isfinite(row["value"]), f"row {row}: the value is not finite"
        assert isinstance(row["level"], str), f"row {row}: level is {row['level']!r}, expected a string"
        assert row["lo"] is not None or row["why"], f"row {row}: neither an interval nor a reason why there is none"
        if row["lo"] is not None: assert row["lo"] <= row["hi"], f"row {row}: interval upside down"
    assert "ours" in {row["model"] for row in rows}, f"no row of the book's own model, only {sorted({r['model'] for r in rows})}"
    return rows


if __name__ == "__main__":
    rows = check_run(Path(sys.argv[1]), **dict(a.split("=", 1) for a in sys.argv[2:]))
    print(f"{sys.argv[1]}: as asked ({' '.join(sys.argv[2:])}), {len(rows)} scores")
