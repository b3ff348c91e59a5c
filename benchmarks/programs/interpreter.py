"""Tokenizer, parser and evaluator of a small language (classes, dispatch, recursion, dicts)."""
import re

TOKENS = re.compile(r"\s*(?:(\d+)|([a-z]+)|(==|<=|[-+*/%<>=(){},;]))")


def tokenize(source):
    return [(m[1] and ("num", int(m[1]))) or (m[2] and ("name", m[2])) or ("op", m[3]) for m in TOKENS.finditer(source)]


class Parser:
    LEVELS = [("==", "<=", "<", ">"), ("+", "-"), ("*", "/", "%")]

    def __init__(self, source):
        self.tokens = tokenize(source) + [("end", None)]
        self.position = 0

    def peek(self):
        return self.tokens[self.position]

    def next(self):
        self.position += 1
        return self.tokens[self.position - 1]

    def accept(self, value):
        if self.peek()[1] == value:
            self.position += 1
            return True
        return False

    def block(self):
        self.next()
        body = []
        while not self.accept("}"):
            body.append(self.statement())
        return body

    def statement(self):
        kind, value = self.peek()
        if value == "while":
            self.next()
            return While(self.expression(), self.block())
        if value == "if":
            self.next()
            test, body = self.expression(), self.block()
            return If(test, body, self.block() if self.accept("else") else [])
        if value == "def":
            self.next()
            name, parameters = self.next()[1], []
            self.next()
            while not self.accept(")"):
                parameters.append(self.next()[1])
                self.accept(",")
            return Define(name, parameters, self.block())
        if value == "return":
            self.next()
            result = Return(self.expression())
        elif kind == "name" and self.tokens[self.position + 1][1] == "=":
            self.position += 2
            result = Assign(value, self.expression())
        else:
            result = self.expression()
        self.accept(";")
        return result

    def expression(self, level=0):
        if level == len(self.LEVELS):
            return self.atom()
        left = self.expression(level + 1)
        while self.peek()[1] in self.LEVELS[level]:
            left = Binary(self.next()[1], left, self.expression(level + 1))
        return left

    def atom(self):
        kind, value = self.next()
        if kind == "num":
            return Number(value)
        if value == "(":
            inner = self.expression()
            self.accept(")")
            return inner
        if self.accept("("):
            arguments = []
            while not self.accept(")"):
                arguments.append(self.expression())
                self.accept(",")
            return Call(value, arguments)
        return Name(value)


class ReturnValue(Exception):
    pass


class Number:
    def __init__(self, value):
        self.value = value

    def run(self, scope):
        return self.value


class Name:
    def __init__(self, name):
        self.name = name

    def run(self, scope):
        return scope[self.name]


class Binary:
    OPERATORS = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a // b,
                 "%": lambda a, b: a % b, "<": lambda a, b: a < b, ">": lambda a, b: a > b, "==": lambda a, b: a == b,
                 "<=": lambda a, b: a <= b}

    def __init__(self, operator, left, right):
        self.function, self.left, self.right = self.OPERATORS[operator], left, right

    def run(self, scope):
        return self.function(self.left.run(scope), self.right.run(scope))


class Assign:
    def __init__(self, name, value):
        self.name, self.value = name, value

    def run(self, scope):
        scope[self.name] = self.value.run(scope)


class While:
    def __init__(self, test, body):
        self.test, self.body = test, body

    def run(self, scope):
        while self.test.run(scope):
            for statement in self.body:
                statement.run(scope)


class If:
    def __init__(self, test, body, other):
        self.test, self.body, self.other = test, body, other

    def run(self, scope):
        for statement in self.body if self.test.run(scope) else self.other:
            statement.run(scope)


class Define:
    def __init__(self, name, parameters, body):
        self.name, self.parameters, self.body = name, parameters, body

    def run(self, scope):
        FUNCTIONS[self.name] = self


class Return:
    def __init__(self, value):
        self.value = value

    def run(self, scope):
        raise ReturnValue(self.value.run(scope))


class Call:
    def __init__(self, name, arguments):
        self.name, self.arguments = name, arguments

    def run(self, scope):
        function = FUNCTIONS[self.name]
        inner = dict(zip(function.parameters, [a.run(scope) for a in self.arguments]))
        try:
            for statement in function.body:
                statement.run(inner)
        except ReturnValue as result:
            return result.args[0]


FUNCTIONS = {}
PROGRAM = """
def fib(n) { if n < 2 { return n; } return fib(n - 1) + fib(n - 2); }
def collatz(n) { s = 0; while n > 1 { if n % 2 == 0 { n = n / 2; } else { n = 3 * n + 1; } s = s + 1; } return s; }
i = 1; best = 0;
while i < 8000 { c = collatz(i); if best < c { best = c; } i = i + 1; }
f = fib(20);
"""
scope = {}
parser = Parser(PROGRAM)
while parser.peek()[0] != "end":
    parser.statement().run(scope)
print(sorted(scope.items()))
