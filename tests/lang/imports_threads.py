# A module that another thread is still initialising is waited for.
import ctypes
import os
import sys
import tempfile
import threading
import time

get_module = ctypes.pythonapi.PyImport_GetModule
get_module.restype = ctypes.py_object
get_module.argtypes = [ctypes.py_object]

with tempfile.TemporaryDirectory() as directory:
    sys.path.insert(0, directory)
    with open(os.path.join(directory, "slow_module.py"), "w") as stream:
        stream.write("import time\nearly = 1\ntime.sleep(0.3)\nlate = 2\n")
    for wait in (lambda: get_module("slow_module"), lambda: __import__("slow_module")):
        sys.modules.pop("slow_module", None)
        thread = threading.Thread(target=lambda: __import__("slow_module"))
        thread.start()
        while not hasattr(sys.modules.get("slow_module"), "early"):
            time.sleep(0.01)
        print(hasattr(sys.modules["slow_module"], "late"), wait().late)
        thread.join()
    with open(os.path.join(directory, "own_module.py"), "w") as stream:
        stream.write("import __main__\nprint(hasattr(__main__.get_module('own_module'), 'late'))\nlate = 1\n")
    import own_module
    print(own_module.late, get_module("os") is os)
