// The option scanner: POSIX clusters ("-Ic code"), long options, and CPython's messages for what it doesn't know.
#include <wchar.h>

#include "Runtime/options/options.h"

namespace pyston::options {
namespace {

constexpr wchar_t kShortOptions[] = L"+bBc:dEhiIJm:OPqRsStuvVW:xX:?";

struct LongRow {
  const wchar_t* name;
  bool has_argument;
  int value;   // short option it stands for, or a LongOption
  bool is_short;
};
constexpr LongRow kLongOptions[] = {
    {L"check-hash-based-pycs", true, kLongCheckHashPycs, false},
    {L"help", false, 'h', true},
    {L"help-all", false, kLongHelpAll, false},
    {L"help-env", false, kLongHelpEnv, false},
    {L"help-xoptions", false, kLongHelpXoptions, false},
    {L"version", false, 'V', true},
};

}  // namespace

int OptionScanner::next() {
  argument = nullptr;
  if (*cluster == L'\0') {
    if (index >= argv->length) return -1;
    const wchar_t* word = argv->items[index];
    if (word[0] != L'-' || word[1] == L'\0') return -1;  // a script, or "-": standard input
    if (wcscmp(word, L"--") == 0) {
      index++;
      return -1;
    }
    index++;
    if (word[1] == L'-') {
      const wchar_t* name = word + 2;
      for (const LongRow& row : kLongOptions) {
        if (wcscmp(name, row.name) != 0) continue;
        if (row.has_argument) {
          if (index >= argv->length) {
            if (report_errors) fprintf(stderr, "Argument expected for the %ls option\n", word);
            return '_';
          }
          argument = argv->items[index++];
        }
        if (row.is_short) return row.value;
        long_option = row.value;
        return 0;
      }
      if (report_errors) fprintf(stderr, "unknown option %ls\n", word);
      return '_';
    }
    cluster = word + 1;
  }
  const wchar_t option = *cluster++;
  const wchar_t* row = wcschr(kShortOptions, option);
  if (row == nullptr || option == L'+' || option == L':') {
    if (report_errors) fprintf(stderr, "Unknown option: -%c\n", static_cast<char>(option));
    return '_';
  }
  if (option == L'J') {
    if (report_errors) fprintf(stderr, "-J is reserved for Jython\n");
    return '_';
  }
  if (row[1] == L':') {
    if (*cluster != L'\0') {
      argument = cluster;
      cluster = L"";
    } else if (index < argv->length) {
      argument = argv->items[index++];
    } else {
      if (report_errors) fprintf(stderr, "Argument expected for the -%c option\n", static_cast<char>(option));
      return '_';
    }
  }
  return static_cast<int>(option);
}

void print_help(HelpTopic topic, const wchar_t* program, FILE* out) {
  const bool all = topic == HelpTopic::kAll;
  if (topic == HelpTopic::kUsage || all) {
    fprintf(out, "usage: %ls [option] ... [-c cmd | -m mod | file | -] [arg] ...\n", program);
    fputs(
        "Options (and corresponding environment variables):\n"
        "-b     : warn about comparing bytes with str or int and about str(bytes); -bb: raise\n"
        "-B     : don't write .pyc files; also PYTHONDONTWRITEBYTECODE=x\n"
        "-c cmd : run the text of a program (ends the option list)\n"
        "-d     : parser debugging output, where the build has it; also PYTHONDEBUG=x\n"
        "-E     : ignore all PYTHON* environment variables\n"
        "-h     : print this help and exit (also -? or --help)\n"
        "-i     : prompt for input after running the script; also PYTHONINSPECT=x\n"
        "-I     : isolated mode: implies -E, -P and -s\n"
        "-m mod : run a library module as a script (ends the option list)\n"
        "-O     : drop assert statements and code under __debug__; also PYTHONOPTIMIZE=x\n"
        "-OO    : as -O, and drop docstrings\n"
        "-P     : don't put a possibly unsafe directory at the front of sys.path; also PYTHONSAFEPATH\n"
        "-q     : no version and copyright lines when the prompt starts\n"
        "-s     : leave the user's site directory out of sys.path; also PYTHONNOUSERSITE=x\n"
        "-S     : don't import site at start-up\n"
        "-u     : unbuffered stdout and stderr; also PYTHONUNBUFFERED=x\n"
        "-v     : trace import statements, more with -vv; also PYTHONVERBOSE=x\n"
        "-V     : print the version and exit (also --version); -VV: with the build\n"
        "-W arg : warning control, action:message:category:module:lineno; also PYTHONWARNINGS=arg\n"
        "-x     : skip the first line of the source\n"
        "-X opt : set an implementation option; --help-xoptions lists them\n"
        "--check-hash-based-pycs always|default|never: how hash-based .pyc files are checked\n"
        "--help-env      : print help about environment variables and exit\n"
        "--help-xoptions : print help about -X options and exit\n"
        "--help-all      : print all help and exit\n"
        "file   : read the program from a file\n"
        "-      : read the program from standard input (the default; interactive on a terminal)\n"
        "arg ...: arguments that the program finds in sys.argv[1:]\n",
        out);
  }
  if (topic == HelpTopic::kImplementationOptions || all) {
    fputs(
        "The following implementation-specific options are available:\n"
        "-X faulthandler          dump the traceback on a fatal error; also PYTHONFAULTHANDLER\n"
        "-X showrefcount          needs a debug build of the reference implementation\n"
        "-X tracemalloc[=N]       trace memory allocations, N frames deep (1 by default); also PYTHONTRACEMALLOC\n"
        "-X importtime            show how long each import takes; also PYTHONPROFILEIMPORTTIME\n"
        "-X dev                   development mode; also PYTHONDEVMODE\n"
        "-X utf8[=0|1]            UTF-8 mode; also PYTHONUTF8\n"
        "-X pycache_prefix=PATH   write .pyc files to a parallel tree; also PYTHONPYCACHEPREFIX\n"
        "-X warn_default_encoding EncodingWarning where the locale's encoding is used; also PYTHONWARNDEFAULTENCODING\n"
        "-X no_debug_ranges       no column positions in code objects; also PYTHONNODEBUGRANGES\n"
        "-X frozen_modules=on|off whether frozen modules are used\n"
        "-X int_max_str_digits=N  limit of int <-> str conversion; also PYTHONINTMAXSTRDIGITS\n"
        "-X jit[=0|1|stress]      compile hot loops; stress: at once, for tests; also PYSTON_JIT\n",
        out);
  }
  if (topic == HelpTopic::kEnvironment || all) {
    fputs(
        "Environment variables that change behaviour:\n"
        "PYTHONSTARTUP             file executed when the prompt starts\n"
        "PYTHONPATH                ':'-separated directories put at the front of sys.path\n"
        "PYTHONHOME                alternate <prefix> (or <prefix>:<exec_prefix>) of the standard library\n"
        "PYTHONPLATLIBDIR          overrides sys.platlibdir\n"
        "PYTHONCASEOK              ignore case in import statements (Windows and macOS)\n"
        "PYTHONIOENCODING          encoding[:errors] of stdin, stdout and stderr\n"
        "PYTHONHASHSEED            seed of str and bytes hashes, 'random' or 0..4294967295\n"
        "PYTHONMALLOC              memory allocator (malloc, pymalloc, debug ...)\n"
        "PYTHONMALLOCSTATS         print allocator statistics at exit\n"
        "PYTHONCOERCECLOCALE       0 turns off the coercion of the C locale to UTF-8, warn asks for a warning\n"
        "PYTHONBREAKPOINT          what breakpoint() calls; 0 turns it off\n"
        "PYTHONDEVMODE, PYTHONPYCACHEPREFIX, PYTHONWARNDEFAULTENCODING, PYTHONUTF8, PYTHONFAULTHANDLER,\n"
        "PYTHONTRACEMALLOC, PYTHONPROFILEIMPORTTIME, PYTHONNODEBUGRANGES, PYTHONINTMAXSTRDIGITS: see -X\n"
        "PYTHONDEBUG (-d) PYTHONDONTWRITEBYTECODE (-B) PYTHONINSPECT (-i) PYTHONNOUSERSITE (-s)\n"
        "PYTHONOPTIMIZE (-O) PYTHONSAFEPATH (-P) PYTHONUNBUFFERED (-u) PYTHONVERBOSE (-v) PYTHONWARNINGS (-W)\n",
        out);
  }
}

}  // namespace pyston::options
