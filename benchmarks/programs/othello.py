"""An Othello player searching with alpha-beta (lists, tuples, recursion)."""

EMPTY, BLACK, WHITE, EDGE = 0, 1, 2, 3
DIRECTIONS = (-11, -10, -9, -1, 1, 9, 10, 11)
SQUARES = [10 * r + c for r in range(1, 9) for c in range(1, 9)]
WEIGHTS = [0] * 100
for _square in SQUARES:
    _r, _c = divmod(_square, 10)
    _r, _c = min(_r, 9 - _r), min(_c, 9 - _c)
    WEIGHTS[_square] = {(1, 1): 120, (1, 2): -20, (2, 1): -20, (2, 2): -40}.get((_r, _c), 20 if 1 in (_r, _c) else 5)


def start():
    board = [EDGE] * 100
    for square in SQUARES:
        board[square] = EMPTY
    board[44] = board[55] = WHITE
    board[45] = board[54] = BLACK
    return board


def flips(board, square, player):
    if board[square] != EMPTY:
        return []
    other = 3 - player
    found = []
    for direction in DIRECTIONS:
        at = square + direction
        line = []
        while board[at] == other:
            line.append(at)
            at += direction
        if line and board[at] == player:
            found += line
    return found


def moves(board, player):
    return [(square, found) for square in SQUARES if (found := flips(board, square, player))]


def play(board, square, found, player):
    board = board[:]
    board[square] = player
    for at in found:
        board[at] = player
    return board


def score(board, player):
    other = 3 - player
    total = 0
    for square in SQUARES:
        piece = board[square]
        if piece == player:
            total += WEIGHTS[square]
        elif piece == other:
            total -= WEIGHTS[square]
    return total


def search(board, player, depth, low, high):
    if depth == 0:
        return score(board, player), None
    options = moves(board, player)
    if not options:
        if not moves(board, 3 - player):
            return score(board, player) * 100, None
        return -search(board, 3 - player, depth - 1, -high, -low)[0], None
    best = None
    for square, found in options:
        value = -search(play(board, square, found, player), 3 - player, depth - 1, -high, -low)[0]
        if value > low or best is None:
            low, best = max(low, value), (square, found)
        if low >= high:
            break
    return low, best


def game():
    board, player, history = start(), BLACK, []
    for _ in range(50):
        value, best = search(board, player, 4, -10**6, 10**6)
        if best is not None:
            board = play(board, *best, player)
            history.append(best[0])
        player = 3 - player
    return board, history


board, history = game()
print(history)
for row in range(1, 9):
    print("".join(".XO"[board[10 * row + c]] for c in range(1, 9)))
