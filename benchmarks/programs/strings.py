"""String building and formatting (concatenation, join, %, format, f-strings, methods)."""


def build(n):
    text = ""
    for i in range(n):
        text += chr(97 + i % 26)
        if i % 60 == 59:
            text += "\n"
    return text


def reports(n):
    out = []
    for i in range(n):
        out.append("%05d|%-10s|%8.3f" % (i, "name%d" % (i % 100), i / 7))
        out.append("{:>8}|{:<6}|{:+d}".format(i, hex(i), -i))
        out.append(f"{i:08b}|{i!r:>6}|{i / 3:.2e}|{'x' * (i % 5):^7}")
    return "\n".join(out)


def words(text):
    counts = {}
    for line in text.splitlines():
        for word in line.replace("|", " ").split():
            word = word.strip("+-").lower()
            if word.isalnum() and not word.isdigit():
                counts[word] = counts.get(word, 0) + 1
    return counts


text = build(1_200_000)
print(len(text), text.count("abc"), text.find("xyz"), text[-5:].title())
report = reports(90_000)
counts = words(report)
print(len(report), len(counts), sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:3])
print(report.translate(str.maketrans("0123456789", "abcdefghij"))[:60], "é".join(["ß", "ü"]).upper())
