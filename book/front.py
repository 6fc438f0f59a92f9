"""The table of scores in README.md, from the stored runs: python book/front.py writes it, tests compare."""
from pathlib import Path
from ecg_nb.results import short

README = Path(__file__).parent.parent/"README.md"
BEGIN, END = "<!-- scores: python book/front.py -->", "<!-- end of scores -->"


def filled(text):
    "`text` with the table of today's rows between the two marks."
    before, rest = text.split(BEGIN)
    table = short("nbs/{}.ipynb")
    lines = ["| " + " | ".join(table.columns) + " |", "|" + "---|"*len(table.columns)]
    lines += ["| " + " | ".join(str(v).replace("|", "/") for v in row) + " |" for row in table.itertuples(index=False)]
    return before + BEGIN + "\n" + "\n".join(lines) + "\n" + END + rest.split(END)[1]


if __name__ == "__main__": README.write_text(filled(README.read_text(encoding="utf-8")), encoding="utf-8")
