"""A sudoku solver by constraint propagation and search (dicts of strings, comprehensions)."""

DIGITS = ROWS_COLUMNS = "123456789"
ROWS = "ABCDEFGHI"
SQUARES = [r + c for r in ROWS for c in DIGITS]
UNITS_ALL = ([[r + c for r in ROWS] for c in DIGITS] + [[r + c for c in DIGITS] for r in ROWS] +
             [[r + c for r in rs for c in cs] for rs in ("ABC", "DEF", "GHI") for cs in ("123", "456", "789")])
UNITS = {s: [u for u in UNITS_ALL if s in u] for s in SQUARES}
PEERS = {s: set(sum(UNITS[s], [])) - {s} for s in SQUARES}


def parse(grid):
    values = {s: DIGITS for s in SQUARES}
    for s, d in zip(SQUARES, grid):
        if d in DIGITS and not assign(values, s, d):
            return None
    return values


def assign(values, s, d):
    return values if all(eliminate(values, s, other) for other in values[s].replace(d, "")) else None


def eliminate(values, s, d):
    if d not in values[s]:
        return values
    values[s] = values[s].replace(d, "")
    if not values[s]:
        return None
    if len(values[s]) == 1 and not all(eliminate(values, peer, values[s]) for peer in PEERS[s]):
        return None
    for unit in UNITS[s]:
        places = [p for p in unit if d in values[p]]
        if not places or (len(places) == 1 and not assign(values, places[0], d)):
            return None
    return values


def search(values):
    if values is None:
        return None
    unsolved = [(len(values[s]), s) for s in SQUARES if len(values[s]) > 1]
    if not unsolved:
        return values
    _, s = min(unsolved)
    for d in values[s]:
        if solved := search(assign(values.copy(), s, d)):
            return solved
    return None


PUZZLES = ["4.....8.5.3..........7......2.....6.....8.4......1.......6.3.7.5..2.....1.4......",
           "52...6.........7.13...........4..8..6......5...........418.........3..2...87.....",
           "6.....8.3.4.7.................5.4.7.3..2.....1.6.......2.....5.....8.6......1....",
           "48.3............71.2.......7.5....6....2..8.............1.76...3.....4......5....",
           "....14....3....2...7..........9...3.6.1.............8.2.....1.4....5.6.....7.8...",
           "......52..8.4......3...9...5.1...6..2..7........3.....6...1..........7.4.......3.",
           "6.2.5.........3.4..........43...8....1....2........7..5..27...........81...6.....",
           ".524.........7.1..............8.2...3.....6...9.5.....1.6.3...........897........"]
for puzzle in PUZZLES * 6:
    solved = search(parse(puzzle))
    print("".join(solved[s] for s in SQUARES))
