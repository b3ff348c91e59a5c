"""Pseudo-random DNA sequences (bisect, string joining, a linear congruential generator)."""
from bisect import bisect
from itertools import accumulate

ALU = ("GGCCGGGCGCGGTGGCTCACGCCTGTAATCCCAGCACTTTGGGAGGCCGAGGCGGGCGGATCACCTGAGGTCAGGAGTTCGAGACCAGCCTGGCCAACATGGTGAAA"
       "CCCCGTCTCTACTAAAAATACAAAAATTAGCCGGGCGTGGTGGCGCGCGCCTGTAATCCCAGCTACTCGGGAGGCTGAGGCAGGAGAATCGCTTGAACCC")
CODES = {"a": 0.27, "c": 0.12, "g": 0.12, "t": 0.27, "B": 0.02, "D": 0.02, "H": 0.02, "K": 0.02, "M": 0.02,
         "N": 0.02, "R": 0.02, "S": 0.02, "V": 0.02, "W": 0.02, "Y": 0.02}


def random_values(seed):
    while True:
        seed = (seed * 3877 + 29573) % 139968
        yield seed / 139968


def random_sequence(codes, count, values):
    letters = list(codes)
    limits = list(accumulate(codes.values()))
    last = len(letters) - 1
    return "".join([letters[min(last, bisect(limits, next(values)))] for _ in range(count)])


def checksum(text):
    total = 0
    for line in (text[i:i + 60] for i in range(0, len(text), 60)):
        for c in line:
            total = (total * 31 + ord(c)) & 0xFFFFFFFF
    return total


repeated = (ALU * 700)[:150_000]
print("ALU", checksum(repeated))
sequence = random_sequence(CODES, 1_800_000, random_values(42))
print(sequence[:60])
print("random", checksum(sequence))
