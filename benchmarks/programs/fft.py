"""Fast Fourier transform, iterative, on lists of real and imaginary parts."""
from math import cos, pi, sin


def transform(re, im, sign):
    n = len(re)
    j = 0
    for i in range(1, n):
        bit = n >> 1
        while j & bit:
            j ^= bit
            bit >>= 1
        j |= bit
        if i < j:
            re[i], re[j] = re[j], re[i]
            im[i], im[j] = im[j], im[i]
    length = 2
    while length <= n:
        angle = sign * 2.0 * pi / length
        step_re, step_im = cos(angle), sin(angle)
        half = length >> 1
        for start in range(0, n, length):
            w_re, w_im = 1.0, 0.0
            for k in range(start, start + half):
                odd = k + half
                t_re = re[odd] * w_re - im[odd] * w_im
                t_im = re[odd] * w_im + im[odd] * w_re
                re[odd] = re[k] - t_re
                im[odd] = im[k] - t_im
                re[k] += t_re
                im[k] += t_im
                w_re, w_im = w_re * step_re - w_im * step_im, w_re * step_im + w_im * step_re
        length <<= 1


n = 1 << 15
re = [((i * 7919) % 1009) / 1009.0 for i in range(n)]
im = [0.0] * n
original = re[:]
for _ in range(4):
    transform(re, im, -1)
    peak = max(range(1, n), key=lambda k: re[k] * re[k] + im[k] * im[k])
    transform(re, im, 1)
    re = [x / n for x in re]
    im = [x / n for x in im]
    print(peak, f"{max(abs(a - b) for a, b in zip(re, original)):.1e}"[:1])
