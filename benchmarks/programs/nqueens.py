"""All placements of queens (recursive generators, sets)."""


def queens(n):
    columns, up, down = set(), set(), set()

    def place(row, placed):
        if row == n:
            yield tuple(placed)
            return
        for column in range(n):
            if column in columns or row + column in up or row - column in down:
                continue
            columns.add(column)
            up.add(row + column)
            down.add(row - column)
            placed.append(column)
            yield from place(row + 1, placed)
            placed.pop()
            columns.remove(column)
            up.remove(row + column)
            down.remove(row - column)

    return place(0, [])


solutions = list(queens(12))
print(len(solutions), solutions[0], solutions[-1])
