# sqlite3, through the installed compiled module: statements, types, functions in Python, errors, transactions, blobs.
import datetime
import os
import sqlite3
import tempfile

connection = sqlite3.connect(":memory:", detect_types=sqlite3.PARSE_DECLTYPES | sqlite3.PARSE_COLNAMES)
cursor = connection.cursor()
cursor.execute("create table people(id integer primary key, name text, height real, photo blob, born date)")
rows = [("Ada", 1.65, b"\x00\xff", datetime.date(1815, 12, 10)), ("Böb", None, None, None), ("\U0001f600", -0.0, b"", datetime.date(2000, 1, 1))]
cursor.executemany("insert into people(name, height, photo, born) values(?, ?, ?, ?)", rows)
print(cursor.rowcount, cursor.lastrowid, connection.total_changes, connection.in_transaction)
for row in cursor.execute("select * from people order by id"):
    print(row)
print([d[0] for d in cursor.description], cursor.fetchone(), cursor.fetchall())
print(connection.execute("select :a + :b, typeof(:c)", {"a": 2, "b": 2.5, "c": None}).fetchone())
connection.row_factory = sqlite3.Row
row = connection.execute("select name, height as tall from people").fetchone()
print(row.keys(), row["TALL"], tuple(row), len(row), row[0:1], row == row, hash(row) == hash(row))
connection.row_factory = None


class Product:
    def __init__(self):
        self.value = 1

    def step(self, number):
        self.value *= number

    def finalize(self):
        return self.value


class Window(Product):
    def inverse(self, number):
        self.value //= number

    def value_now(self):
        return self.value


connection.create_function("shout", 1, lambda text: text.upper() + "!", deterministic=True)
connection.create_aggregate("product", 1, Product)
connection.create_collation("backwards", lambda a, b: (a < b) - (a > b))
print(connection.execute("select shout('quiet'), product(id) from people").fetchone())
print(connection.execute("select name from people order by name collate backwards").fetchall())
connection.create_function("fails", 0, lambda: 1 / 0)
attempts = {
    "syntax": lambda: connection.execute("selec 1"),
    "no table": lambda: connection.execute("select * from nothing"),
    "unique": lambda: connection.execute("insert into people(id) values(1)"),
    "function": lambda: connection.execute("select fails()").fetchall(),
    "parameters": lambda: connection.execute("select ?, ?", (1,)),
    "type": lambda: connection.execute("select ?", (object(),)),
    "names": lambda: connection.execute("select :x", {"y": 1}),
    "two statements": lambda: connection.execute("select 1; select 2"),
    "too large": lambda: connection.execute("select ?", (2**63,)),
    "not a string": lambda: connection.execute(5),
    "surrogate": lambda: connection.execute("select ?", ("\ud800",)),
    "many select": lambda: connection.executemany("select ?", [(1,)]),
    "isolation": lambda: setattr(connection, "isolation_level", "BOGUS"),
}
for name, attempt in attempts.items():
    try:
        print(name, attempt())
    except Exception as error:
        print(name, type(error).__mro__[:-2], error, getattr(error, "sqlite_errorname", None))
with connection:
    connection.execute("insert into people(name) values('kept')")
try:
    with connection:
        connection.execute("insert into people(name) values('dropped')")
        raise KeyError("undo")
except KeyError:
    pass
print(connection.execute("select count(*) from people").fetchone())
sqlite3.register_adapter(complex, lambda c: f"{c.real};{c.imag}")
sqlite3.register_converter("complex", lambda b: complex(*map(float, b.split(b";"))))
connection.execute("create table numbers(c complex)")
connection.execute("insert into numbers values(?)", (1 + 2j,))
print(connection.execute("select c from numbers").fetchone())
connection.execute("insert into people(id, photo) values(50, zeroblob(8))")
with connection.blobopen("people", "photo", 50) as blob:
    blob.write(b"abc")
    blob[4:6] = b"xy"
    blob.seek(0)
    print(blob.read(), len(blob), blob[0])
print("\n".join(connection.iterdump()))
seen = []
connection.set_trace_callback(seen.append)
connection.execute("select 1").fetchall()
connection.set_trace_callback(None)
connection.set_progress_handler(lambda: 1, 1)
try:
    connection.execute("select count(*) from people a, people b, people c").fetchall()
except sqlite3.OperationalError as error:
    print(error, seen)
connection.set_progress_handler(None, 0)
with tempfile.TemporaryDirectory() as directory:
    path = os.path.join(directory, "copy.db")
    copy = sqlite3.connect(path)
    connection.commit()
    connection.backup(copy, pages=1, progress=lambda status, remaining, total: seen.append(total > 0))
    print(copy.execute("select name from people").fetchall(), len(seen) > 1)
    copy.close()
    try:
        copy.execute("select 1")
    except sqlite3.ProgrammingError as error:
        print(error)
connection.text_factory = bytes
print(connection.execute("select name from people where id = 2").fetchone())
data = connection.serialize()
other = sqlite3.connect(":memory:")
other.deserialize(data)
print(other.execute("select count(*) from people").fetchone())
connection.close()
