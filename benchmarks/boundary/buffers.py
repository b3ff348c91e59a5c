# Taking and releasing buffers, and reading through a memoryview.
from boundary import Thing, read_buffer


def main():
    thing, data, view = Thing(), b'some bytes', memoryview(b'view')
    for i in range(1000000):
        read_buffer(data)
        read_buffer(thing)
        view[2]
    print(view[2])


main()
