"""Allocation and release of many small trees (tuples, recursion, reference counting)."""


def bottom_up(depth):
    if depth == 0:
        return (None, None)
    return (bottom_up(depth - 1), bottom_up(depth - 1))


def check(node):
    left, right = node
    return 1 if left is None else 1 + check(left) + check(right)


def main(depth):
    stretch = check(bottom_up(depth + 1))
    print(f"stretch tree of depth {depth + 1}: {stretch}")
    kept = bottom_up(depth)
    for d in range(4, depth + 1, 4):
        trees = 1 << (depth - d + 4)
        total = sum(check(bottom_up(d)) for _ in range(trees))
        print(f"{trees} trees of depth {d}: {total}")
    print(f"long-lived tree of depth {depth}: {check(kept)}")


main(16)
