"Import every module of the installed package, and say what must not be there. Run it outside the checkout."
import importlib, pkgutil, sys
from pathlib import Path
import ecg_nb

assert not (Path(ecg_nb.__file__).parents[1]/"settings.ini").exists(), f"this is the checkout's package, not the installed one: {ecg_nb.__file__}"
names = [m.name for m in pkgutil.iter_modules(ecg_nb.__path__) if not m.name.startswith("_")]
assert names, f"no modules in {ecg_nb.__path__}"
for name in names: importlib.import_module(f"ecg_nb.{name}")
tools = {"nbdev", "fastcore", "execnb"} & set(sys.modules)
assert not tools, f"the package imports {tools}, which are for writing it, not for using it"
print("imported:", *names)
