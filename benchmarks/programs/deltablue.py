"""Incremental dataflow constraint solver (class hierarchy, small objects, lists)."""


class Variable:
    def __init__(self, name, value=0):
        self.name = name
        self.value = value
        self.constraints = []
        self.determined_by = None
        self.mark = 0
        self.strength = 6
        self.stay = True


class Constraint:
    def __init__(self, strength):
        self.strength = strength

    def satisfy(self, mark, planner):
        self.choose_method(mark)
        if not self.is_satisfied():
            if self.strength == 0:
                raise ValueError("a required constraint could not be satisfied")
            return None
        self.mark_inputs(mark)
        out = self.output()
        overridden = out.determined_by
        if overridden is not None:
            overridden.mark_unsatisfied()
        out.determined_by = self
        if not planner.add_propagate(self, mark):
            raise ValueError("cycle")
        out.mark = mark
        return overridden


class UnaryConstraint(Constraint):
    is_input = False

    def __init__(self, variable, strength, planner):
        super().__init__(strength)
        self.variable = variable
        self.satisfied = False
        variable.constraints.append(self)
        planner.incremental_add(self)

    def choose_method(self, mark):
        self.satisfied = self.variable.mark != mark and self.strength < self.variable.strength

    def is_satisfied(self):
        return self.satisfied

    def mark_unsatisfied(self):
        self.satisfied = False

    def mark_inputs(self, mark):
        pass

    def inputs_known(self, mark):
        return True

    def output(self):
        return self.variable

    def recalculate(self):
        self.variable.strength = self.strength
        self.variable.stay = not self.is_input
        if self.variable.stay:
            self.execute()

    def execute(self):
        pass

    def remove_from_graph(self):
        if self in self.variable.constraints:
            self.variable.constraints.remove(self)
        self.satisfied = False


class StayConstraint(UnaryConstraint):
    pass


class EditConstraint(UnaryConstraint):
    is_input = True


class EqualityConstraint(Constraint):
    is_input = False

    def __init__(self, left, right, strength, planner):
        super().__init__(strength)
        self.left, self.right = left, right
        self.direction = 0
        self.attach()
        planner.incremental_add(self)

    def attach(self):
        self.left.constraints.append(self)
        self.right.constraints.append(self)

    def choose_method(self, mark):
        left, right = self.left, self.right
        if left.mark == mark:
            self.direction = 1 if right.mark != mark and self.strength < right.strength else 0
        elif right.mark == mark:
            self.direction = -1 if self.strength < left.strength else 0
        elif left.strength > right.strength:
            self.direction = -1 if self.strength < left.strength else 0
        else:
            self.direction = 1 if self.strength < right.strength else 0

    def is_satisfied(self):
        return self.direction != 0

    def mark_unsatisfied(self):
        self.direction = 0

    def input(self):
        return self.left if self.direction == 1 else self.right

    def output(self):
        return self.right if self.direction == 1 else self.left

    def mark_inputs(self, mark):
        self.input().mark = mark

    def inputs_known(self, mark):
        source = self.input()
        return source.mark == mark or source.stay or source.determined_by is None

    def recalculate(self):
        source, out = self.input(), self.output()
        out.strength = max(self.strength, source.strength)
        out.stay = source.stay
        if out.stay:
            self.execute()

    def execute(self):
        self.output().value = self.input().value


class ScaleConstraint(EqualityConstraint):
    def __init__(self, left, scale, offset, right, strength, planner):
        self.scale, self.offset = scale, offset
        super().__init__(left, right, strength, planner)

    def attach(self):
        super().attach()
        self.scale.constraints.append(self)
        self.offset.constraints.append(self)

    def mark_inputs(self, mark):
        self.input().mark = self.scale.mark = self.offset.mark = mark

    def execute(self):
        if self.direction == 1:
            self.right.value = self.left.value * self.scale.value + self.offset.value
        else:
            self.left.value = (self.right.value - self.offset.value) // self.scale.value


class Planner:
    def __init__(self):
        self.current_mark = 0

    def new_mark(self):
        self.current_mark += 1
        return self.current_mark

    def incremental_add(self, constraint):
        mark = self.new_mark()
        while constraint is not None:
            constraint = constraint.satisfy(mark, self)

    def incremental_remove(self, constraint):
        out = constraint.output()
        constraint.mark_unsatisfied()
        constraint.remove_from_graph()
        unsatisfied = self.remove_propagate_from(out)
        for strength in range(7):
            for candidate in unsatisfied:
                if candidate.strength == strength:
                    self.incremental_add(candidate)

    def consumers(self, variable):
        determining = variable.determined_by
        return [c for c in variable.constraints if c is not determining and c.is_satisfied()]

    def add_propagate(self, constraint, mark):
        todo = [constraint]
        while todo:
            current = todo.pop()
            if current.output().mark == mark:
                return False
            current.recalculate()
            todo.extend(self.consumers(current.output()))
        return True

    def remove_propagate_from(self, out):
        out.determined_by = None
        out.strength = 6
        out.stay = True
        unsatisfied, todo = [], [out]
        while todo:
            variable = todo.pop()
            unsatisfied.extend(c for c in variable.constraints if not c.is_satisfied())
            for consumer in self.consumers(variable):
                consumer.recalculate()
                todo.append(consumer.output())
        return unsatisfied

    def make_plan(self, sources):
        mark = self.new_mark()
        plan, todo = [], sources
        while todo:
            constraint = todo.pop()
            if constraint.output().mark != mark and constraint.inputs_known(mark):
                plan.append(constraint)
                constraint.output().mark = mark
                todo.extend(self.consumers(constraint.output()))
        return plan

    def change(self, variable, values):
        edit = EditConstraint(variable, 2, self)
        plan = self.make_plan([edit])
        for value in values:
            variable.value = value
            for constraint in plan:
                constraint.execute()
        self.incremental_remove(edit)


def chain(length):
    planner = Planner()
    variables = [Variable(f"v{i}") for i in range(length + 1)]
    for left, right in zip(variables, variables[1:]):
        EqualityConstraint(left, right, 0, planner)
    StayConstraint(variables[-1], 4, planner)
    planner.change(variables[0], range(60))
    return variables[-1].value


def projection(count):
    planner = Planner()
    scale, offset = Variable("scale", 10), Variable("offset", 1000)
    sources, targets = [], []
    for i in range(count):
        source, target = Variable(f"s{i}", i), Variable(f"t{i}", i)
        sources.append(source)
        targets.append(target)
        StayConstraint(source, 5, planner)
        ScaleConstraint(source, scale, offset, target, 0, planner)
    planner.change(sources[0], [17])
    planner.change(targets[0], [1050])
    planner.change(scale, [5])
    return sources[0].value, targets[0].value, sum(t.value for t in targets)


for size in (3000, 6000, 9000):
    print(size, chain(size), projection(size))
