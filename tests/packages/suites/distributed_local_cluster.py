"""distributed on one machine: schedulers, nannies and workers as processes and as threads. Neither its wheel nor its source distribution has tests."""
import asyncio
import operator
import os
import signal

import dask
import dask.array
import dask.bag
import pytest
from distributed import Client, Event, KilledWorker, LocalCluster, Lock, Queue, Semaphore, Variable, as_completed, get_client, get_worker
from distributed import wait, worker_client


def square(x):
    return x * x


def divide(x, y):
    return x / y


class Counter:
    n = 0

    def increment(self, by=1):
        self.n += by
        return self.n


@pytest.fixture(scope="module", params=["processes", "threads"])
def client(request, tmp_path_factory):
    options = {"n_workers": 2, "threads_per_worker": 2, "processes": request.param == "processes", "dashboard_address": None}
    with LocalCluster(local_directory=str(tmp_path_factory.mktemp("cluster")), **options) as cluster, Client(cluster) as client:
        yield client


def test_submit(client):
    assert client.submit(square, 12).result(timeout=60) == 144


def test_map_and_gather(client):
    assert client.gather(client.map(square, range(200))) == [n * n for n in range(200)]


def test_chain_of_futures(client):
    total = client.submit(sum, client.map(square, range(50)))
    assert client.submit(operator.add, total, 1).result(timeout=60) == sum(n * n for n in range(50)) + 1


def test_closures_and_classes_travel(client):
    offset = 7

    class Point:
        def __init__(self, x):
            self.x = x

        def moved(self):
            return Point(self.x + offset)

    assert client.submit(lambda point: point.moved().x, Point(3)).result(timeout=60) == 10


def test_exception_keeps_type_and_traceback(client):
    future = client.submit(divide, 1, 0)
    with pytest.raises(ZeroDivisionError):
        future.result(timeout=60)
    assert future.status == "error" and future.traceback() is not None
    with pytest.raises(ZeroDivisionError):
        client.submit(square, future).result(timeout=60)


def test_as_completed(client):
    assert sorted(future.result() for future in as_completed(client.map(square, range(20)))) == [n * n for n in range(20)]


def test_scatter_and_broadcast(client):
    data = client.scatter(list(range(1000)), broadcast=True)
    assert client.submit(sum, data).result(timeout=60) == 499500
    assert all(len(workers) == 2 for workers in client.who_has([data]).values())


def test_delayed(client):
    @dask.delayed
    def add(x, y):
        return x + y

    assert add(add(1, 2), add(3, 4)).compute() == 10


def test_array(client):
    x = dask.array.arange(100_000, chunks=10_000).reshape(100, 1000)
    assert ((x + x.T.T).sum(axis=0).max().compute()) == (2 * x).sum(axis=0).max().compute(scheduler="synchronous")


def test_bag(client):
    bag = dask.bag.from_sequence(range(1000), npartitions=7)
    assert bag.filter(lambda n: n % 3 == 0).map(square).fold(operator.add).compute() == sum(n * n for n in range(0, 1000, 3))


def test_dataframe_shuffle(client):
    pandas, frames = pytest.importorskip("pandas"), pytest.importorskip("dask.dataframe")
    frame = pandas.DataFrame({"k": [n % 5 for n in range(500)], "v": range(500)})
    left = frames.from_pandas(frame, npartitions=4)
    right = frames.from_pandas(pandas.DataFrame({"k": range(5), "name": list("abcde")}), npartitions=2)
    got = left.merge(right, on="k").groupby("name").v.sum().compute().sort_index()
    assert got.to_dict() == {name: sum(range(k, 500, 5)) for k, name in enumerate("abcde")}


def test_persist_and_wait(client):
    x = client.persist(dask.array.ones((100, 100), chunks=(10, 100)))
    wait(x, timeout=60)
    assert x.sum().compute() == 10_000


def test_actor(client):
    counter = client.submit(Counter, actor=True).result(timeout=60)
    assert [counter.increment().result() for _ in range(5)] == [1, 2, 3, 4, 5]
    assert counter.n == 5


def test_queue_and_variable(client):
    queue, variable = Queue("numbers", client=client), Variable("answer", client=client)
    futures = [client.submit(lambda n: Queue("numbers").put(n), n, pure=False) for n in range(5)]
    client.gather(futures)
    assert sorted(queue.get(timeout=60) for _ in range(5)) == [0, 1, 2, 3, 4]
    variable.set(42)
    assert client.submit(lambda: Variable("answer").get(), pure=False).result(timeout=60) == 42


def test_locks_and_semaphores(client):
    def locked(n):
        with Lock("one"), Semaphore(max_leases=2, name="two"):
            return n

    assert client.gather(client.map(locked, range(8), pure=False)) == list(range(8))


def test_event(client):
    waiting = client.submit(lambda: Event("go").wait(timeout=60), pure=False)
    Event("go", client=client).set()
    assert waiting.result(timeout=60) is True


def test_tasks_from_tasks(client):
    def outer(n):
        with worker_client() as inner:
            return sum(inner.gather(inner.map(square, range(n))))

    assert client.submit(outer, 10).result(timeout=60) == 285
    assert client.submit(lambda: get_client() is not None and get_worker() is not None, pure=False).result(timeout=60)


def test_run_on_every_worker(client):
    assert len(client.run(os.getpid)) == 2


def test_cancel_and_retry(client):
    future = client.submit(lambda: Event("never").wait(timeout=60), pure=False)
    future.cancel()
    assert future.cancelled()
    Event("never", client=client).set()
    flaky = client.submit(lambda: 1 if Event("ready").is_set() else 1 / 0, pure=False)
    with pytest.raises(ZeroDivisionError):
        flaky.result(timeout=60)
    Event("ready", client=client).set()
    flaky.retry()
    assert flaky.result(timeout=60) == 1


def test_scale(client):
    cluster = client.cluster
    cluster.scale(3)
    client.wait_for_workers(3, timeout=60)
    assert len(client.scheduler_info()["workers"]) == 3
    cluster.scale(2)


def test_killed_worker_is_replaced(tmp_path):
    with LocalCluster(n_workers=1, processes=True, dashboard_address=None, local_directory=str(tmp_path)) as cluster, Client(cluster) as client:
        before = client.submit(os.getpid, pure=False).result(timeout=60)
        os.kill(before, signal.SIGKILL)
        after = client.submit(os.getpid, pure=False).result(timeout=120)
        assert after != before


def test_task_that_kills_workers_is_given_up(tmp_path):
    with dask.config.set({"distributed.scheduler.allowed-failures": 0}):
        options = {"n_workers": 1, "processes": True, "dashboard_address": None, "local_directory": str(tmp_path)}
        with LocalCluster(**options) as cluster, Client(cluster) as client, pytest.raises(KilledWorker):
            client.submit(lambda: os._exit(3), pure=False).result(timeout=120)


def test_asynchronous(tmp_path):
    async def main():
        options = {"n_workers": 2, "processes": False, "asynchronous": True, "dashboard_address": None, "local_directory": str(tmp_path)}
        async with LocalCluster(**options) as cluster, Client(cluster, asynchronous=True) as client:
            return await client.gather(client.map(square, range(10)))

    assert asyncio.run(main()) == [n * n for n in range(10)]
