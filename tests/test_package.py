"The wheel, seen from outside the checkout. `.ci/run` does the same with the dependencies freshly installed."
import sys, zipfile
from conftest import ROOT, run

LOADERS = """
from ecg_nb import denoise, diffusion, ecgtransform, forecast, transgan
denoise.load_denoiser(), forecast.load_forecaster(), ecgtransform.load_classifier(), transgan.load_generator(), diffusion.load_diffusion()
print("five loaded")
"""


def test_the_wheel_works_outside_the_checkout(project, tmp_path_factory):
    away = tmp_path_factory.mktemp("away")
    done = run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", away, cwd=project)
    assert done.returncode == 0, done.stdout
    wheel, = away.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(away/"site")
    done = run(sys.executable, ROOT/"tests/import_all.py", cwd=away, PYTHONPATH=away/"site")
    assert done.returncode == 0, done.stdout
    done = run(sys.executable, "-c", LOADERS, cwd=away, PYTHONPATH=away/"site")
    assert done.returncode == 0 and "five loaded" in done.stdout, done.stdout
    names = zipfile.ZipFile(wheel).namelist()
    assert {f"ecg_nb/{p.name}" for p in (ROOT/"ecg_nb").iterdir() if p.is_file()} <= set(names), f"the wheel holds {names}"
    weights = {p.relative_to(ROOT).as_posix() for p in (ROOT/"ecg_nb/weights").glob("*/*.safetensors")}
    assert weights and weights <= set(names), f"weights missing in the wheel: {sorted(weights - set(names))}"
    assert wheel.stat().st_size <= 15e6, f"the wheel has {wheel.stat().st_size/1e6:.1f} MB, at most 15"
    assert not [n for n in names if not n.startswith("ecg_nb")], f"the wheel holds more than the package: {names}"
