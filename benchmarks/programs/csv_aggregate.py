"""Aggregating a CSV file (csv, io, defaultdict, formatting)."""
import csv
import io
from collections import defaultdict

source = io.StringIO()
writer = csv.writer(source)
writer.writerow(["region", "product", "units", "price", "note"])
for i in range(170_000):
    writer.writerow([f"r{i % 13}", f"p{i * 7 % 101}", i % 17, f"{(i % 331) / 7:.2f}", 'said "ok", twice' if i % 50 == 0 else ""])
source.seek(0)
totals = defaultdict(lambda: [0, 0.0])
quotes = 0
for row in csv.DictReader(source):
    units = int(row["units"])
    entry = totals[row["region"], row["product"]]
    entry[0] += units
    entry[1] += units * float(row["price"])
    quotes += '"' in row["note"]
out = io.StringIO()
report = csv.writer(out, lineterminator="\n")
for (region, product), (units, value) in sorted(totals.items()):
    report.writerow([region, product, units, f"{value:.2f}"])
text = out.getvalue()
print(len(totals), quotes, len(text))
print(text[:100])
