"""compile() of every module of the standard library (its test suites left out)."""
import pathlib
import sysconfig
import warnings


def sources():
    root = pathlib.Path(sysconfig.get_path("stdlib"))
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).parts
        if "test" in parts or "tests" in parts or "dist-packages" in parts:
            continue
        yield str(path), path.read_bytes()


def main():
    warnings.simplefilter("ignore")
    files = list(sources())
    code_bytes = names = constants = 0
    for filename, source in files:
        code = compile(source, filename, "exec", dont_inherit=True)
        code_bytes += len(code.co_code)
        names += len(code.co_names)
        constants += len(code.co_consts)
    print(len(files), "files,", sum(len(source) for _, source in files), "bytes")
    print(code_bytes, "bytes of module code,", names, "names,", constants, "constants")


main()
