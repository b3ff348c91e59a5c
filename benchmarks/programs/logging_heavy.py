"""The logging package with handlers, filters and formatters."""
import io
import logging

stream = io.StringIO()
logger = logging.getLogger("app")
logger.setLevel(logging.DEBUG)
logger.propagate = False
handler = logging.StreamHandler(stream)
handler.setFormatter(logging.Formatter("%(levelname)s:%(name)s:%(funcName)s:%(message)s"))
handler.addFilter(lambda record: "skip" not in record.getMessage())
logger.addHandler(handler)
children = [logger.getChild(f"part{i}") for i in range(5)]


def work(i):
    log = children[i % 5]
    log.debug("step %d of %s", i, "all")
    if i % 7 == 0:
        log.warning("slow %5.2f", i / 3)
    if i % 11 == 0:
        log.info("skip this %d", i)
    if i % 501 == 0:
        try:
            [][i]
        except IndexError:
            log.error("failed at %d", i, exc_info=i % 1002 == 0)


for i in range(60_000):
    work(i)
logging.disable(logging.INFO)
for i in range(20_000):
    children[0].debug("never %d", i)
text = stream.getvalue()
print(text.count("\n"), text.count("WARNING"), text.count("Traceback"), len(text.splitlines()[0]))
print("\n".join(text.splitlines()[1:6]))
