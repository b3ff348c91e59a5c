"""Prints, as JSON, where an interpreter found things."""
import json
import site
import sys
import sysconfig

names = ("executable", "_base_executable", "prefix", "exec_prefix", "base_prefix", "base_exec_prefix", "platlibdir", "path", "argv",
         "orig_argv", "_stdlib_dir", "_home", "pycache_prefix")
found = {f"sys.{name}": getattr(sys, name, "<missing>") for name in names}
# Our own package has its directory on the path, behind the standard library.
found["sys.path"] = sys.path
found["flags"] = str(sys.flags)
found["site in sys.modules"] = "site" in sys.modules
if sys.flags.no_site == 0:
    found["site.getsitepackages"] = site.getsitepackages()
    found["site.getusersitepackages"] = site.getusersitepackages()
    found["site.ENABLE_USER_SITE"] = site.ENABLE_USER_SITE
    found["site.PREFIXES"] = site.PREFIXES
found["sysconfig.get_paths"] = sysconfig.get_paths()
found["sysconfig.get_scheme"] = {scheme: sysconfig.get_paths(scheme) for scheme in sysconfig.get_scheme_names()}
found["sysconfig.get_default_scheme"] = sysconfig.get_default_scheme()
found["sysconfig.get_config_vars"] = sysconfig.get_config_vars()
found["sysconfig.get_platform"] = sysconfig.get_platform()
found["sysconfig.is_python_build"] = sysconfig.is_python_build()
found["from_path_file"] = getattr(sys, "from_path_file", "<missing>")
try:
    import extra_module
    found["extra_module"] = extra_module.__file__
except ImportError as error:
    found["extra_module"] = str(error)
print(json.dumps(found))
