import os, shutil, subprocess, sys
from pathlib import Path
import pytest

ROOT = Path(__file__).parents[1]


def run(*command, cwd=ROOT, **env):
    "Run a command of this environment and return what it did, printed output included."
    paths = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run([str(c) for c in command], cwd=cwd, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env=os.environ | dict(PATH=paths) | {k: str(v) for k, v in env.items()})


@pytest.fixture
def project(tmp_path):
    "A copy of the sources, for what writes into them."
    for name in "settings.ini setup.py pyproject.toml MANIFEST.in README.md LICENSE _quarto.yml".split():
        shutil.copy(ROOT/name, tmp_path)
    for name in "nbs", "ecg_nb":
        shutil.copytree(ROOT/name, tmp_path/name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
    return tmp_path
