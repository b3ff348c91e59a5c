# Methods of an extension type.
from boundary import Thing


def main():
    thing = Thing()
    for i in range(1000000):
        thing.method()
        thing.one(i)
        thing.fast(1, 2)
    print(thing.fast(1, 2))


main()
