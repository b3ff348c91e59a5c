"""Exceptions in control flow (raise, except, finally, custom hierarchies, chained causes)."""


class AppError(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class NotFound(AppError):
    pass


class Refused(AppError):
    pass


def fetch(table, key):
    try:
        return table[key]
    except KeyError as error:
        raise NotFound(404, f"no {key}") from error


def guarded(table, key, log):
    try:
        value = fetch(table, key)
        if value < 0:
            raise Refused(403, "negative")
        return value
    finally:
        log[0] += 1


def parse(text):
    for convert in (int, float, complex):
        try:
            return convert(text)
        except ValueError:
            continue
    return None


table = {i: i - 100 if i % 5 == 0 else i for i in range(0, 2000, 3)}
log, codes, total = [0], {}, 0
for i in range(350_000):
    try:
        total += guarded(table, i % 2000, log)
    except NotFound as error:
        codes[error.code] = codes.get(error.code, 0) + 1
        total += isinstance(error.__cause__, KeyError)
    except AppError as error:
        codes[error.code] = codes.get(error.code, 0) + 1
parsed = [parse(t) for t in ("1", "2.5", "1+2j", "x", "", "7e3") * 12_000]
iterator, count = iter(range(50_000)), 0
while True:
    try:
        next(iterator)
    except StopIteration:
        break
    count += 1
print(total, log, codes, sum(p is None for p in parsed), count)
