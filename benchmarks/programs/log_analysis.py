"""Log analysis with regular expressions (re, Counter, string methods)."""
import re
from collections import Counter

LINE = re.compile(r'(?P<host>\S+) \S+ \S+ \[(?P<time>[^\]]+)\] "(?P<method>[A-Z]+) (?P<path>\S+) HTTP/[\d.]+" '
                  r'(?P<status>\d{3}) (?P<size>\d+|-)')
lines = []
for i in range(160_000):
    status = (200, 200, 200, 304, 404, 500)[i % 6]
    lines.append(f'10.0.{i % 7}.{i % 251} - - [10/Oct/2026:13:{i // 60 % 60:02}:{i % 60:02} +0000] '
                 f'"GET /page/{i % 83}?q={i % 11} HTTP/1.1" {status} {i % 9000 if i % 19 else "-"}')
    if i % 997 == 0:
        lines.append("broken line " + "x" * (i % 40))
hosts, pages, minutes, statuses, bad, size = Counter(), Counter(), Counter(), Counter(), 0, 0
for line in lines:
    match = LINE.match(line)
    if match is None:
        bad += 1
        continue
    fields = match.groupdict()
    hosts[fields["host"]] += 1
    pages[re.sub(r"\?.*$", "", fields["path"])] += 1
    minutes[fields["time"][12:17]] += 1
    statuses[fields["status"]] += 1
    if fields["size"] != "-":
        size += int(fields["size"])
print(bad, size, sorted(statuses.items()))
print(hosts.most_common(3), pages.most_common(3), minutes.most_common(2))
