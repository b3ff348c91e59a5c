"""Escape times of the Mandelbrot set (complex arithmetic, inner while loops)."""


def escape(c, limit):
    z = 0j
    n = 0
    while n < limit and z.real * z.real + z.imag * z.imag <= 4.0:
        z = z * z + c
        n += 1
    return n


def main(width, height, limit):
    rows = []
    for y in range(height):
        rows.append([escape(complex(3.0 * x / width - 2.0, 2.0 * y / height - 1.0), limit) for x in range(width)])
    print(sum(map(sum, rows)))
    for row in rows[::16]:
        print("".join(" .:-=+*#%@"[min(9, n * 10 // limit)] for n in row[::4]))


main(440, 320, 120)
