"""Echo server and clients over asyncio streams on loopback."""
import asyncio


async def handle(reader, writer):
    while line := await reader.readline():
        writer.write(line.upper())
        await writer.drain()
    writer.close()


async def client(port, identity, count):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    total = 0
    for i in range(count):
        writer.write(f"message {identity} {i}\n".encode())
        await writer.drain()
        total += len(await reader.readline())
    writer.close()
    await writer.wait_closed()
    return total


async def main():
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    totals = await asyncio.gather(*(client(port, i, 500) for i in range(20)))
    queue = asyncio.Queue(10)

    async def produce():
        for i in range(15000):
            await queue.put(i)
        await queue.put(None)

    async def consume():
        total = 0
        while (item := await queue.get()) is not None:
            total += item
        return total

    _, total = await asyncio.gather(produce(), consume())
    server.close()
    await server.wait_closed()
    print(sum(totals), total)


asyncio.run(main())
