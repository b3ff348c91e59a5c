# Exceptions: constructors and their errors, OSError subclasses, unicode errors, groups, chaining, notes, pickling.
import pickle


def show(function):
    try:
        print(repr(function()))
    except BaseException as error:
        print(type(error).__name__, error)


for case in [
    lambda: OSError(1, 2, x=3), lambda: ImportError(x=3), lambda: ImportError('a', name='n', path='p'),
    lambda: UnicodeEncodeError(1, 2), lambda: ValueError(x=1), lambda: SyntaxError('a', ()),
    lambda: SyntaxError('a', (1, 2, 3, 4, 5)), lambda: ValueError().add_note(1), lambda: ValueError().with_traceback(1),
    lambda: ValueError().__setstate__(1), lambda: NameError(1, foo=2), lambda: OSError(1, 2, 3, 4, 5, 6).args,
    lambda: StopIteration(x=1), lambda: OSError(2, 'a', 'b'), lambda: str(OSError(2, 'a', 'b', None, 'c')),
    lambda: OSError(2, 'a', 'b').args, lambda: BlockingIOError(11, 'x', 7).characters_written,
    lambda: OSError().characters_written, lambda: str(KeyError('')), lambda: str(KeyError(1, 2)),
    lambda: str(UnicodeEncodeError('ascii', 'a\u20ac', 1, 2, 'why')),
    lambda: str(UnicodeEncodeError('ascii', 'abc', 0, 2, 'why')),
    lambda: str(UnicodeDecodeError('utf8', b'\xff', 0, 1, 'why')),
    lambda: str(UnicodeTranslateError('\U00012345', 0, 1, 'why')), lambda: UnicodeDecodeError('a', 'b', 1, 2, 'c'),
    lambda: str(SyntaxError('m', ('/x/f.py', 3, 1, 't'))), lambda: SystemExit(1, 2).code, lambda: SystemExit().code,
    lambda: StopIteration(5).value, lambda: BaseExceptionGroup('x', [ValueError()]),
    lambda: ExceptionGroup('x', [KeyboardInterrupt()]), lambda: BaseExceptionGroup('x', [KeyboardInterrupt()]),
    lambda: ExceptionGroup('x', []), lambda: ExceptionGroup('x', [1]), lambda: ExceptionGroup('x', 1),
    lambda: ExceptionGroup(1, [ValueError()]), lambda: ExceptionGroup('x', [ValueError()]).split(1),
]:
    show(case)

group = ExceptionGroup('a', [ValueError(1), TypeError(2), ExceptionGroup('b', [ValueError(3)])])
print(group.split(ValueError), group.subgroup(lambda e: isinstance(e, TypeError)), group.subgroup(KeyError), group)


class Group(ExceptionGroup):
    def derive(self, exceptions):
        return Group('derived ' + self.message, exceptions)


group = Group('g', [ValueError(1), OSError(2, 'x')])
group.add_note('note')
match, rest = group.split(OSError)
print(type(match), match, rest, match.__notes__, rest.exceptions)

for error in [OSError(2, 'a', 'b'), ImportError('m', name='n'), KeyError(1), group, UnicodeDecodeError('a', b'b', 0, 1, 'c')]:
    if error is not group:
        copy = pickle.loads(pickle.dumps(error))
        print(repr(copy), str(copy) == str(error), copy.__dict__)


def chained():
    try:
        try:
            1 / 0
        except ZeroDivisionError as first:
            raise KeyError('second') from first
    except KeyError as second:
        print(repr(second.__cause__), second.__suppress_context__, repr(second.__context__))
        try:
            raise second
        except KeyError as third:
            print(third.__context__ is second.__cause__)


chained()


def raise_in_star():
    try:
        raise ExceptionGroup('eg', [TypeError(1), ValueError(2)])
    except* TypeError as handled:
        print('handled', handled.exceptions)
        raise KeyError('new')


show(raise_in_star)
for name in ['ValueError', 'OSError', 'BaseException', 'ImportError', 'SyntaxError', 'UnicodeEncodeError']:
    kind = __builtins__.__dict__[name]
    print(name, kind.__basicsize__, kind.__dictoffset__, kind.__mro__)
