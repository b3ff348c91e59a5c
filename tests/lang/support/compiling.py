"""What compiling some source gives, as short comparable values."""


def attempt(function, *arguments):
    try:
        result = function(*arguments)
    except SyntaxError as error:
        return type(error).__name__, error.msg, error.lineno, error.offset, error.end_lineno, error.end_offset, error.text
    except Exception as error:
        return type(error).__name__, str(error)
    return result


def compiled(source, mode="exec"):
    result = attempt(compile, source, "<test>", mode)
    return result if isinstance(result, tuple) else "compiles"


def short(value):
    text = repr(value)
    return text if len(text) < 400 else f"{text[:200]} ... {text[-100:]} ({len(text)})"


def show(title, value):
    print(f"{title}: {short(value)}")
